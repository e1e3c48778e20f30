"""Where two gradients disagree, by the bounds of right programs."""

from dataclasses import replace
from functools import cache

import numpy as np

import autodiff.article
import compare.agreement
from compare.agreement import NAMES, Gradient, Verdict, stack
from tests.strategies import Point, drawn_points


def by_autodiff(point: Point) -> np.ndarray:
    """Nine partial derivatives at n points by `jax.grad` under `jit`, shape (9, n)."""
    params = autodiff.article.Parameters(*point.params)
    return stack(autodiff.article.steps(params, point.x, point.y, 0.1).grads)


def verdict_on(gradient: Gradient, point: Point, form: str = "stable") -> Verdict:
    """Compare `gradient`, which computes σ' in that form, with autodiff."""
    with np.errstate(over="ignore", invalid="ignore"):
        by_hand = np.broadcast_arrays(*gradient(*point))
    return compare.agreement.verdict_on(by_hand, by_autodiff(point), *point, form)


def disagreements(gradient: Gradient, form: str = "stable") -> dict[str, int]:
    """At how many of 512 ordinary points each parameter's derivative is caught, where it is.

    The gradient is called twice, on 256 points each, so that one that keeps something from its
    first call is caught as well.
    """
    off = 0
    for seed in (1, 2):
        with np.errstate(over="ignore", invalid="ignore"):
            by_hand = stack(np.broadcast_arrays(*gradient(*drawn_points(256, seed))))
        off = off + np.sum(~replace(_right(seed, form), by_hand=by_hand).agree, axis=1)
    return {name: int(count) for name, count in zip(NAMES, off, strict=True) if count}


@cache
def _right(seed: int, form: str) -> Verdict:
    """At the points of `disagreements`, for all gradients."""
    return verdict_on(compare.agreement.hand_gradient(form), drawn_points(256, seed), form)
