"""The signature of a mistake at a point, to recognise the mistake at other points."""

from dataclasses import dataclass

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import RIGHT, ROUNDED, WRONG
from handgrad.data import formats
from handgrad.data.point import Point
from handgrad.judging.outcome import Outcome
from handgrad.judging.witness import Witness

#: A gap that is plainly more than rounding in either dtype, relative to a leaf's largest element: a
#: thousand ulps of float32 are 1e-4.
PLAIN = 1e-3

#: How many times smaller the mistake may be elsewhere, if it is smaller than that where it was
#: found. This only saves judging, which decides.
SMALLER = 8.0

NUMBERS, NOT_FINITE, LOSS = "numbers", "non-finite", "loss-value"


@dataclass(frozen=True)
class Signature:
    """The appearance of a mistake at the point where it was found."""

    kind: str  #: NUMBERS, NOT_FINITE, LOSS, or the kind of a finding on the form
    least: float  #: the smallest gap to look for, relative to the largest element of a leaf
    autodiff: int  #: the level of autodiff; RIGHT also if half of its digits are right
    kink: bool  #: whether the loss has a kink there
    leaves: frozenset[int] = frozenset()  #: the numbers of the leaves with wrong numbers
    neither_zero: bool = False  #: whether some wrong element is 0 neither in yours nor exactly

    @property
    def of_form(self) -> bool:
        """Whether the form of the gradient was wrong, and no number was compared."""
        return self.kind not in (NUMBERS, NOT_FINITE, LOSS)


def signature(outcome: Outcome) -> Signature | None:
    """Return the signature of the mistake at a point; None if there is no mistake."""
    if outcome.findings:
        return Signature(outcome.findings[0].kind, 0.0, RIGHT, False)
    ruling = outcome.ruling
    if ruling is None or not outcome.wrong:
        return None
    theirs, kink = _level(ruling.autodiff, ruling.given), ruling.reference.kink is not None
    wrong = (ruling.yours.level == WRONG) & np.isfinite(ruling.yours.answer)
    if wrong.any():
        yours, exact = ruling.yours.answer, balls.midpoints(ruling.yours.reference)
        gap = np.where(wrong, ruling.yours.gap, 0.0)
        found = [relative(gap[p], yours[p], exact[p]) for p in ruling.given.parts()]
        leaves = frozenset(i for i, part in enumerate(found) if part > 0)
        least = min(PLAIN, max(found) / SMALLER)
        # If autodiff makes the same mistake, comparing with it does not show the mistake.
        same = np.abs(yours - ruling.autodiff.answer) < gap / 2
        least = 0.0 if (same & wrong).any() else least
        return Signature(NUMBERS, least, theirs, kink, leaves, neither_zero(gap, yours, exact))
    if ruling.yours.worst == WRONG:
        return Signature(NOT_FINITE, 0.0, theirs, kink)
    return Signature(LOSS, 0.0, theirs, kink)


def _level(autodiff: Witness, given: Point) -> int:
    """Return the level of autodiff's worst element, where half of the digits count as right.

    A right gradient that loses twice as many digits is then still right.
    """
    half = autodiff.gap <= np.sqrt(formats.of_elements(given.leaves, "eps")) * autodiff.size
    level = np.where(half & (autodiff.level == ROUNDED), RIGHT, autodiff.level)
    return int(np.max(level, initial=RIGHT))


def neither_zero(gap: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two arrays plainly differ, by these gaps, in an element that is 0 in neither."""
    plainly = gap > PLAIN * np.max(gap, initial=0.0)
    smaller = np.minimum(np.abs(one), np.abs(other))
    return bool((plainly & (smaller > PLAIN * gap)).any())


def relative(gap: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest gap between two arrays, relative to the largest number in either."""
    largest = float(np.max(np.maximum(np.abs(one), np.abs(other)), initial=0.0))
    return float(np.max(gap, initial=0.0)) / largest if largest > 0 else 0.0
