"""The verdict on two arrays: whether each lies within the ranges that rounding allows."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from compare.rounding import Range
from handgrad import ulp_distance

#: The names of the two sides in results and files.
BY_HAND, BY_AUTODIFF = "by_hand", "autodiff"


class Gap(NamedTuple):
    """One element at which a side is off by more than rounding explains."""

    off: str  #: the side outside its range: `by_hand`, `autodiff` or `both`
    by_hand: float
    autodiff: float
    bound: float  #: how far apart two right answers may lie
    ulps: float


@dataclass(frozen=True)
class Verdict:
    """The comparison of two arrays of one shape.

    Each side has the range that a right program of its formulas must lie in. NaN and infinity lie
    in no range, and no number lies in a range that is not finite, as it proves nothing.
    """

    by_hand: np.ndarray
    autodiff: np.ndarray
    hand_range: Range
    autodiff_range: Range

    @property
    def hand_is_right(self) -> np.ndarray:
        """Whether the result by hand lies in its range, element by element."""
        return self.hand_range.contains(self.by_hand)

    @property
    def autodiff_is_right(self) -> np.ndarray:
        """Whether the result by autodiff lies in its range, element by element."""
        return self.autodiff_range.contains(self.autodiff)

    @property
    def agree(self) -> np.ndarray:
        """Whether the two agree, element by element."""
        return self.hand_is_right & self.autodiff_is_right

    @property
    def ulps(self) -> np.ndarray:
        """Their distance in units in the last place."""
        return ulp_distance(self.by_hand, self.autodiff)

    @property
    def bound(self) -> np.ndarray:
        """How far apart two right answers may lie: the width of both ranges together."""
        highest = np.maximum(self.hand_range.hi, self.autodiff_range.hi)
        with np.errstate(invalid="ignore"):
            return highest - np.minimum(self.hand_range.lo, self.autodiff_range.lo)

    def gap(self, at: Any) -> Gap:
        """Describe the element at that index, where the two disagree."""
        right = self.hand_is_right[at], self.autodiff_is_right[at]
        off = BY_AUTODIFF if right[0] else BY_HAND if right[1] else "both"
        numbers = (self.by_hand, self.autodiff, self.bound, self.ulps)
        return Gap(off, *(float(number[at]) for number in numbers))
