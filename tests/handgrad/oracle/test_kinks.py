"""Which gradients are right at a kink: those that JAX has a small step away, and their means."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient, exact_gradient
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


@pytest.mark.parametrize(("size", "depth"), [(3, 3), slowly(1, 6), slowly(2, 5), slowly(7, 3)])
def test_every_side_is_right_and_so_is_a_mean_of_two(size: int, depth: int) -> None:
    """At functions of so many parameters, with kinks nested so deep; nothing beyond them is."""
    for seed in range(2):
        loss, at = nested(np.random.default_rng(seed), size, depth), np.zeros(size)
        with jax.enable_x64(True):
            steps = 1e-3 * np.random.default_rng(seed).normal(size=(200, size))
            found = np.unique(jax.jit(jax.vmap(jax.grad(loss)))(steps), axis=0)
        right = [*found[:2], found[-1], *((found[:-1] + found[1:]) / 2)[:2]]
        wrong = [found.max(axis=0) + 0.25, found.min(axis=0) - 0.25]
        for answers, verdict in ((right, "agree"), (wrong, "disagree")):
            for answer in answers:
                report = check_gradient(lambda _, g=answer: g.copy(), loss, at, points=0)
                assert report.verdict == verdict, str(report)
        if len(found) > 1:
            with pytest.raises(ArithmeticError, match="kink"):
                exact_gradient(loss, at)


#: Ties of numbers that are not exact, and a slope on one side alone, if it is the only right one.
INEXACT: list[tuple[Any, list[float], list[float] | None]] = [
    (lambda p: jnp.maximum(p[0] / 3.0, p[1] / 3.0), [0.7, 0.7], None),
    (lambda p: jnp.abs(jnp.sqrt(p[0]) - jnp.sqrt(p[1])), [0.7, 0.7], None),
    (lambda p: jnp.abs(jnp.exp(p[0]) / jnp.exp(p[1]) - 1.0), [0.7, 0.7], None),
    (lambda p: jnp.sort(p / 3.0)[0], [0.7, 0.7], None),
    (lambda p: jnp.max(jax.nn.softmax(p)), [0.7, 0.7], None),
    (lambda p: jnp.sum(jnp.where(p * p == 0, 7.0, p)), [0.0], None),
    (lambda p: jnp.sum(jnp.where(p * p > 0, 5.0 * p, 0.0)), [0.0], [5.0]),
    # The second number is larger by 2^-7000.
    (lambda p: jnp.maximum(p[0], p[1] + jnp.float64(2.0**-500) ** 14), [0.7, 0.7], [0.0, 1.0]),
]


@pytest.mark.parametrize(("loss", "at", "slope"), INEXACT)
def test_ties_of_inexact_numbers_are_never_decided_wrongly(loss: Any, at: Any, slope: Any) -> None:
    """Two thirds that are equal may be certified as a kink or given up."""
    if slope is None:
        with pytest.raises(ArithmeticError):
            exact_gradient(loss, np.array(at))
    else:
        with suppress(ArithmeticError):
            found = exact_gradient(loss, np.array(at))
            assert [float(element.midpoint) for element in found] == slope
