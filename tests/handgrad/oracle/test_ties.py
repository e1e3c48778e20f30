"""Ties: jumps, ties of inexact numbers, ties that one hyperplane decides."""

import operator
from contextlib import suppress
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons, Tie
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle.certify import certify
from handgrad.oracle.hyperplanes import beyond_the_walls, hyperplanes
from handgrad.oracle.reference import UndecidableError
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from tests.handgrad.oracle.problems import certified, gradient, problem

JUMPS = {
    "floor": lambda p: jnp.floor(p[0]) * p[1],
    "ceil": lambda p: jnp.ceil(p[0]) * p[1],
    "sign": lambda p: jnp.sign(p[0] - 2.0) * p[1],
    "round": lambda p: jnp.round(p[0] + 0.5) * p[1],
    "where": lambda p: jnp.where(p[0] > 2.0, 1.0, 0.0) * p[1],
    "where not": lambda p: jnp.where(p[0] != 2.0, p[0], 5.0) * p[1],
    "argmax": lambda p: jnp.asarray([1.0, 7.0])[jnp.argmax(p)],
    "cond": lambda p: lax.cond(p[0] >= 2.0, lambda v: v, lambda v: v + 1.0, p[1]),
    "rem": lambda p: lax.rem(p[0] * 3.0, p[1]),
    "rem of the divisor": lambda p: lax.rem(jnp.float64(6.0), p[0]),
    "astype": lambda p: p[0].astype(jnp.int32).astype(jnp.float64) * p[1],
}


@pytest.mark.parametrize("name", JUMPS)
def test_a_jump_is_undecidable(name: str) -> None:
    with pytest.raises(UndecidableKinkError, match="jumps"):
        certified(JUMPS[name], np.array([2.0, 2.0]))


@pytest.mark.parametrize(
    ("name", "slope"),
    [("floor", 1), ("ceil", 2), ("sign", -1), ("round", 2), ("where", 0), ("cond", 1)],
)
def test_beside_a_jump_there_is_a_gradient(name: str, slope: float) -> None:
    assert gradient(JUMPS[name], np.array([1.9, 3.0])).tolist() == [0, slope]


@pytest.mark.parametrize(
    "loss",
    [
        lambda p: jnp.maximum(p[0] / 3.0, p[1] / 3.0),
        lambda p: jnp.abs(jnp.sqrt(p[0]) - jnp.sqrt(p[1])),
        lambda p: jnp.abs(jnp.exp(p[0]) / jnp.exp(p[1]) - 1.0),
        lambda p: jnp.sort(p / 3.0)[0],
        lambda p: jnp.max(jax.nn.softmax(p)),
    ],
)
def test_ties_of_inexact_numbers_are_never_decided_wrongly(loss: Any) -> None:
    """Two thirds that are equal may be certified as a kink or given up."""
    with suppress(UndecidableError, UndecidableKinkError):
        assert certified(loss, np.array([0.7, 0.7])).kink is not None


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        (lambda x: jnp.where(x * x > 0, 5.0 * x, 0.0), 5.0),
        (lambda x: jnp.where(x * x == 0, 7.0, x), None),
    ],
)
def test_ties_of_the_second_order_are_never_decided_wrongly(loss: Any, slope: Any) -> None:
    with suppress(UndecidableError, UndecidableKinkError):
        assert balls.midpoints(certified(loss, 0.0).gradient).tolist() == [slope]


def tie(*normal: float) -> Tie:
    """By its slopes along the parameters; that along the run's own direction comes before them."""
    return Tie(1, balls.exact((9.0, *normal)))


def test_ties_with_parallel_normals_are_of_one_hyperplane() -> None:
    ties = {
        (0, 0): tie(1, 2, 0),
        (0, 1): tie(-2, -4, 0),
        (1, 0): tie(0, 0, 3),
        (2, 0): tie(1, 2, 1e-9),
        (2, 1): tie(1e-200, 2e-200, 0),
        (3, 0): tie(0, 0, -1e200),
        (4, 0): tie(1, 0, 0),
    }
    assert hyperplanes(ties) == [
        [(0, 0), (0, 1), (2, 1)],
        [(1, 0), (3, 0)],
        [(2, 0)],
        [(4, 0)],
    ]


def test_normals_that_differ_by_rounding_are_parallel() -> None:
    ties = {(0, 0): tie(1, 0), (1, 0): tie(0, 1), (2, 0): tie(1, 1e-12), (3, 0): tie(1, 2e-12)}
    assert hyperplanes(ties) == [[(0, 0), (2, 0)], [(1, 0)], [(3, 0)]]


def test_beyond_each_wall_of_a_cell_lies_a_direction_on_its_other_side_alone() -> None:
    """Where both parameters grow, their sum does as well, and is no wall."""
    ties = {(0, 0): tie(1, 0), (1, 0): tie(0, 1), (2, 0): tie(1, 1)}
    found = [*beyond_the_walls(ties, np.random.default_rng(0))]
    assert [np.sign([x, y, x + y]).tolist() for x, y in found] == [[-1, 1, 1], [1, -1, 1]]


def test_normals_beyond_floats() -> None:
    small = Tie(1, balls.exact([9.0, 1.0, 2.0]) * arb(2) ** -2000)
    other = Tie(1, balls.exact([9.0, 1.0, -2.0]) * arb(2) ** -2000)
    assert len(hyperplanes({(0, 0): small, (1, 0): other})) == 2


def test_numbers_that_are_nearly_equal_are_no_tie() -> None:
    """They overlap until there are bits enough, and then one is larger."""
    reference = certified(
        lambda p: jnp.maximum(jnp.exp(p[0]), jnp.exp(p[1]) + 1e-100), np.array([0.7, 0.7])
    )
    assert reference.kink is None
    assert reference.bits > 300
    assert balls.midpoints(reference.gradient).tolist() == pytest.approx([0.0, np.exp(0.7)])


def test_numbers_that_no_precision_tells_apart_are_not_taken_for_equal() -> None:
    """The second number is larger by 2^-7000."""
    with suppress(UndecidableError, UndecidableKinkError):
        reference = certified(
            lambda p, t: jnp.maximum(jnp.exp(p[0]), jnp.exp(p[1]) + t**14),
            np.array([0.7, 0.7]),
            np.float64(2.0**-500),
        )
        assert reference.kink is None


def test_a_number_that_is_not_known_yet_is_no_nan() -> None:
    """At few bits exp(tiny) - 1 may be negative, and its logarithm anything."""

    def loss(p: Any) -> Any:
        small = jnp.exp(p[0] * 1e-100) - 1.0
        return jnp.where(jnp.log(small) > -1000.0, 5.0 * p[1], 7.0 * p[1])

    assert balls.midpoints(certified(loss, np.array([0.7, 0.3])).gradient).tolist() == [0.0, 5.0]


def test_at_a_kink_series_take_over_from_the_program() -> None:
    reference = certified(lambda p: jnp.sum(jax.nn.relu(p)), np.zeros(30), method="program")
    assert reference.kink is not None
    assert len(reference.kink.edges) == 30


def test_a_kink_is_undecidable_if_series_would_take_too_long() -> None:
    case = problem(lambda p: jnp.sum(jax.nn.relu(p)), np.zeros(30))
    with pytest.raises(UndecidableKinkError, match="a kink in a gradient of so many elements"):
        certify(case, method="program", seconds=0.0)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "eq", "ne"])
def test_numbers_that_do_not_move_are_compared_as_numpy_does(name: str) -> None:
    a, b = np.array([1, 1, 2, 0, np.nan, np.nan]), np.array([2, 1, 1, -0.0, 1, np.nan])
    run = Run(RULES, Comparisons(final=True, undefined=True), {})
    found = RULES[name](run, None, dual.constant(a), dual.constant(b))
    np.testing.assert_array_equal(found, getattr(operator, name)(a, b))
    assert not run.comparisons.unproved


def test_the_first_of_equal_numbers_is_the_largest_and_the_smallest() -> None:
    def loss(p: Any, c: Any) -> Any:
        return p[jnp.argmax(c)] * 5.0 + p[jnp.argmin(c)] + 0.0 * jnp.sum(p)

    found = balls.midpoints(certified(loss, np.ones(4), np.array([2.0, 7.0, 7.0, 2.0])).gradient)
    assert found.tolist() == [1.0, 5.0, 0.0, 0.0]
