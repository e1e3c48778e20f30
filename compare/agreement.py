"""Compare the article's nine partial derivatives by hand with those by autodiff.

The two agree on a number when each lies within the rounding errors that `compare.bounds` derives
for the point; there is no tolerance to choose. Autodiff differentiates `jax.nn.sigmoid`, whose rule
is σ(1 - σ), so it is checked against the ranges of that form, and the hand lines against those of
the form they use: where σ(1 - σ) loses digits, the stable form must still keep all of them.
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
from compare.certified import enclosed_gradient
from compare.rounding import Range, joined
from compare.verdict import Verdict
from handgrad import ulp_distance
from manual.activations import SIGMOID_DERIVATIVES

NAMES = manual.article.Parameters._fields

#: The form of σ' that autodiff uses: the derivative rule of `jax.nn.sigmoid`.
AUTODIFF_FORM = "article"

#: (params, x, y) -> nine partial derivatives.
Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Partial:
    """One partial derivative by hand and by autodiff, its exact value, and the verdict."""

    name: str  #: the parameter
    by_hand: float
    autodiff: float
    exact: str  #: the exact value, 40 decimal digits
    ulps: float  #: |by_hand - autodiff| / ulp(exact)
    ulps_by_hand: float  #: |by_hand - exact| / ulp(exact)
    ulps_autodiff: float  #: |autodiff - exact| / ulp(exact)
    bound: float  #: how far apart two right answers may lie
    verdict: str  #: `agree` or `disagree`


def hand_gradient(sigmoid_derivative: str = "stable") -> Gradient:
    """Return the hand-written gradient that uses the named form of σ'.

    Raises:
        KeyError: no form of that name; see `manual.activations.SIGMOID_DERIVATIVES`.
    """
    form = SIGMOID_DERIVATIVES[sigmoid_derivative]
    return partial(manual.article.gradient, derivative=form)


def stack(values: Any) -> np.ndarray:
    """Stack nine numbers or arrays of shape (...) into one float64 array of shape (9, ...)."""
    return np.stack([np.asarray(value, dtype=np.float64) for value in values])


def stack_ranges(ranges: Any) -> Range:
    """Stack nine ranges of shape (...) into one of shape (9, ...)."""
    return joined(stack, list(ranges))


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
        params: the point, nine float64 numbers or arrays of shape (...).
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
    """Compute and compare one sample's nine partial derivatives, in the order w1..w6, b1..b3.

    Args:
        params: nine numbers.
        x: the two inputs, shape (2,).
        y: the target.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to compare with autodiff in place of `manual.article.gradient`.

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
    exact = enclosed_gradient(autodiff.article.loss, autodiff.article.Parameters(*params), x, y)
    columns = (verdict.by_hand, verdict.autodiff, exact, verdict.bound, verdict.agree)
    return [
        Partial(
            name=name,
            by_hand=float(a),
            autodiff=float(b),
            exact=reference.midpoint,
            ulps=float(ulp_distance(a, b, float(reference))),
            ulps_by_hand=reference.ulps(float(a)),
            ulps_autodiff=reference.ulps(float(b)),
            bound=float(bound),
            verdict=_word(agree),
        )
        for name, a, b, reference, bound, agree in zip(NAMES, *columns, strict=True)
    ]


def _word(agree: bool) -> str:
    return "agree" if agree else "disagree"
