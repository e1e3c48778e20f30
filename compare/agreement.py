"""Gradient against gradient: the nine partial derivatives by hand and by autodiff.

Two witnesses agree on a number when each answers within what rounding explains. How much that is,
`compare.bounds` derives from the point; there is no tolerance. Autodiff differentiates
`jax.nn.sigmoid`, whose rule is σ(1 - σ), so it is held to the ranges of that form, and the hand
lines to those of the form they use: where σ(1 - σ) has lost its digits, the stable form is still
held to all of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import autodiff.article
import manual.article
from compare.bounds import gradient_ranges
from compare.rounding import Range
from compare.verdict import Verdict
from handgrad import exact_gradient, ulp_distance
from manual.activations import SIGMOID_DERIVATIVES

NAMES = manual.article.Parameters._fields

#: The form of σ' that autodiff uses: the derivative rule of `jax.nn.sigmoid`.
AUTODIFF_FORM = "article"

#: (params, x, y) -> nine partial derivatives: what the two witnesses are asked for.
Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Partial:
    """One partial derivative by both, the exact value, and the verdict."""

    name: str  #: the parameter
    by_hand: float
    autodiff: float
    exact: str  #: its decimal digits, 40 of them
    ulps: float  #: |by_hand - autodiff| / ulp(exact)
    ulps_by_hand: float  #: |by_hand - exact| / ulp(exact)
    ulps_autodiff: float  #: |autodiff - exact| / ulp(exact)
    bound: float  #: how far apart two right answers may lie
    verdict: str  #: `agree` or `disagree`


def hand_gradient(sigmoid_derivative: str = "stable") -> Gradient:
    """The hand-written gradient with σ' in the form of that name.

    Raises:
        KeyError: no form of that name; see `manual.activations.SIGMOID_DERIVATIVES`.
    """
    form = SIGMOID_DERIVATIVES[sigmoid_derivative]
    return partial(manual.article.gradient, derivative=form)


def stack(values: Any) -> np.ndarray:
    """Nine numbers or arrays of shape (...) as one float64 array of shape (9, ...)."""
    return np.stack([np.asarray(value, dtype=np.float64) for value in values])


def stack_ranges(ranges: Any) -> Range:
    """Nine ranges of shape (...) as one of shape (9, ...)."""
    return Range(stack(r.lo for r in ranges), stack(r.hi for r in ranges))


def verdict_on(
    by_hand: Any,
    by_autodiff: Any,
    params: Any,
    x: ArrayLike,
    y: ArrayLike,
    sigmoid_derivative: str = "stable",
) -> Verdict:
    """Judge two gradients at a point, or at many points at once.

    Args:
        by_hand, by_autodiff: nine numbers each, or arrays of shape (...).
        params: where they were taken, nine float64 numbers or arrays of shape (...).
        x, y: inputs of shape (..., 2) and targets of shape (...), float64.
        sigmoid_derivative: the form of σ' that `by_hand` was computed with.

    Returns:
        A `Verdict` on arrays of shape (9, ...).
    """
    return Verdict(
        by_hand=stack(by_hand),
        autodiff=stack(by_autodiff),
        hand_range=stack_ranges(gradient_ranges(params, x, y, sigmoid_derivative)),
        autodiff_range=stack_ranges(gradient_ranges(params, x, y, AUTODIFF_FORM)),
    )


def compare_gradients(
    params: Any,
    x: ArrayLike,
    y: ArrayLike,
    sigmoid_derivative: str = "stable",
    by_hand: Gradient | None = None,
) -> list[Partial]:
    """The nine partial derivatives of one sample's loss by both, in the order w1..w6, b1..b3.

    Args:
        params: nine numbers.
        x: the two inputs, shape (2,).
        y: the target.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to hold against autodiff in place of `manual.article.gradient`.

    Example:
        >>> import manual.article
        >>> alice = compare_gradients(manual.article.ones_parameters(), [-2, -1], 1)
        >>> print(alice[0].name, f"{alice[0].by_hand:.12f}", alice[0].verdict)
        w1 0.021469535266 agree
    """
    params, x, y = (
        stack(params),
        np.asarray(x, dtype=np.float64),
        np.asarray(y, dtype=np.float64)[()],
    )
    by_hand = hand_gradient(sigmoid_derivative) if by_hand is None else by_hand
    verdict = verdict_on(
        by_hand(manual.article.Parameters(*params), x, y),
        autodiff.article.gradient(autodiff.article.Parameters(*params), x, y),
        params,
        x,
        y,
        sigmoid_derivative,
    )
    exact = exact_gradient(autodiff.article.loss, autodiff.article.Parameters(*params), x, y)
    columns = (verdict.by_hand, verdict.autodiff, exact, verdict.bound, verdict.agree)
    return [
        Partial(
            name=name,
            by_hand=float(a),
            autodiff=float(b),
            exact=truth.midpoint,
            ulps=float(ulp_distance(a, b, float(truth))),
            ulps_by_hand=truth.ulps(float(a)),
            ulps_autodiff=truth.ulps(float(b)),
            bound=float(bound),
            verdict=_word(agree),
        )
        for name, a, b, truth, bound, agree in zip(NAMES, *columns, strict=True)
    ]


def _word(agree: bool) -> str:
    return "agree" if agree else "disagree"
