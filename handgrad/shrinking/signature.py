"""How a mistake looks at the point where it was found, so that it is known when seen again."""

from dataclasses import dataclass

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.judging.outcome import Outcome
from handgrad.judging.ruling import RIGHT, ROUNDED, WRONG, Witness

#: Of a leaf's largest element, what is plainly more than rounding in either format: a thousand
#: ulps of float32 are 1e-4 of it.
PLAIN = 1e-3

#: A mistake that is smaller where it was found may be so many times smaller elsewhere. Whether it
#: is one is the judge's to say; this only spares asking.
SMALLER = 8.0

NUMBERS, NOT_FINITE, LOSS = "numbers", "non-finite", "loss-value"


@dataclass(frozen=True)
class Signature:
    """How a mistake looked where it was found."""

    kind: str  #: NUMBERS, NOT_FINITE, LOSS, or what was wrong with the form
    least: float  #: of what is wrong, relative to the largest element of a leaf
    autodiff: int  #: how autodiff fared: RIGHT with half of its digits, too
    kink: bool  #: whether the loss has a kink there
    leaves: frozenset[int] = frozenset()  #: which leaves have wrong numbers
    neither_zero: bool = False  #: whether there is a wrong element with neither number 0

    @property
    def of_form(self) -> bool:
        """Whether the form of the answer was wrong, and no number was compared."""
        return self.kind not in (NUMBERS, NOT_FINITE, LOSS)


def signature(outcome: Outcome) -> Signature | None:
    """How the mistake at a point looks; None if there is none."""
    if outcome.findings:
        return Signature(outcome.findings[0].kind, 0.0, RIGHT, False)
    ruling = outcome.ruling
    if ruling is None or not outcome.wrong:
        return None
    theirs, kink = _fared(ruling.autodiff, ruling.given), ruling.reference.kink is not None
    wrong = (ruling.yours.level == WRONG) & np.isfinite(ruling.yours.answer)
    if wrong.any():
        yours, exact = ruling.yours.answer, balls.midpoints(ruling.yours.reference)
        gap = np.where(wrong, ruling.yours.gap, 0.0)
        found = [relative(gap[p], yours[p], exact[p]) for p in ruling.given.parts()]
        leaves = frozenset(i for i, part in enumerate(found) if part > 0)
        least = min(PLAIN, max(found) / SMALLER)
        # Where autodiff makes the same mistake it does not show it.
        same = np.abs(yours - ruling.autodiff.answer) < gap / 2
        least = 0.0 if (same & wrong).any() else least
        return Signature(NUMBERS, least, theirs, kink, leaves, neither_zero(gap, yours, exact))
    if ruling.yours.worst == WRONG:
        return Signature(NOT_FINITE, 0.0, theirs, kink)
    return Signature(LOSS, 0.0, theirs, kink)


def _fared(autodiff: Witness, given: Point) -> int:
    """The level of its worst element, where one that has half of its digits left is right.

    A right gradient that loses twice as many there is right still.
    """
    formats = [np.full(leaf.size, np.finfo(leaf.dtype).eps) for leaf in given.leaves]
    half = autodiff.gap <= np.sqrt(np.concatenate(formats)) * autodiff.size
    level = np.where(half & (autodiff.level == ROUNDED), RIGHT, autodiff.level)
    return int(np.max(level, initial=RIGHT))


def neither_zero(gap: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays plainly differ, by these gaps, in an element that is 0 in neither."""
    plainly = gap > PLAIN * np.max(gap, initial=0.0)
    smaller = np.minimum(np.abs(one), np.abs(other))
    return bool((plainly & (smaller > PLAIN * gap)).any())


def relative(gap: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """The largest gap between two arrays, relative to the largest number in either."""
    largest = float(np.max(np.maximum(np.abs(one), np.abs(other)), initial=0.0))
    return float(np.max(gap, initial=0.0)) / largest if largest > 0 else 0.0
