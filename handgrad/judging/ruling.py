"""The ruling at one point: every element of both gradients compared with the reference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import DOUBTFUL, RIGHT, WRONG
from handgrad.clock import OutOfTimeError
from handgrad.data.point import Point
from handgrad.judging import comparing
from handgrad.judging.comparing import Right, compare
from handgrad.judging.leaf_errors import own_rounding
from handgrad.judging.witness import RIGHT_FORMULA, UNTOLD, WRONG_FORMULA, Compared, Gaps, Witness
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, UndecidableError
from handgrad.tolerance.tolerances import Tolerance, Tolerances

#: The unit roundoff of float32 in that of float64.
FLOAT32 = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)

#: Arithmetic in float32 is seldom more exact than this, relatively: a 64th of its unit roundoff.
SELDOM = 2.0**-30


@dataclass(frozen=True, eq=False)
class Ruling:
    """Both gradients at a point, judged, and the reference and tolerances used."""

    given: Point
    reference: Reference
    tolerances: Tolerances
    yours: Witness
    autodiff: Witness
    problem: Problem
    sufficed: Tolerance | None  #: the tolerance of few draws, if both gradients lie within that
    shown: np.ndarray | None = None  #: what a rerun has shown of each element, if there was one

    @property
    def tolerance(self) -> Tolerance:
        """The tolerances in full, measured on first access if the ruling did not need them.

        Where the time is up, those that sufficed, and no gap is known to be more than rounding.
        """
        try:
            return self.tolerances.full
        except OutOfTimeError:
            if self.sufficed is None:
                raise
            return replace(self.sufficed, jump=np.full_like(self.sufficed.jump, np.inf))
        except UndecidableError:
            if self.sufficed is None:
                raise
            # Code may run at the point and not around it. What is decided stays so.
            return self.sufficed

    @property
    def has_autodiff(self) -> bool:
        """Whether there is a gradient by JAX beside yours."""
        return not np.isnan(self.autodiff.gap).all()

    @property
    def left_out(self) -> np.ndarray:
        """What iterations leave out of each element, shape (size,); known without any draw."""
        truncation = self.tolerances.truncation
        return truncation.gradient if truncation else np.zeros(self.problem.size)

    @property
    def judged_of_all(self) -> str:
        """How many of the elements were judged: `3 of 2,000 elements`."""
        known = self.reference.known
        return f"{int(known.sum()):,} of {known.size:,} elements"

    def explains_value(self, value: Any) -> bool:
        """Tell whether conditioning and rounding explain the error of a value of the loss."""
        exact = self.reference.loss
        if self.sufficed is not None and self.sufficed.explains(value, exact):
            return True
        return bool(np.isfinite(value)) and self.tolerance.explains(value, exact)

    def on(self, yours: np.ndarray, has_autodiff: bool) -> "Ruling":
        """Return the ruling on another gradient, float64, (size,), beside the same autodiff."""
        autodiff = self.autodiff.answer if has_autodiff else None
        return rule(self.given, self.reference, self.tolerances, yours, autodiff, self.problem)

    @property
    def unexplained(self) -> Gaps | None:
        """The gaps of yours that the sharp tolerance does not explain; None if there are none."""
        mine = self.yours
        if not mine.open.any():
            return None
        wrong = (mine.level == WRONG) & np.isfinite(mine.gap)
        # Where no unit is known, constants of the right formula may still be rounded.
        rounded = mine.size * own_rounding(self.given.leaves)
        sharp = np.where(np.isinf(self.tolerance.sharp), rounded, self.tolerance.sharp)
        return Gaps(mine.reference, mine.gap, mine.size, sharp, wrong)

    def with_rerun(self, shown: np.ndarray) -> "Ruling":
        """Return the ruling after a rerun of the gradient at another precision.

        It has shown one of `WRONG_FORMULA` .. `UNTOLD` of each element.
        """
        mine = self.yours
        level = mine.excused(shown == RIGHT_FORMULA)
        level[(level == WRONG) & (shown == UNTOLD)] = DOUBTFUL
        if self.reference.certified:
            level[mine.open & (level > RIGHT) & (shown == WRONG_FORMULA)] = WRONG
        return replace(self, yours=replace(mine, level=level), shown=shown)

    def worst_of(self, answer: np.ndarray, tolerance: Tolerance | None = None) -> int:
        """Return the level of the worst element of a gradient, float64, (size,), by a tolerance."""
        reference, tolerance = self.reference, tolerance or self.tolerance
        compared = _compared(self.given, reference, [answer], tolerance.sharp)
        return comparing.judged(self.given, tolerance, compared[0]).worst

    def without_autodiff(self) -> "Ruling":
        """Return the ruling without autodiff: NaN in its place, and no blame."""
        nothing = np.full_like(self.autodiff.gap, np.nan)
        level = np.full_like(self.autodiff.level, RIGHT)
        silent = replace(self.autodiff, answer=nothing, gap=nothing, level=level, choices=None)
        return replace(self, autodiff=silent)

    def like_float32(self, part: slice) -> bool:
        """Tell whether a leaf of float64 is as right everywhere as arithmetic in float32 is."""
        gap, size = self.yours.gap[part], self.yours.size[part]
        most = np.mean(gap > SELDOM * size) > 0.5
        return bool(most and (gap <= FLOAT32 * self.tolerance.sharp[part]).all())

    @property
    def exact(self) -> np.ndarray:
        """The reference gradient in float64, shape (size,); NaN where it is not known."""
        return np.where(self.reference.known, balls.midpoints(self.yours.reference), np.nan)

    @property
    def limits(self) -> np.ndarray:
        """The relative error of each element above which it is wrong here, shape (size,).

        In a sample rounding may not have been measured. Then an error is wrong if a rerun shows
        that, and undecidable otherwise. So is one within a jump, or what a solver may be off by.
        """
        sizes = np.abs(balls.midpoints(self.yours.reference))
        by = self.tolerance
        allowed = np.fmax(np.maximum(by.sharp, by.loose), by.jump)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            limits = np.where(sizes > 0, allowed / sizes, np.nan)
        # What is 0 by an estimate may be any number within its error.
        unsure = (balls.radii(self.reference.gradient) > 0) & (sizes == 0)
        known = self.reference.known & (self.reference.certified | ~unsure)
        return np.where(known, limits, np.inf)


def rule(
    given: Point,
    reference: Reference,
    tolerances: Tolerances,
    yours: np.ndarray,
    autodiff: np.ndarray | None,
    problem: Problem,
) -> Ruling:
    """Compare both gradients with the reference, by the tolerances alone.

    If `Ruling.unexplained` is not None, some elements of yours lie outside the sharp tolerance. The
    caller may then rerun the gradient at another precision and rule again by `with_rerun`. Both
    gradients are float64, shape (size,); None if there is no autodiff.
    """
    answers = (yours, np.full_like(yours, np.nan) if autodiff is None else autodiff)

    # Away from kinks an answer is compared once, whatever the tolerance.
    smooth = None if reference.kink else _compared(given, reference, answers, None)

    def judged(tolerance: Tolerance, sufficed: Tolerance | None) -> Ruling:
        each = smooth or _compared(given, reference, answers, tolerance.sharp)
        both = [comparing.judged(given, tolerance, one) for one in each]
        ruling = Ruling(given, reference, tolerances, both[0], both[1], problem, sufficed)
        return ruling if autodiff is not None else ruling.without_autodiff()

    def of_right(growing: Iterable[Tolerance]) -> Ruling | None:
        each = (judged(tolerance, tolerance) for tolerance in growing)
        return next((r for r in each if r.yours.worst == r.autodiff.worst == RIGHT), None)

    def in_full(tolerance: Tolerance) -> Ruling:
        ruling = judged(tolerance, None)
        if autodiff is None or problem.linear:
            return ruling
        # The oracle ran JAX's program in exact arithmetic, so its formula is known to be right or
        # not.
        theirs, exact = ruling.autodiff, np.zeros(problem.size)
        off = theirs.open
        exact[off] = balls.magnitudes(tolerance.program[off] - theirs.reference[off])
        wrong = theirs.level == WRONG
        gaps = Gaps(theirs.reference, theirs.gap, theirs.size, tolerance.sharp, wrong)
        level = theirs.excused(gaps.shown_by(exact) == RIGHT_FORMULA)
        return replace(ruling, autodiff=replace(theirs, level=level))

    if reference.kink is None and (ruling := of_right(tolerances.estimated())):
        return ruling
    if tolerances.in_floats is not None:
        ruling = in_full(tolerances.full)
        # What other draws would change, of any leaf, is left to those in balls.
        if all(_levels(in_full(other)) == _levels(ruling) for other in tolerances.others()):
            return ruling
    if reference.kink is None and (ruling := of_right(tolerances.drawn())):
        return ruling
    return in_full(tolerances.in_balls)


def _compared(
    given: Point, reference: Reference, answers: Sequence[np.ndarray], sharp: np.ndarray | None
) -> list[Compared]:
    right = Right.of(given, reference, reference.gradient)
    with balls.precision(max(reference.bits, 192)):
        return [compare(given, reference, answer, sharp, right) for answer in answers]


def _levels(ruling: Ruling) -> list[int]:
    """Return the level of the worst element of each leaf, for both gradients."""
    both, parts = (ruling.yours, ruling.autodiff), ruling.given.parts()
    return [int(np.max(w.level[part], initial=RIGHT)) for w in both for part in parts]
