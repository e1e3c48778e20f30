"""Gradient against gradient: the nine partial derivatives by hand and by autodiff.

Two witnesses agree on a number when they differ by no more than rounding explains. How much that
is, `compare.rounding` derives from the hand-written lines and the point; there is no tolerance.
Autodiff differentiates `jax.nn.sigmoid`, whose rule is σ(1 - σ), so its share of the bound is that
of the article's form of σ', whichever form the hand lines use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import autodiff.article
import manual.article
from compare.rounding import exactly
from handgrad import ulp_distance
from manual.activations import SIGMOID_DERIVATIVES

NAMES = manual.article.Parameters._fields

#: (params, x, y) -> nine partial derivatives: what the two witnesses are asked for.
Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Verdict:
    """What the comparison of two numbers, or of two arrays of one shape, came to.

    A NaN or infinity on either side never agrees, and neither does anything under a bound that is
    not finite: such a bound proves nothing.
    """

    by_hand: np.ndarray
    autodiff: np.ndarray
    bound: np.ndarray  #: the largest difference that rounding explains

    @property
    def agree(self) -> np.ndarray:
        """Whether the two agree, element by element."""
        with np.errstate(invalid="ignore"):
            return np.isfinite(self.bound) & (np.abs(self.by_hand - self.autodiff) <= self.bound)

    @property
    def ulps(self) -> np.ndarray:
        """Their distance in units in the last place."""
        return ulp_distance(self.by_hand, self.autodiff)


@dataclass(frozen=True)
class Partial:
    """One partial derivative by both, and the verdict: `agree` or `disagree`."""

    name: str  #: the parameter
    by_hand: float
    autodiff: float
    ulps: float
    bound: float
    verdict: str


def hand_gradient(sigmoid_derivative: str = "stable") -> Gradient:
    """The hand-written gradient with σ' in the form of that name.

    Raises:
        KeyError: no form of that name; see `manual.activations.SIGMOID_DERIVATIVES`.
    """
    form = SIGMOID_DERIVATIVES[sigmoid_derivative]
    return partial(manual.article.gradient, sigmoid_derivative=form)


def ranges(
    params: Any, x: ArrayLike, y: ArrayLike, sigmoid_derivative: str
) -> manual.article.Parameters:
    """The nine ranges in which every right program of these formulas answers.

    Args:
        params: nine float64 numbers or arrays of shape (...).
        x, y: inputs of shape (..., 2) and targets of shape (...), float64.
        sigmoid_derivative: the form of σ' that the program uses.
    """
    lines = hand_gradient(sigmoid_derivative)
    params = manual.article.Parameters(*(exactly(np.asarray(w)) for w in params))
    return lines(params, exactly(np.asarray(x)), exactly(np.asarray(y)))


def pair_of_ranges(
    params: Any, x: ArrayLike, y: ArrayLike, sigmoid_derivative: str
) -> tuple[manual.article.Parameters, manual.article.Parameters]:
    """`ranges` of the hand-written lines with their form of σ', and of autodiff with its own."""
    return ranges(params, x, y, sigmoid_derivative), ranges(params, x, y, "article")


def stack(values: Any) -> np.ndarray:
    """Nine numbers or arrays of shape (...) as one float64 array of shape (9, ...)."""
    return np.stack([np.asarray(value, dtype=np.float64) for value in values])


def hull_widths(one: Any, other: Any) -> np.ndarray:
    """The bound for each of nine pairs of ranges, shape (9, ...)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return stack(a.hull(b).width for a, b in zip(one, other, strict=True))


def gradient_bound(
    params: Any, x: ArrayLike, y: ArrayLike, sigmoid_derivative: str = "stable"
) -> np.ndarray:
    """How far apart the two gradients may lie, shape (9, ...). Arguments as for `ranges`."""
    by_hand, by_autodiff = pair_of_ranges(params, x, y, sigmoid_derivative)
    return hull_widths(by_hand, by_autodiff)


def compare_gradients(
    params: Any,
    x: ArrayLike,
    y: ArrayLike,
    sigmoid_derivative: str = "stable",
    by_hand: Gradient | None = None,
) -> list[Partial]:
    """The nine partial derivatives of one sample's loss by both, in the order w1..w6, b1..b3.

    Args:
        params: nine float64 numbers.
        x: the two inputs, shape (2,).
        y: the target.
        sigmoid_derivative: the form of σ' that the hand lines use, `stable` or `article`.
        by_hand: a gradient to hold against autodiff in place of `manual.article.gradient`.

    Example:
        >>> import numpy as np, manual.article
        >>> start = manual.article.ones_parameters()
        >>> alice = compare_gradients(start, np.array([-2.0, -1.0]), 1.0)
        >>> print(alice[0].name, f"{alice[0].by_hand:.12f}", alice[0].verdict)
        w1 0.021469535266 agree
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    by_hand = hand_gradient(sigmoid_derivative) if by_hand is None else by_hand
    verdict = Verdict(
        by_hand=stack(by_hand(manual.article.Parameters(*params), x, y)),
        autodiff=stack(autodiff.article.gradient(autodiff.article.Parameters(*params), x, y)),
        bound=gradient_bound(params, x, y, sigmoid_derivative),
    )
    columns = (verdict.by_hand, verdict.autodiff, verdict.ulps, verdict.bound, verdict.agree)
    return [
        Partial(name, float(a), float(b), float(ulps), float(bound), _word(agree))
        for name, a, b, ulps, bound, agree in zip(NAMES, *columns, strict=True)
    ]


def _word(agree: bool) -> str:
    return "agree" if agree else "disagree"
