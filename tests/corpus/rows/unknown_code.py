"""Answers by code that runs in floats alone: what it may lose is no evidence of a mistake."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import expm_frechet

from handgrad import check_gradient
from tests.corpus.case import Row, cases

C = np.array([[0.3, -1.2, 0.7], [0.9, 0.4, -0.5], [-0.8, 0.6, 1.1]])


def loss(a: Any) -> Any:
    return jnp.sum(C * jax.scipy.linalg.expm(a))


def by_scipy(factor: float) -> Callable[[Any], Any]:
    """By SciPy's `expm`, which loses more than conditioning explains."""
    return lambda a: factor * np.asarray(expm_frechet(a.T, C, compute_expm=False))


def in_a_loop(x: Any) -> Any:
    """A loss that JAX cannot trace; at 691 its term is so small that floats have fewer digits."""
    terms = np.empty_like(x)
    for i, v in enumerate(x):
        terms[i] = v * np.exp(-v)
    return np.sum(terms)


def along(v: float, by: float) -> Any:
    """Return the slope of exp at v times a number, by code that cannot be rerun."""
    return np.asarray(expm_frechet(np.full((1, 1), v), np.full((1, 1), by), compute_expm=False))[
        0, 0
    ]


def slopes(factor: float) -> Callable[[Any], Any]:
    return lambda x: np.array([factor * (1 - v) * along(-v, 1.0) for v in map(float, x)])


def lost_beside(factor: float) -> Callable[[Any], Any]:
    """Lose digits of the first element; have the second by a factor."""
    return lambda x: 2 * np.array([along(0.0, x[0]) + 1e10 - 1e10, factor * along(0.0, x[1])])


def thrice(x: Any) -> Any:
    return 1.5 * jnp.sum(x**2)


def lost_but_one(x: Any) -> Any:
    """Lose digits of all elements but the first, which is off by more, as rounded."""
    return np.array([3 * along(0.0, x[0]), *(3 * along(0.0, v) + 1e5 - 1e5 for v in x[1:])])


OTHERS = np.array([1e20, *np.linspace(0.3, 1.2, 8)])


def sigmoids(z: Any) -> Any:
    return jnp.sum(1 / (1 + jnp.exp(-z)))


def of_sigmoid(factor: Any) -> Callable[[Any], Any]:
    """By the slope of exp, times factors."""

    def one(v: float) -> Any:
        e = along(-v, 1.0)
        return e / (1 + e) ** 2

    return lambda z: factor * np.array([one(v) for v in map(float, z)])


def hinge(x: Any) -> Any:
    return jnp.maximum(jnp.sum(x) - 1.0, 0.0)


def of_hinge(factor: float) -> Callable[[Any], Any]:
    """Where floats do not tell that the sum is above 1: 0."""
    return lambda x: np.full(2, factor) * (along(0.0, float(np.sum(x))) > 1)


JUST_ABOVE = np.array([1.0, 1e-17])
UNTOLD = "which of the two cannot be told, since it cannot be rerun"
FAR, SIZES = np.array([691.0, 1.3, 0.4]), np.array([0.7, 1.3e-3])

CASES = [
    *cases("SciPy's exponential of a matrix", check_gradient, loss, 2 * C, points=0)(
        Row(
            "off by 1e-11",
            by_scipy(1 + 1e-11),
            UNTOLD,
            verdict="undecidable",
        ),
        Row("off by 5e-13", by_scipy(1 + 5e-13), verdict="undecidable"),
        Row("off by 1e-8", by_scipy(1 + 1e-8), verdict="disagree"),
        Row("twice", by_scipy(2)),
    ),
    *cases("lines that can be rerun", check_gradient, lambda a: jnp.sum(a**2), C, points=0)(
        Row("off by 1e-12", lambda a: 2 * a * (1 + 1e-12), verdict="disagree"),
    ),
    *cases("beside a number of few digits", check_gradient, in_a_loop, FAR, points=0)(
        Row("right", slopes(1.0)),
        Row("off by 1e-6", slopes(1 + 1e-6), verdict="disagree"),
    ),
    *cases("digits lost beside", check_gradient, lambda x: jnp.sum(x**2), SIZES, points=0)(
        Row("right", lost_beside(1.0), UNTOLD, verdict="undecidable"),
        Row("off by 1e-5", lost_beside(1 + 1e-5), verdict="disagree"),
    ),
    *cases("digits lost beside a large one", check_gradient, thrice, OTHERS, points=0)(
        Row("right", lost_but_one, UNTOLD, verdict="undecidable"),
    ),
    *cases("where it is saturated", check_gradient, sigmoids, np.array([40.0, 1.0]), points=0)(
        Row("right", of_sigmoid(1.0)),
        Row("twice", of_sigmoid(np.array([2.0, 1.0])), verdict="disagree"),
    ),
    *cases("a sum that rounds to 1", check_gradient, hinge, JUST_ABOVE, points=0)(
        Row("right", np.ones_like, verdict="agree", blame="autodiff"),
        Row(
            "as of the sum", of_hinge(1.0), "rounding may turn a comparison", verdict="undecidable"
        ),
        Row("a hundred times", lambda x: 100 * np.ones_like(x), verdict="disagree"),
    ),
]
