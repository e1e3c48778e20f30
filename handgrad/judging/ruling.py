"""The ruling at one point: every element of both gradients compared with the reference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.formats import is_half, of_elements
from handgrad.data.point import Point
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference, UndecidableError, sizes_about
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import HALF_KNOWN, STATED, Stated, projection, spread
from handgrad.tolerance.tolerances import Tolerance, Tolerances

#: The levels of an element, from best to worst.
RIGHT, ROUNDED, DOUBTFUL, WRONG = 0, 1, 2, 3

#: What a rerun of the gradient at another precision shows of an element. ROUNDING: its error is
#: like rounding, and too large to tell whether the formula is right.
WRONG_FORMULA, INCONCLUSIVE, RIGHT_FORMULA, ROUNDING = -1, 0, 1, 2

#: A gap of this fraction of an element or more leaves no right digit: -log10 of it rounds to 0.
NOTHING_LEFT = 10**-0.5

#: The unit roundoff of float32 in that of float64.
FLOAT32 = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)

#: Arithmetic in float32 is seldom more exact than this, relatively: a 64th of its unit roundoff.
SELDOM = 2.0**-30

VERDICT = {RIGHT: "agree", ROUNDED: "imprecise", DOUBTFUL: "undecidable", WRONG: "disagree"}


@dataclass(frozen=True, eq=False)
class Gaps:
    """The gaps between a gradient and the reference; arrays of shape (size,)."""

    reference: np.ndarray  #: objects
    gap: np.ndarray  #: the error of the gradient in the dtype of the parameters
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

    @property
    def tolerance(self) -> Tolerance:
        """The tolerances in full, measured on first access if the ruling did not need them."""
        try:
            return self.tolerances.full
        except UndecidableError:
            if self.sufficed is None:
                raise
            # Code may run at the point and not around it. What is decided stays so.
            return self.sufficed

    @property
    def left_out(self) -> np.ndarray:
        """What iterations leave out of each element, shape (size,); known without any draw."""
        truncation = self.tolerances.truncation
        return truncation.gradient if truncation else np.zeros(self.problem.size)

    def explains(self, gap_of_loss: float) -> bool:
        """Tell whether conditioning and rounding explain an error of the loss."""
        if self.sufficed is not None and gap_of_loss <= self.sufficed.sharp_of_loss:
            return True
        return gap_of_loss <= max(self.tolerance.sharp_of_loss, self.tolerance.loose_of_loss)

    def explains_value(self, value: Any) -> bool:
        """Tell whether conditioning and rounding explain the error of a value of the loss."""
        if not np.isfinite(value):
            return False
        return self.explains(float((balls.exact(value)[()] - self.reference.loss).abs_upper()))

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
        return Gaps(mine.reference, mine.gap, sharp, wrong)

    def with_rerun(self, shown: np.ndarray) -> "Ruling":
        """Return the ruling after a rerun of the gradient at another precision.

        It has shown one of `WRONG_FORMULA` .. `ROUNDING` of each element.
        """
        level = _excused(self.yours, shown == RIGHT_FORMULA)
        level[(level == WRONG) & np.isfinite(self.yours.gap) & (shown == ROUNDING)] = DOUBTFUL
        if self.reference.certified:
            level[self.yours.open & (level > RIGHT) & (shown == WRONG_FORMULA)] = WRONG
        return replace(self, yours=replace(self.yours, level=level))

    def worst_of(self, answer: np.ndarray) -> int:
        """Return the level of the worst element of another gradient, float64, shape (size,)."""
        right = _Right.of(self.given, self.reference, self.reference.gradient)
        with balls.precision(max(self.reference.bits, 192)):
            compared = _compared(self.given, self.reference, answer, self.tolerance.sharp, right)
        return _judged(self.given, self.tolerance, compared).worst

    def worst_by(self, tolerance: Tolerance) -> int:
        """Return the level of the worst element of yours by another tolerance."""
        right = _Right.of(self.given, self.reference, self.reference.gradient)
        with balls.precision(max(self.reference.bits, 192)):
            compared = _compared(
                self.given, self.reference, self.yours.answer, tolerance.sharp, right
            )
        return _judged(self.given, tolerance, compared).worst

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
        """The relative error of each element above which it is caught here, shape (size,).

        In a sample rounding may not have been measured. Then an error is wrong if a rerun shows
        that, and undecidable otherwise.
        """
        sizes = np.abs(balls.midpoints(self.yours.reference))
        allowed = np.maximum(self.tolerance.sharp, self.tolerance.loose)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            limits = np.where(sizes > 0, allowed / sizes, np.nan)
        return np.where(self.reference.known, limits, np.inf)


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

    known = _Right.of(given, reference, reference.gradient)

    def compared(sharp: np.ndarray | None) -> list[Compared]:
        with balls.precision(max(reference.bits, 192)):
            return [_compared(given, reference, answer, sharp, known) for answer in answers]

    # Away from kinks an answer is compared once, whatever the tolerance.
    smooth = None if reference.kink else compared(None)

    def judged(tolerance: Tolerance, sufficed: Tolerance | None) -> Ruling:
        each = smooth or compared(tolerance.sharp)
        both = [_judged(given, tolerance, one) for one in each]
        ruling = Ruling(given, reference, tolerances, both[0], both[1], problem, sufficed)
        return ruling if autodiff is not None else ruling.without_autodiff()

    def of_right(growing: Iterable[Tolerance]) -> Ruling | None:
        each = (judged(tolerance, tolerance) for tolerance in growing)
        return next((r for r in each if r.yours.worst == r.autodiff.worst == RIGHT), None)

    def in_full(tolerance: Tolerance) -> Ruling:
        ruling = judged(tolerance, None)
        if autodiff is None:
            return ruling
        # The oracle ran JAX's program in exact arithmetic, so its formula is known to be right or
        # not.
        theirs, exact = ruling.autodiff, np.zeros(problem.size)
        off = theirs.open
        exact[off] = balls.magnitudes(tolerance.program[off] - theirs.reference[off])
        gaps = Gaps(theirs.reference, theirs.gap, tolerance.sharp, theirs.level == WRONG)
        level = _excused(theirs, gaps.shown_by(exact) == RIGHT_FORMULA)
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


def _levels(ruling: Ruling) -> list[int]:
    """Return the level of the worst element of each leaf, for both gradients."""
    both, parts = (ruling.yours, ruling.autodiff), ruling.given.parts()
    return [int(np.max(w.level[part], initial=RIGHT)) for w in both for part in parts]


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


class _Right(NamedTuple):
    """A right gradient and what every comparison with it needs, of shape (size,)."""

    gradient: np.ndarray
    size: np.ndarray
    enclosure: np.ndarray  #: how far the right number may be from any in its ball

    @classmethod
    def of(cls, given: Point, reference: Reference, right: np.ndarray) -> "_Right":
        sizes = sizes_about(given.leaves, right, balls.contains_zero(right))
        if reference.kink:
            sizes = np.fmax(sizes, reference.kink.largest)
        return cls(right, sizes, 2 * balls.radii(right))


def _compared(
    given: Point,
    reference: Reference,
    answer: np.ndarray,
    sharp: np.ndarray | None,
    right: _Right,
) -> Compared:
    """Compare an answer; at a kink with the nearest right one, by the sharp tolerance."""
    finite, choices = np.isfinite(answer), None
    if reference.kink and sharp is not None and finite.all():
        nearest, choices = reference.kink.nearest(answer, sharp)
        right = _Right.of(given, reference, nearest)
    gap = np.full(answer.shape, np.inf)
    gap[finite] = balls.magnitudes(balls.exact(answer[finite]) - right.gradient[finite])
    # An answer within the enclosure may be exact. Below the smallest normal number floats have
    # fewer digits, or none: XLA takes such a number for 0.
    least = HALF_KNOWN * right.size + right.enclosure
    alike = gap <= np.fmax(least, of_elements(given.leaves, "least"))
    # Where all is exactly 0, the rounding of the terms that cancel is the only scale.
    alike |= right.size == 0
    return Compared(
        answer,
        right.gradient,
        gap,
        right.size,
        alike,
        gap <= right.enclosure,
        reference.known,
        choices,
    )


def _judged(given: Point, tolerance: Tolerance, compared: Compared) -> Witness:
    gap, sizes, finite = compared.gap, compared.size, np.isfinite(compared.answer)
    # What a verified program encloses around an exact zero is wider than the zero's tolerance.
    explained = ((gap <= tolerance.sharp) | compared.enclosed) & np.isfinite(tolerance.sharp)
    vague = explained & _vague(given, tolerance, compared.reference)
    rounded = (gap <= tolerance.loose) & (tolerance.loose <= HALF_KNOWN * sizes)
    alike = compared.alike
    if tolerance.stated is not None:
        # In few digits terms often cancel, and rounding leaves none of a small element. As with
        # zeros, what it is small beside shows whether a gap is one of rounding.
        known = _little_beside(given, sizes, gap, tolerance.stated.fraction)
        alike = alike | known
        rounded = (gap <= tolerance.loose) & known & _not_all(given, sizes, tolerance)
    doubtful = explained | (gap <= np.fmax(tolerance.loose, tolerance.jump))
    # Half an ulp away the gradient is not finite: by how much it may be off is not known.
    doubtful |= np.isinf(tolerance.sharp)
    cases = [vague, explained & alike, rounded, doubtful]
    level = np.select(cases, [DOUBTFUL, RIGHT, ROUNDED, DOUBTFUL], WRONG)
    if tolerance.stated is not None:
        level = np.fmax(level, _together(given, tolerance, tolerance.stated, compared))
    level[~compared.known] = RIGHT
    level[~finite] = WRONG
    return Witness(
        compared.answer,
        compared.reference,
        gap,
        level,
        sizes,
        explained & finite,
        vague & finite,
        compared.choices,
    )


def _not_all(given: Point, sizes: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Tell in which leaves rounding leaves a digit of an element of ordinary size."""
    return _little_beside(given, sizes, tolerance.loose, np.full(sizes.shape, NOTHING_LEFT))


def _little_beside(
    given: Point, sizes: np.ndarray, gap: np.ndarray, fraction: np.ndarray
) -> np.ndarray:
    """Tell of which leaves the gaps are a fraction of their elements at most, taken together."""
    found = np.zeros(gap.shape, dtype=bool)
    for part in given.parts():
        largest = np.max(sizes[part], initial=0.0)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            both = [np.sqrt(np.mean(np.square(a[part] / largest))) for a in (gap, sizes)]
        found[part] = both[0] <= fraction[part] * both[1]
    return found


def _together(given: Point, tolerance: Tolerance, stated: Stated, compared: Compared) -> np.ndarray:
    """Return the level of each element by what those of its leaf show together; see `stated`.

    Elements that are as near as their format can be are not to blame for it.
    """
    level = np.full(compared.gap.shape, RIGHT)
    exact = balls.midpoints(compared.reference)
    sizes = compared.size
    beside = [
        _little_beside(given, sizes, compared.gap, stated.fraction)
        & _not_all(given, sizes, tolerance),
        _little_beside(given, sizes, tolerance.loose, stated.fraction),
    ]
    for k, (part, leaf) in enumerate(zip(given.parts(), given.leaves, strict=True)):
        error = compared.answer[part] - exact[part]
        if not leaf.size or not np.isfinite(error).all() or not compared.known[part].all():
            continue
        form = formats.of(leaf.dtype)
        own = form.spacing(exact[part])
        along = abs(projection(exact[part], error))
        beyond = np.fmax(compared.gap[part] - SHARP * tolerance.unit[part], 0.0)
        directed = bool(along > stated.along[k])
        if not directed and spread(beyond, stated.error[part]):
            continue
        rounded = along <= stated.loose_along[k] and spread(beyond, stated.loose[part])
        # An error of one direction is less likely rounding.
        how = (ROUNDED if beside[directed][part].all() else DOUBTFUL) if rounded else WRONG
        level[part] = np.where(compared.gap[part] > own, how, RIGHT)
    return level


def _vague(given: Point, tolerance: Tolerance, right: np.ndarray) -> np.ndarray:
    """Tell of which elements an iteration leaves out too much to know what is right.

    What is little compared with the largest element of a leaf is not known relatively either.
    """
    if tolerance.truncation is None:
        return np.zeros(right.shape, dtype=bool)
    sizes = np.abs(balls.midpoints(right))
    for part in given.parts():
        sizes[part] = np.fmax(sizes[part], HALF_KNOWN * np.max(sizes[part], initial=0.0))
    return tolerance.left_out > HALF_KNOWN * sizes


def own_rounding(leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the relative error of each element that is nothing beside its format's rounding.

    A short format has no digits to spare: there it is that of a few operations.
    """
    many = [STATED if is_half(leaf.dtype) else SHARP for leaf in leaves]
    return np.repeat(many, [leaf.size for leaf in leaves]) * of_elements(leaves, "eps")


def _excused(witness: Witness, right_formula: np.ndarray) -> np.ndarray:
    """Return the levels where the formula is right: RIGHT, if conditioning explains the gap."""
    off = witness.open & right_formula
    nothing_left = witness.gap >= NOTHING_LEFT * witness.size
    level = np.where(witness.explained, RIGHT, np.where(nothing_left, DOUBTFUL, ROUNDED))
    return np.where(off, level, witness.level)
