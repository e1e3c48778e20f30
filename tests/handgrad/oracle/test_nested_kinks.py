"""Ties inside ties: whatever is right on some side of a point is right at the point."""

from collections.abc import Callable
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.oracle.reference import Reference, UndecidableError
from tests.handgrad.oracle.problems import certified
from tests.tiers import one_of_each, slowly

pytestmark = pytest.mark.usefixtures("measured_once")

ONE_KINK: list[Callable[[Any], Any]] = [
    jnp.abs,
    jax.nn.relu,
    lambda t: jax.nn.leaky_relu(t, 0.25),
    lambda t: jnp.minimum(t, 0.0),
    lambda t: jax.nn.hard_tanh(t + 1.0),
]
OF_TWO: list[Callable[[Any, Any], Any]] = [jnp.maximum, jnp.minimum, jnp.add, jnp.subtract]


def nested(rng: np.random.Generator, size: int, depth: int) -> Callable[[Any], Any]:
    """A function with all its kinks at 0, one inside another; its slopes are quarters."""
    kind = rng.integers(3) if depth else 0
    if kind == 0:
        weights = rng.integers(-3, 4, size=size).astype(float)
        return lambda p: jnp.dot(weights, p)
    if kind == 1:
        one, inner = ONE_KINK[rng.integers(len(ONE_KINK))], nested(rng, size, depth - 1)
        return lambda p: one(inner(p))
    two = OF_TWO[rng.integers(len(OF_TWO))]
    left, right = nested(rng, size, depth - 1), nested(rng, size, depth - 1)
    return lambda p: two(left(p), right(p))


def sides(loss: Any, size: int, rng: np.random.Generator, directions: int) -> np.ndarray:
    """The gradients that JAX has a small step away: shape (sides, size)."""
    with jax.enable_x64(True):
        steps = 1e-3 * rng.normal(size=(directions, size))
        return np.unique(jax.jit(jax.vmap(jax.grad(loss)))(steps), axis=0)


def off(reference: Reference, answer: np.ndarray) -> float:
    """How far an answer is from a right one, in ulps of its largest element."""
    ulps = np.full(answer.size, np.spacing(max(1.0, np.abs(answer).max())))
    right = reference.kink.nearest(answer, ulps)[0] if reference.kink else reference.gradient
    return float(np.max(np.abs(balls.midpoints(right) - answer) / ulps))


@pytest.mark.parametrize(("sizes", "count"), [([(3, 3)], 3), slowly([(1, 6), (2, 5), (7, 3)], 4)])
def test_every_side_is_right_and_so_is_a_mean_of_two(sizes: Any, count: int) -> None:
    """At functions of so many parameters, with kinks nested so deep."""
    given_up = 0
    for (size, depth), seed in product(sizes, range(count)):
        rng = np.random.default_rng(seed)
        loss = nested(rng, size, depth)
        try:
            reference = certified(loss, np.zeros(size))
        except UndecidableKinkError:
            given_up += 1
            continue
        found = sides(loss, size, rng, directions=200)
        assert (reference.kink is None) == (len(found) == 1)
        if reference.kink and reference.kink.shared and size == 1:
            ends = balls.midpoints(
                np.vstack([reference.kink.vertex, reference.kink.vertex + reference.kink.edges])
            )
            assert np.array_equal(np.unique(ends, axis=0), found)
        for answer in (*found, *(found[:-1] + found[1:]) / 2):
            # Sums of at most 24 numbers of this size.
            assert off(reference, answer) <= 64
    assert given_up == 0


def narrow(p: Any) -> Any:
    """Not 0 between two half-lines a ten-thousandth apart, which no random step would hit."""
    return jax.nn.relu(jnp.minimum(p[0] - 0.9999 * p[1], 1.0001 * p[1] - p[0]))


def test_a_narrow_side_is_found() -> None:
    reference = certified(narrow, np.zeros(2))
    for side in ([0.0, 0.0], [1.0, -0.9999], [-1.0, 1.0001]):
        assert off(reference, np.array(side)) <= 64


def bent(p: Any) -> Any:
    """At x = y relu(|x - y|) has slopes from -1 to 1, as |x - y|: relu never cuts anything off."""
    return jax.nn.relu(jnp.abs(p[0] - p[1])) + jnp.sum(p[2:] ** 2)


def cone(sign: int) -> Any:
    """A cone that one direction or its opposite may both miss."""
    return lambda p: jax.nn.relu(sign * p[0] - jnp.abs(p[1])) + jnp.sum(p[2:] ** 2)


def steep(sign: int) -> Any:
    """The first side and its opposite are flat, and another one is badly conditioned."""

    def loss(p: Any) -> Any:
        side = jnp.minimum(sign * p[0] - p[1], sign * p[0] + p[1])
        return jax.nn.relu(side) * jnp.sin(1e5 * p[2])

    return loss


def smaller(p: Any) -> Any:
    """In NumPy, which JAX cannot trace."""
    return np.minimum(abs(p[0]), abs(p[1])) + 3 * p[0]


def in_two(p: Any) -> Any:
    """z by its two signs, of which 0 has neither: the slope that is had on z = 0 is no side's."""
    z = 2 * jax.nn.relu(p[0]) - p[1]
    return jnp.where(z > 0, z, 0.0) + jnp.where(z < 0, z, 0.0)


Z = np.zeros

#: So many parameters that the gradient program is compared with slopes in random directions.
MANY = np.append([0.0, 0.0], np.full(38, 0.5))


def among_many(*answers: tuple[float, float]) -> list[tuple[float, ...]]:
    return [(*answer, *[1.0] * 38) for answer in answers]


#: The slope of `steep`.
STEEPEST = float(np.sin(1e5 * 0.3))

#: A loss, a point, right gradients there, and wrong ones.
ANSWERS: dict[str, tuple[Any, np.ndarray, list[Any], list[Any]]] = {
    "two conditions at once": (
        lambda p: jnp.where((p[0] > 0) & (-p[2] > 0), jnp.minimum(p[0], -p[2]), 0.0),
        Z(5),
        [(0, 0, 0, 0, 0), (1, 0, 0, 0, 0), (0, 0, -1, 0, 0), (0.5, 0, -0.5, 0, 0)],
        [(1, 0, -1, 0, 0), (0, 0, 1, 0, 0), (0, 0, 0, 1, 0)],
    ),
    "normals below the range of floats": (
        lambda p: 1e300 * jax.nn.relu(jnp.abs(1e-200 * (1e-200 * (p[0] - p[1])))),
        Z(2),
        [(1e-100, -1e-100), (-1e-100, 1e-100), (0, 0)],
        [(1e-100, 1e-100), (2e-100, -2e-100)],
    ),
    "normals above the range of floats": (
        lambda p: 1e-300 * jax.nn.relu(jnp.abs(1e200 * (1e200 * (p[0] - p[1])))),
        Z(2),
        [(1e100, -1e100), (-1e100, 1e100), (0, 0)],
        [(1e100, 1e100), (2e100, -2e100)],
    ),
    "a convention on a hyperplane is no side": (
        *(in_two, Z(2)),
        [(0, -1), (2, -1), (0.5, -1)],
        [(0, 0), (1, -0.5), (2.5, -1)],
    ),
    "parameters in very different units": (
        lambda p: jax.nn.relu(jnp.minimum(p[0] - 1e8 * p[1], p[0] + 1e8 * p[1])),
        Z(2),
        [(0, 0), (1, 1e8), (1, -1e8), (1, 0), (0.5, 1e7)],
        [(0, 1e8), (1.1, 0), (-0.1, 0)],
    ),
    "nearly the same hyperplane": (
        lambda p: jax.nn.relu(p[0] + 1e-13 * p[1]) + jax.nn.relu(p[0] - 1e-13 * p[1]),
        Z(2),
        [(0, 0), (2, 0), (1, 1e-13), (1, -1e-13)],
        [(1, 1.1e-13), (0, 1e-13), (2.1, 0)],
    ),
    "means that are nearly a side": (
        lambda p: jax.nn.relu(jnp.abs(p[0])),
        Z(1),
        [(1,), (-1,), (1 - 1e-7,), (-1 + 1e-9,), (1e-7,)],
        [(1 + 1e-9,), (-1.1,)],
    ),
    "a loss in NumPy": (
        *(smaller, Z(2)),
        [(4, 0), (2, 0), (3, 1), (3, -1), (3, 0.5)],
        [(4, 1), (3, 1.1), (1.9, 0)],
    ),
    "bent, among many": (
        *(bent, MANY),
        among_many((-1, 1), (0, 0), (0.5, -0.5), (1, -1)),
        among_many((-1.001, 1.001), (1.5, -1.5)),
    ),
} | {
    f"{name}, {sign}": answers
    for sign in (1, -1)
    for name, answers in {
        "an element that no side changes": (
            lambda p, sign=sign: sign * jax.nn.relu(sign * p[0]),
            Z(2),
            [(0, 0), (1, 0), (0.5, 0)],
            [(0.5, 10), (1.5, 0)],
        ),
        "a cone among many": (cone(sign), MANY, among_many((0, 0), (sign, -1), (sign, 1)), []),
        "a steep side": (
            *(steep(sign), np.array([0.0, 0.0, 0.3])),
            [(sign * STEEPEST, -STEEPEST, 0), (sign * STEEPEST, STEEPEST, 0), (0, 0, 0)],
            [],
        ),
    }.items()
}

#: For the quick tests.
QUICK = [
    *("a loss in NumPy", "an element that no side changes, 1"),
]


@pytest.mark.parametrize("name", one_of_each(ANSWERS, QUICK))
def test_what_is_right_and_what_is_not(name: str) -> None:
    loss, at, right, wrong = ANSWERS[name]
    referee = "program" if at.size == MANY.size else "auto"

    def verdict(answer: Any) -> str:
        given = np.array(answer, dtype=float)
        return check_gradient(lambda p: given.copy(), loss, at, points=0, referee=referee).verdict

    assert {answer: verdict(answer) for answer in right} == dict.fromkeys(right, "agree")
    assert {answer: verdict(answer) for answer in wrong} == dict.fromkeys(wrong, "disagree")


def test_a_side_without_a_slope_is_undecidable() -> None:
    """√x from the right; whichever side is tried first."""
    for sign in (1, -1):

        def loss(p: Any, sign: int = sign) -> Any:
            x = sign * p[0]
            return jnp.where(x > 0, jnp.sqrt(jax.nn.relu(x)), 0.0) + p[1]

        with pytest.raises((UndecidableError, UndecidableKinkError)):
            certified(loss, np.zeros(2))
