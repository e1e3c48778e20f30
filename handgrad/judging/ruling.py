"""One point's ruling: every element of both witnesses, held to the reference within tolerance."""

from dataclasses import dataclass, replace

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, sizes_about
from handgrad.tolerance.tolerances import Tolerance

#: How an element fares, from the best to the worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: What a rerun of the caller's lines at another precision tells about an element.
WRONG_FORMULA, NOT_TOLD, RIGHT_FORMULA = -1, 0, 1

#: Where rounding may take more than this part of an element, a gap proves nothing either way.
HALF_KNOWN = 1e-3

#: A gap of more than this part of an element leaves no digit of it.
NOTHING_LEFT = 0.5

VERDICT = {RIGHT: "agree", ROUNDED: "imprecise", DOUBTFUL: "undecidable", WRONG: "disagree"}


@dataclass(frozen=True, eq=False)
class Held:
    """A gradient held to the reference; arrays of shape (size,)."""

    reference: np.ndarray  #: objects
    gap: np.ndarray  #: how far the lines end from it in the format of the parameters
    sharp: np.ndarray  #: how far counts as right
    wrong: np.ndarray  #: bool: whether it is more than rounding explains, as far as is known

    def gap_of(self, other: np.ndarray) -> np.ndarray:
        """How far another answer, in balls, is from the reference."""
        gap = balls.magnitudes(other - self.reference)
        return np.where(np.isnan(gap), np.inf, gap)


@dataclass(frozen=True, eq=False)
class Witness:
    """One gradient at a point, judged. Arrays of shape (size,)."""

    answer: np.ndarray  #: float64
    reference: (
        np.ndarray
    )  #: the right gradient that it is held to (at a kink, the nearest one), objects
    gap: np.ndarray  #: |answer - truth|, rounded up; infinite where the answer is not finite
    level: np.ndarray  #: RIGHT .. WRONG
    size: np.ndarray  #: of each element; of a 0, that of the largest about it
    choices: np.ndarray | None = None  #: λ of each hyperplane at a kink

    @property
    def worst(self) -> int:
        """The level of its worst element."""
        return int(np.max(self.level, initial=RIGHT))


@dataclass(frozen=True, eq=False)
class Ruling:
    """Both witnesses at a point, and by what they were held."""

    given: Point
    reference: Reference
    tolerance: Tolerance
    yours: Witness
    autodiff: Witness
    problem: Problem

    @property
    def unexplained(self) -> Held | None:
        """The gaps of yours that the sharp tolerance does not explain; None if there are none."""
        mine = self.yours
        if not ((mine.level > RIGHT) & np.isfinite(mine.gap)).any():
            return None
        wrong = (mine.level == WRONG) & np.isfinite(mine.gap)
        return Held(mine.reference, mine.gap, self.tolerance.sharp, wrong)

    def with_rerun(self, told: np.ndarray) -> "Ruling":
        """The ruling after a rerun of the caller's lines told right formulas from wrong ones.

        Args:
            told: `WRONG_FORMULA`, `NOT_TOLD` or `RIGHT_FORMULA` of each element, shape (size,).
        """
        level = _excused(self.yours, told == RIGHT_FORMULA)
        if self.reference.certified:
            level[(level > RIGHT) & (told == WRONG_FORMULA)] = WRONG
        return replace(self, yours=replace(self.yours, level=level))

    def without_witness(self) -> "Ruling":
        """The same ruling where there is no second witness: NaN in its place, nothing to blame."""
        nothing = np.full_like(self.autodiff.gap, np.nan)
        level = np.full_like(self.autodiff.level, RIGHT)
        silent = replace(self.autodiff, answer=nothing, gap=nothing, level=level, choices=None)
        return replace(self, autodiff=silent)

    @property
    def exact(self) -> np.ndarray:
        """The right gradient in float64, shape (size,); NaN where it is not known."""
        return np.where(self.reference.known, balls.midpoints(self.yours.reference), np.nan)

    @property
    def limits(self) -> np.ndarray:
        """How large an error of each element must be, relative to it, to be caught here."""
        sizes = np.abs(balls.midpoints(self.yours.reference))
        allowed = np.maximum(self.tolerance.sharp, self.tolerance.loose)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            limits = np.where(sizes > 0, allowed / sizes, np.nan)
        return np.where(self.reference.known, limits, np.inf)


def rule(
    given: Point,
    reference: Reference,
    tolerance: Tolerance,
    yours: np.ndarray,
    autodiff: np.ndarray,
    problem: Problem,
) -> Ruling:
    """Hold both witnesses to the reference, by the tolerances alone.

    Where `Ruling.unexplained` tells that elements of yours lie outside the sharp tolerance, the
    caller may rerun its lines at another precision and rule again `with_rerun`.

    Args:
        given: the point.
        truth: its certified gradient.
        tolerances: how far from it counts as right, and as rounding.
        yours, autodiff: the two gradients, float64, shape (size,).
        problem: the loss at the point, traced.
    """
    with balls.precision(max(reference.bits, 192)):
        mine = _judge(given, reference, tolerance, yours)
        theirs = _judge(given, reference, tolerance, autodiff)
    # Whether JAX's formula is wrong or only its rounding is known exactly: the oracle ran it.
    exact = balls.magnitudes(tolerance.program - theirs.reference)
    theirs = replace(theirs, level=_excused(theirs, exact <= tolerance.sharp))
    return Ruling(given, reference, tolerance, mine, theirs, problem)


def _judge(given: Point, reference: Reference, tolerance: Tolerance, answer: np.ndarray) -> Witness:
    right, choices = reference.gradient, None
    finite = np.isfinite(answer)
    if reference.kink and finite.all():
        right, choices = reference.kink.nearest(answer, tolerance.sharp)
    gap = np.full(answer.shape, np.inf)
    gap[finite] = balls.magnitudes(balls.exact(answer[finite]) - right[finite])
    sizes = sizes_about(given.leaves, right)
    known_by_half = tolerance.loose <= HALF_KNOWN * sizes
    level = np.where(
        (gap <= tolerance.sharp) & np.isfinite(tolerance.sharp),
        RIGHT,
        np.where(gap > tolerance.loose, WRONG, np.where(known_by_half, ROUNDED, DOUBTFUL)),
    )
    level[~reference.known] = RIGHT
    level[~finite] = WRONG
    return Witness(answer, right, gap, level, sizes, choices)


def _excused(witness: Witness, right_formula: np.ndarray) -> np.ndarray:
    """The levels, where elements of a right formula lost digits only; DOUBTFUL if none is left."""
    off = (witness.level > RIGHT) & np.isfinite(witness.gap) & right_formula
    nothing_left = witness.gap > NOTHING_LEFT * witness.size
    return np.where(off, np.where(nothing_left, DOUBTFUL, ROUNDED), witness.level)
