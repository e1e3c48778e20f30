"""Kinks: which gradients are right where the loss has more than one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad.arithmetic import balls
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle import evaluate
from handgrad.oracle.kink_search import IN_VAIN, MOST
from handgrad.oracle.reference import Reference
from handgrad.oracle.subgradients import Kink
from tests.handgrad.oracle.problems import certified

ULP = 2.0**-52


def accepts(reference: Reference, answer: Any) -> bool:
    """Whether an answer is a right one, to a few ulps."""
    answer, allowed = np.array(answer, dtype=float), np.full(len(answer), 16 * ULP)
    right = reference.kink.nearest(answer, allowed)[0] if reference.kink else reference.gradient
    return bool((balls.magnitudes(balls.exact(answer) - right) <= allowed).all())


def assert_kink(loss: Any, params: Any, right: Any, wrong: Any) -> None:
    reference = certified(loss, np.array(params))
    assert reference.kink is not None
    assert [answer for answer in right if not accepts(reference, answer)] == []
    assert [answer for answer in wrong if accepts(reference, answer)] == []


def ordered(p: Any) -> Any:
    return jnp.sum(jnp.sort(p) * jnp.asarray([1.0, 5.0, 7.0]))


def of_three_lines(p: Any) -> Any:
    """Each choice keeps its bounds, though one can stand for two."""
    return jnp.abs(p[0]) + jnp.abs(p[1]) + jnp.abs(p[0] + p[1])


def weighted_units(p: Any) -> Any:
    """Units at zero choose each for themselves."""
    return jnp.sum(jax.nn.relu(p[:3]) * jnp.asarray([1.0, 2.0, 3.0])) + p[3]


def nested(p: Any) -> Any:
    """Where all are equal: x, or 2y - z, or 2z - y."""
    return jnp.maximum(p[0], jnp.maximum(p[1], p[2]) + jnp.abs(p[1] - p[2]))


S = (-1.0, -1 - ULP, -0.3, 0.0, 1e-17, 1 / 3, 0.99, 1.0, 1 + 2 * ULP)

NEARLY_ONE = (1 - 1e-10, 5e-11, 5e-11)

#: A loss, a point, gradients that are right there, and some that are not.
KINKS: dict[str, tuple[Any, list[float], list[Any], list[Any]]] = {
    "the modulus of a sum": (
        *(lambda p: jnp.abs(p[0] + p[1]), [1.5, -1.5], [(s, s) for s in S]),
        [(1, -1), (0.5, 0.4), (0, 1), (1.001, 1.001), (-1.1, -1.1), (0.3, 0.3 + 1e-13)],
    ),
    "on a slope": (
        *(lambda p: 3.0 * p[0] + 2.0 * jnp.abs(p[0] - 1.0) + p[1] ** 2, [1.0, 5.0]),
        [(1, 10), (5, 10), (3, 10), (4.2, 10)],
        [(0.9, 10), (5.1, 10), (3, 9.9), (-1, 10)],
    ),
    "units at zero": (
        *(weighted_units, [0.0, 0.0, 0.0, 1.0]),
        [(0, 0, 0, 1), (1, 2, 3, 1), (1, 0, 3, 1), (0.3, 2, 1.7, 1)],
        [(2, 0, 0, 1), (0, 0, 3.1, 1), (-0.1, 0, 0, 1), (0, 0, 0, 0), (0, 2.5, 0, 1)],
    ),
    "a hyperplane that decides two ties": (
        lambda p: jax.nn.relu(p[0]) * 2.0 + jax.nn.relu(p[0] * 3.0) + jnp.abs(p[1]),
        *([0.0, 0.0], [(0, 0), (5, 1), (2.5, -0.5)], [(5.5, 0), (-0.1, 0), (2, 1.5)]),
    ),
    "three lines through a point": (
        *(of_three_lines, [0.0, 0.0]),
        [(0, 0), (2, 2), (-2, -2), (0, 2), (-2, 0), (2, 0), (1.9, 1.7), (0.3, -1.2)],
        [(2, -2), (0, 3), (2, -0.1), (2.1, 2), (-2, 1)],
    ),
    "three equal numbers": (
        *(jnp.max, [0.7, 0.7, 0.7]),
        [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1 / 3, 1 / 3, 1 / 3), (0.5, 0.5, 0), NEARLY_ONE],
        [(1, 1, 0), (0, 0, 0), (1, 1, 1), (0.5, 0, 0), (2, -1, 0), (0.5, 0.6, 0)],
    ),
    # Steps into every sector give ±1 in one of the two.
    "the smaller of two moduli": (
        *(lambda p: jnp.minimum(jnp.abs(p[0]), jnp.abs(p[1])), [0.0, 0.0]),
        *([(1, 0), (0, -1), (0, 0), (0.5, 0.5), (-0.25, 0.75), (1 - 1e-10, 0)],),
        [(1, 1), (1, -1), (0.6, 0.6), (0, 1.1)],
    ),
    "nested": (
        *(nested, [1.0, 1.0, 1.0]),
        [(1, 0, 0), (0, 2, -1), (0, -1, 2), (0, 0.5, 0.5), (0.5, 0.5, 0)],
        [(1, 1, 0), (0, 2, 2), (0, 0, 0), (0, 3, -2), (1.5, 0.5, -1)],
    ),
    "what is sorted": (
        *(ordered, [2.0, 2.0, 9.0], [(1, 5, 7), (5, 1, 7), (3, 3, 7)]),
        [(1, 1, 7), (5, 5, 7), (1, 7, 5), (0, 6, 7)],
    ),
    "a median and its halves": (
        *(jnp.median, [2.0, 2.0, 9.0], [(1, 0, 0), (0, 1, 0), (0.5, 0.5, 0)]),
        [(0, 0, 1), (1, 1, 0), (0, 0, 0)],
    ),
    "clipping at its bound": (
        *(lambda p: jnp.sum(jnp.clip(p, -1.0, 1.0) * 4.0), [1.0, -1.0, 0.5]),
        [(0, 0, 4), (4, 4, 4), (2, 1, 4), (4, 0, 4)],
        [(0, 0, 0), (5, 0, 4), (0, -1, 4)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINKS)
def test_which_gradients_are_right(name: str) -> None:
    assert_kink(*KINKS[name])


def test_a_right_gradient_across_one_of_more_hyperplanes_than_parameters_is_found() -> None:
    """Edges of very different sizes depend on each other, and only one λ is not 0."""
    edges = np.array([
        [0.3, -0.2, -0.3, 0.3], [-0.03, -0.03, 0.02, -0.03], [0.02, 0.01, -0.02, 0.01],
        [10.0, 30.0, 10.0, -20.0], [-0.001, 0.002, -0.002, 0.003],
    ])  # fmt: skip
    kink = Kink(balls.exact(np.ones(4)), balls.exact(edges), balls.exact(edges))
    for edge in edges:
        answer = 1 + 0.6374 * edge
        right, _ = kink.nearest(answer, np.full(4, 32 * ULP))
        assert (balls.magnitudes(balls.exact(answer) - right) <= 32 * ULP).all()


def test_choices_at_independent_hyperplanes_may_sum_to_more_than_one() -> None:
    edges = np.array([[0.003, 0.002], [-300.0, -300.0], [-1e5, 2e5]])
    kink = Kink(balls.exact(np.ones(2)), balls.exact(edges), balls.exact(edges))
    answer = np.array([-73.997, -73.998])
    right, _ = kink.nearest(answer, np.full(2, 64 * ULP))
    assert (balls.magnitudes(balls.exact(answer) - right) <= 1e-9).all()


def test_a_mean_that_is_nearly_a_side_is_found_among_dependent_edges() -> None:
    edges = np.array([[2.0, 1.0], [-2.0, 1.0], [-2.0, 2.0]])
    kink = Kink(balls.exact([-2.0, 1.0]), balls.exact(edges), balls.exact(edges), shared=True)
    answer = [-2, 1] + (1 - 1e-7) * edges[0]
    right, _ = kink.nearest(answer, np.full(2, 16 * ULP))
    assert (balls.magnitudes(balls.exact(answer) - right) <= 16 * ULP).all()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda p: jnp.logaddexp(p[0], p[1]) + p[2], (0.5, 0.5, 1)),
        (lambda p: jax.scipy.special.logsumexp(p), (1 / 3, 1 / 3, 1 / 3)),
        (lambda p: jnp.max(p - jnp.max(p)) + jnp.sum(p), (1, 1, 1)),
        (lambda p: jnp.maximum(p[0], p[0]) + jnp.abs(p[1] * 0.0), (1, 0, 0)),
        (lambda p: jnp.abs(p[0] - p[1]) ** 2 + p[2], (0, 0, 1)),
        (lambda p: jax.nn.softplus(p[0] - p[1]) + p[2], (0.5, -0.5, 1)),
        (lambda p: jnp.sum(jnp.sort(p) ** 2) / 1.4, (1, 1, 1)),
        (lambda p: jnp.where(p[0] > p[1], p[0] - p[1], p[0] - p[1]) + p[2], (1, -1, 1)),
    ],
)
def test_ties_inside_that_cancel_are_no_kink(loss: Any, expected: Any) -> None:
    reference = certified(loss, np.full(3, 0.7))
    assert reference.kink is None
    assert balls.midpoints(reference.gradient).tolist() == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "ends"),
    [
        (lambda p: jax.nn.relu(jnp.abs(p[0] - p[1])), [(1, -1), (-1, 1)]),
        (
            lambda p: jax.nn.leaky_relu(jnp.abs(p[0] - p[1]), 0.25) - 0.5 * p[0],
            [(0.5, -1), (-1.5, 1)],
        ),
        (lambda p: jnp.maximum(jnp.minimum(p[0] - p[1], 0.0), p[1] - p[0]), [(0, 0), (-1, 1)]),
    ],
)
def test_a_tie_that_another_turns_around(loss: Any, ends: Any) -> None:
    """The inner tie's two sides are the only ones; the outer tie never goes the other way."""
    one, other = np.array(ends)
    assert_kink(
        loss,
        [0.7, 0.7],
        right=[one, other, (one + other) / 2],
        wrong=[1.5 * one - 0.5 * other, 1.5 * other - 0.5 * one, one + 1],
    )


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        (lambda p: jnp.abs(jnp.abs(p)) ** 2 + p, 1.0),
        (lambda p: jax.nn.relu(jnp.abs(p)) - jnp.abs(p) + p, 1.0),
        (lambda p: jnp.where(jnp.abs(p) >= 0.0, 3.0 * p, 5.0), 3.0),
        (lambda p: jnp.exp(jnp.abs(p)) * jax.scipy.special.i0e(jnp.abs(p)) + p, 1.0),
    ],
)
def test_nested_ties_that_cancel_are_no_kink(loss: Any, slope: float) -> None:
    reference = certified(loss, np.array(0.0))
    assert reference.kink is None
    assert balls.midpoints(reference.gradient).tolist() == [slope]


def test_the_search_ends_when_all_walls_were_crossed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that were seen before have no new walls."""
    runs, slopes = [], evaluate.slopes
    monkeypatch.setattr(evaluate, "slopes", lambda *given: runs.append(0) or slopes(*given))
    reference = certified(jnp.max, np.full(3, 0.7))
    assert reference.kink is not None
    assert len(reference.kink.edges) == 2
    assert len(runs) < IN_VAIN + 16


@pytest.mark.slow
def test_as_many_ties_as_can_be_tried_and_one_more() -> None:
    assert certified(lambda p: jnp.sum(jnp.abs(p)), np.zeros(MOST)).kink
    with pytest.raises(UndecidableKinkError, match=f"more than {MOST} ties"):
        certified(lambda p: jnp.sum(jnp.abs(p)), np.zeros(MOST + 1))


@pytest.mark.slow
def test_too_many_sides_are_given_up() -> None:
    with pytest.raises(UndecidableKinkError, match="gradients meet"):
        certified(lambda p: jnp.max(p), np.zeros(40))
