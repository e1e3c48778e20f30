"""The ruling at one point: every element of both gradients compared with the reference."""

from dataclasses import dataclass, replace

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import Point
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, sizes_about
from handgrad.tolerance.tolerances import Tolerance

#: The levels of an element, from best to worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: What a rerun of the gradient at another precision shows of an element.
WRONG_FORMULA, INCONCLUSIVE, RIGHT_FORMULA = -1, 0, 1

#: If rounding may cost more than this fraction of an element, a gap proves nothing either way; and
#: if an iteration leaves out more of it, it is not known what is right.
HALF_KNOWN = 1e-3

#: A gap of this fraction of an element or more leaves no right digit: -log10 of it rounds to 0.
NOTHING_LEFT = 10**-0.5

VERDICT = {RIGHT: "agree", ROUNDED: "imprecise", DOUBTFUL: "undecidable", WRONG: "disagree"}


@dataclass(frozen=True, eq=False)
class Gaps:
    """The gaps between a gradient and the reference; arrays of shape (size,)."""

    reference: np.ndarray  #: objects
    gap: np.ndarray  #: the error of the gradient in the dtype of the parameters
    sharp: np.ndarray  #: the largest error that counts as right
    wrong: np.ndarray  #: bool, whether the gap is more than rounding explains, before a rerun

    def gap_of(self, other: np.ndarray) -> np.ndarray:
        """Return the error of another result, in balls."""
        gap = balls.magnitudes(other - self.reference)
        return np.where(np.isnan(gap), np.inf, gap)


@dataclass(frozen=True, eq=False)
class Witness:
    """One of the two gradients at a point, judged. Arrays of shape (size,)."""

    answer: np.ndarray  #: float64
    reference: np.ndarray  #: the right gradient, at a kink the nearest one; objects
    gap: np.ndarray  #: |answer - reference|, rounded up; infinite where the answer is not finite
    level: np.ndarray  #: RIGHT .. WRONG
    size: np.ndarray  #: the size of each element; for a 0, that of its largest neighbour
    choices: np.ndarray | None = None  #: λ of each edge at a kink

    @property
    def worst(self) -> int:
        """The level of its worst element."""
        return int(np.max(self.level, initial=RIGHT))

    def beyond(self, tolerance: Tolerance) -> np.ndarray:
        """Tell which elements are off by more than the sharp tolerance, shape (size,)."""
        return (self.level > RIGHT) & ~(self.gap <= tolerance.sharp)


@dataclass(frozen=True, eq=False)
class Ruling:
    """Both gradients at a point, judged, and the reference and tolerances used."""

    given: Point
    reference: Reference
    tolerance: Tolerance
    yours: Witness
    autodiff: Witness
    problem: Problem

    @property
    def unexplained(self) -> Gaps | None:
        """The gaps of yours that the sharp tolerance does not explain; None if there are none."""
        mine = self.yours
        if not (mine.beyond(self.tolerance) & np.isfinite(mine.gap)).any():
            return None
        wrong = (mine.level == WRONG) & np.isfinite(mine.gap)
        return Gaps(mine.reference, mine.gap, self.tolerance.sharp, wrong)

    def with_rerun(self, shown: np.ndarray) -> "Ruling":
        """Return the ruling after a rerun of the gradient at another precision.

        It has shown `WRONG_FORMULA`, `INCONCLUSIVE` or `RIGHT_FORMULA` of each element.
        """
        beyond = self.yours.beyond(self.tolerance)
        level = _excused(self.yours, beyond & (shown == RIGHT_FORMULA))
        if self.reference.certified:
            level[beyond & (shown == WRONG_FORMULA)] = WRONG
        return replace(self, yours=replace(self.yours, level=level))

    def without_autodiff(self) -> "Ruling":
        """Return the ruling without autodiff: NaN in its place, and no blame."""
        nothing = np.full_like(self.autodiff.gap, np.nan)
        level = np.full_like(self.autodiff.level, RIGHT)
        silent = replace(self.autodiff, answer=nothing, gap=nothing, level=level, choices=None)
        return replace(self, autodiff=silent)

    @property
    def exact(self) -> np.ndarray:
        """The reference gradient in float64, shape (size,); NaN where it is not known."""
        return np.where(self.reference.known, balls.midpoints(self.yours.reference), np.nan)

    @property
    def limits(self) -> np.ndarray:
        """The relative error of each element above which it is caught here, shape (size,)."""
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
    """Compare both gradients with the reference, by the tolerances alone.

    If `Ruling.unexplained` is not None, some elements of yours lie outside the sharp tolerance. The
    caller may then rerun the gradient at another precision and rule again by `with_rerun`. Both
    gradients are float64, shape (size,).
    """
    with balls.precision(max(reference.bits, 192)):
        mine = _judge(given, reference, tolerance, yours)
        theirs = _judge(given, reference, tolerance, autodiff)
    # The oracle ran JAX's program in exact arithmetic, so its formula is known to be right or not.
    exact = balls.magnitudes(tolerance.program - theirs.reference)
    explained = theirs.beyond(tolerance) & (exact <= tolerance.sharp)
    theirs = replace(theirs, level=_excused(theirs, explained))
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
        np.where(_vague(given, tolerance, right), DOUBTFUL, RIGHT),
        np.where(gap > tolerance.loose, WRONG, np.where(known_by_half, ROUNDED, DOUBTFUL)),
    )
    level[~reference.known] = RIGHT
    level[~finite] = WRONG
    return Witness(answer, right, gap, level, sizes, choices)


def _vague(given: Point, tolerance: Tolerance, right: np.ndarray) -> np.ndarray:
    """Tell of which elements an iteration leaves out too much to know what is right.

    What is little compared with the largest element of a leaf is not known relatively either.
    """
    sizes = np.abs(balls.midpoints(right))
    for part in given.parts():
        sizes[part] = np.fmax(sizes[part], HALF_KNOWN * np.max(sizes[part], initial=0.0))
    return tolerance.left_out > HALF_KNOWN * sizes


def _excused(witness: Witness, right_formula: np.ndarray) -> np.ndarray:
    """Return the levels with WRONG lowered where the formula is right: to ROUNDED or DOUBTFUL."""
    off = (witness.level > RIGHT) & np.isfinite(witness.gap) & right_formula
    nothing_left = witness.gap >= NOTHING_LEFT * witness.size
    return np.where(off, np.where(nothing_left, DOUBTFUL, ROUNDED), witness.level)
