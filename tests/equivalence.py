"""The one question that the equivalence tests ask: where do two gradients disagree?"""

from typing import Any

import numpy as np

import autodiff.article
import compare.agreement
from compare.agreement import NAMES, Gradient, Verdict, stack
from tests.strategies import Point, drawn_points


def by_autodiff(point: Point) -> np.ndarray:
    """Nine partial derivatives by `jax.grad` under `jit`, shape (9,) or (9, n)."""
    params = autodiff.article.Parameters(*point.params)
    if np.ndim(point.y):
        return stack(autodiff.article.steps(params, point.x, point.y, 0.1).grads)
    return stack(autodiff.article.gradient(params, point.x, point.y))


def verdict_on(gradient: Gradient, point: Point, form: str = "stable") -> Verdict:
    """`gradient` held against autodiff; it is said to compute σ' in that form."""
    with np.errstate(over="ignore", invalid="ignore"):
        by_hand = np.broadcast_arrays(*gradient(*point))
    return compare.agreement.verdict_on(by_hand, by_autodiff(point), *point, form)


def disagreements(gradient: Gradient, form: str = "stable") -> dict[str, int]:
    """At how many of 512 ordinary points each parameter's derivative is caught, where it is.

    The gradient is called twice, on 256 points each, so that one that keeps something from its
    first call is caught as well.
    """
    calls = [verdict_on(gradient, drawn_points(256, seed), form) for seed in (1, 2)]
    counts: Any = np.sum([~verdict.agree for verdict in calls], axis=(0, 2)).tolist()
    return {name: count for name, count in zip(NAMES, counts, strict=True) if count}
