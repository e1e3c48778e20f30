"""Compare the article's nine partial derivatives by hand with those by autodiff.

The two agree on a number when each lies within the rounding errors of the third program
(`compare.reference`); there is no tolerance to choose. Autodiff differentiates `jax.nn.sigmoid`,
whose rule is σ(1 - σ), so it is allowed what that form loses, and the hand lines what the form
loses that they use: where σ(1 - σ) loses digits, the stable form must still keep all of them.

These bounds screen. They are of first order, so a gradient that is not within them, or has none
because it lies at a decision that rounding may turn, is ruled on by `handgrad.check_gradient`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import autodiff.article
import manual.article
from compare.certified import enclosed_gradient
from compare.reference import CANCELLING, STABLE, article_gradient
from compare.wording import BY_AUTODIFF, BY_HAND
from handgrad import check_gradient, ulp_distance
from handgrad.tolerance.rounding import Bounded
from manual.activations import SIGMOID_DERIVATIVES

NAMES = manual.article.Parameters._fields

#: The reference's forms of the gradient by hand, by its form of σ'.
FORMS = {"stable": STABLE, "article": CANCELLING}

#: (params, x, y) -> nine partial derivatives.
Gradient = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class Verdict:
    """The comparison of two arrays of one shape, each with the bounds of its side.

    NaN and infinity lie within no bounds, and no number within bounds that are not finite.
    """

    by_hand: np.ndarray
    autodiff: np.ndarray
    bounds: Mapping[str, Bounded]  #: by side

    def right(self, side: str) -> np.ndarray:
        """Whether the result of a side lies within its bounds, element by element."""
        return self.bounds[side].contains(getattr(self, side))

    @property
    def agree(self) -> np.ndarray:
        """Whether the two agree, element by element."""
        return self.right(BY_HAND) & self.right(BY_AUTODIFF)

    @property
    def bound(self) -> np.ndarray:
        """How far apart two right answers may lie."""
        return self.bounds[BY_HAND].error + self.bounds[BY_AUTODIFF].error

    def gap(self, at: Any) -> dict[str, Any]:
        """Describe the element at that index, where the two disagree, as a `Divergence` does."""
        wrong = [side for side in self.bounds if not self.right(side)[at]]
        by_hand, autodiff = self.by_hand[at], self.autodiff[at]
        return {
            "off": "both" if len(wrong) > 1 else wrong[0],
            "by_hand": float(by_hand),
            "autodiff": float(autodiff),
            "bound": float(self.bound[at]),
            "ulps": float(ulp_distance(by_hand, autodiff)),
        }


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


def stacked(bounds: Any) -> Bounded:
    """Stack nine `Bounded` of shape (...) into one of shape (9, ...)."""
    return Bounded(*map(stack, zip(*bounds, strict=True)))


def verdict_on(
    by_hand: Any,
    by_autodiff: Any,
    params: Any,
    x: ArrayLike,
    y: ArrayLike,
    sigmoid_derivative: str = "stable",
) -> Verdict:
    """Screen two gradients at a point, or at many points at once.

    Args:
        by_hand, by_autodiff: nine numbers each, or arrays of shape (...).
        params: the point, nine float64 numbers or arrays of shape (...).
        x, y: inputs of shape (..., 2) and targets of shape (...), float64.
        sigmoid_derivative: the form of σ' that `by_hand` was computed with.

    Returns:
        A `Verdict` on arrays of shape (9, ...).
    """
    bounds = article_gradient(params, x, y)
    return Verdict(
        by_hand=stack(by_hand),
        autodiff=stack(by_autodiff),
        bounds={
            BY_HAND: stacked(bounds[FORMS[sigmoid_derivative]]),
            BY_AUTODIFF: stacked(bounds[CANCELLING]),
        },
    )


def ruling(gradient: Gradient, form: str, loss: Any, *at: Any) -> str:
    """Ask the judge whether a gradient is right at a point, which its bounds do not say.

    Returns:
        `agree`, `disagree` or `undecidable`. Lost digits agree in a form that loses them.
    """
    with np.errstate(all="ignore"):
        report = check_gradient(gradient, loss, *at, points=0)
    if report.verdict == "imprecise":
        return "agree" if form == CANCELLING else "disagree"
    return report.verdict


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
    params, x = stack(params), np.asarray(x, dtype=np.float64)
    y, loss = np.asarray(y, dtype=np.float64)[()], autodiff.article.loss
    gradients = {
        BY_HAND: by_hand or hand_gradient(sigmoid_derivative),
        BY_AUTODIFF: autodiff.article.gradient,
    }
    points = manual.article.Parameters(*params), autodiff.article.Parameters(*params)
    hand, auto = (of(at, x, y) for of, at in zip(gradients.values(), points, strict=True))
    verdict = verdict_on(hand, auto, params, x, y, sigmoid_derivative)
    agree, forms = np.ones(len(NAMES), bool), (FORMS[sigmoid_derivative], CANCELLING)
    for (side, of), at, form in zip(gradients.items(), points, forms, strict=True):
        # What the bounds do not say the judge says, of all nine at once.
        if not (right := verdict.right(side)).all() and ruling(of, form, loss, at, x, y) != "agree":
            agree &= right
    exact = enclosed_gradient(loss, points[1], x, y)
    columns = (verdict.by_hand, verdict.autodiff, exact, verdict.bound, agree)
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
            verdict="agree" if agreed else "disagree",
        )
        for name, a, b, reference, bound, agreed in zip(NAMES, *columns, strict=True)
    ]
