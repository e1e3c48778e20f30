"""One gradient at a point, compared with the reference and judged."""

from dataclasses import dataclass

import numpy as np

from handgrad.arithmetic import balls, levels
from handgrad.arithmetic.levels import DOUBTFUL, HALF_KNOWN, RIGHT, ROUNDED, WRONG

#: What a rerun of the gradient at another precision shows of an element. UNTOLD: there is none, and
#: code that cannot be rerun may lose as much as it is off.
WRONG_FORMULA, INCONCLUSIVE, RIGHT_FORMULA, UNTOLD = -1, 0, 1, 2

VERDICT = {RIGHT: "agree", ROUNDED: "imprecise", DOUBTFUL: "undecidable", WRONG: "disagree"}


@dataclass(frozen=True, eq=False)
class Gaps:
    """The gaps between a gradient and the reference; arrays of shape (size,)."""

    reference: np.ndarray  #: objects
    gap: np.ndarray  #: the error of the gradient in the dtype of the parameters
    size: np.ndarray  #: of each element, as that of `Witness`
    sharp: np.ndarray  #: the largest error that conditioning explains
    wrong: np.ndarray  #: bool, whether the gap is more than rounding explains, before a rerun

    def gap_of(self, other: np.ndarray) -> np.ndarray:
        """Return the error of another result, in balls."""
        gap = balls.magnitudes(other - self.reference)
        return np.where(np.isnan(gap), np.inf, gap)

    def vanishes(self, gap: np.ndarray) -> np.ndarray:
        """Tell of which elements little is left of the error in exact arithmetic."""
        return gap <= HALF_KNOWN * np.fmax(np.abs(balls.midpoints(self.reference)), self.gap)

    @property
    def resolved(self) -> np.ndarray:
        """How narrow an enclosure must be to decide; where there is no gap, of any width."""
        size = np.fmax(np.abs(balls.midpoints(self.reference)), self.gap)
        return np.where(self.gap > 0, np.fmin(self.sharp, HALF_KNOWN * size), np.inf)

    def shown_by(self, gap: np.ndarray, constants: float | np.ndarray = 0.0) -> np.ndarray:
        """Return what the error that is left in exact arithmetic shows of each element.

        Args:
            gap: the error.
            constants: as much of it as the rounding of the formula's own constants explains.
        """
        right = np.where(self.vanishes(gap), RIGHT_FORMULA, INCONCLUSIVE)
        return np.where(gap <= np.fmax(self.sharp, constants), right, WRONG_FORMULA)


@dataclass(frozen=True, eq=False)
class Witness:
    """One of the two gradients at a point, judged. Arrays of shape (size,)."""

    answer: np.ndarray  #: float64
    reference: np.ndarray  #: the right gradient, at a kink the nearest one; objects
    gap: np.ndarray  #: |answer - reference|, rounded up; infinite where the answer is not finite
    level: np.ndarray  #: RIGHT .. WRONG
    #: The size of each element; for a 0, that of its largest neighbour; at a kink, on any side.
    size: np.ndarray
    explained: np.ndarray  #: bool, whether conditioning explains the gap
    vague: np.ndarray  #: bool, whether it does since iterations leave out too much of the element
    choices: np.ndarray | None = None  #: λ of each edge at a kink

    @property
    def worst(self) -> int:
        """The level of its worst element."""
        return int(np.max(self.level, initial=RIGHT))

    @property
    def open(self) -> np.ndarray:
        """Which elements a rerun of the gradient may decide otherwise, bool, shape (size,)."""
        return (self.level > RIGHT) & ~self.vague & np.isfinite(self.gap)

    def excused(self, right_formula: np.ndarray) -> np.ndarray:
        """Return the levels if the formula of these elements is right, bool, shape (size,)."""
        is_right = self.open & right_formula
        return levels.excused(self.level, self.gap, self.size, self.explained, is_right)


@dataclass(frozen=True, eq=False)
class Compared:
    """An answer beside the reference; arrays of shape (size,), see `Witness`."""

    answer: np.ndarray
    reference: np.ndarray
    gap: np.ndarray
    size: np.ndarray
    alike: np.ndarray  #: bool, whether the gap is as little as an answer may be off that is right
    enclosed: np.ndarray  #: bool, whether the answer may be exact, for all that is known
    known: np.ndarray  #: bool, whether the element was certified
    choices: np.ndarray | None
