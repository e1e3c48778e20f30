"""Ties inside ties: whatever is right on some side of a point is right at the point."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.referee import balls
from handgrad.referee.kinks import UndecidableKinkError
from handgrad.referee.truth import Truth
from handgrad.report import GradientReport
from tests.handgrad.referee.problems import certified
from tests.tiers import slowly

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


def off(truth: Truth, answer: np.ndarray) -> float:
    """How far an answer is from a right one, in ulps of its largest element."""
    ulps = np.full(answer.size, np.spacing(max(1.0, np.abs(answer).max())))
    right = truth.kink.nearest(answer, ulps)[0] if truth.kink else truth.gradient
    return float(np.max(np.abs(balls.midpoints(right) - answer) / ulps))


@pytest.mark.parametrize(
    ("size", "depth", "count"),
    [
        (1, 4, 8),
        (3, 3, 8),
        slowly(1, 6, 100),
        slowly(2, 5, 150),
        slowly(3, 4, 150),
        slowly(7, 3, 150),
    ],
)
def test_every_side_is_right_and_so_is_a_mean_of_two(size: int, depth: int, count: int) -> None:
    given_up = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        loss = nested(rng, size, depth)
        try:
            truth = certified(loss, np.zeros(size))
        except UndecidableKinkError:
            given_up += 1
            continue
        found = sides(loss, size, rng, directions=200)
        assert (truth.kink is None) == (len(found) == 1)
        for answer in (*found, *(found[:-1] + found[1:]) / 2):
            # Sums of at most 24 numbers of this size.
            assert off(truth, answer) <= 64
    assert given_up <= count / 50


def narrow(p: Any) -> Any:
    """Not 0 between two half-lines a ten-thousandth apart, which no random step would hit."""
    return jax.nn.relu(jnp.minimum(p[0] - 0.9999 * p[1], 1.0001 * p[1] - p[0]))


def test_a_narrow_side_is_found() -> None:
    truth = certified(narrow, np.zeros(2))
    for side in ([0.0, 0.0], [1.0, -0.9999], [-1.0, 1.0001]):
        assert off(truth, np.array(side)) <= 64


def bent(p: Any) -> Any:
    """The slopes of relu(|x - y|) are between -1 and 1, though each of its kinks is one of relu."""
    return jax.nn.relu(jnp.abs(p[0] - p[1])) + jnp.sum(p**2)


@pytest.mark.parametrize("referee", ["auto", "program"])
def test_what_lies_outside_of_all_sides_is_wrong(referee: str) -> None:
    def ruling(slope: float) -> GradientReport:
        along = np.append([slope, -slope], np.zeros(38))
        return check_gradient(
            lambda p: 2 * p + along, bent, np.full(40, 0.5), points=0, referee=referee
        )

    assert {ruling(slope).verdict for slope in (-1.0, 0.0, 0.5, 1.0)} == {"agree"}
    assert {(ruling(slope).verdict, ruling(slope).blame) for slope in (-1.001, 1.5)} == {
        ("disagree", "yours")
    }


def smaller(p: Any) -> Any:
    """In NumPy, which JAX cannot trace."""
    return np.minimum(abs(p[0]), abs(p[1])) + 3 * p[0]


def test_the_sides_of_a_loss_in_numpy() -> None:
    def verdict(*answer: float) -> str:
        return check_gradient(lambda p: np.array(answer), smaller, np.zeros(2), points=0).verdict

    right = [(4.0, 0.0), (2.0, 0.0), (3.0, 1.0), (3.0, -1.0), (3.0, 0.5)]
    assert {verdict(*answer) for answer in right} == {"agree"}
    assert {verdict(*answer) for answer in [(4.0, 1.0), (3.0, 1.1), (1.9, 0.0)]} == {"disagree"}
