"""Compare a gradient with the reference, element by element, and judge it by a tolerance."""

from typing import NamedTuple

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.formats import of_elements
from handgrad.data.point import Point
from handgrad.judging.leaf_errors import little_beside, not_all, together
from handgrad.judging.witness import (
    DOUBTFUL,
    NOTHING_LEFT,
    RIGHT,
    ROUNDED,
    WRONG,
    Compared,
    Witness,
)
from handgrad.oracle.reference import Reference, sizes_about
from handgrad.tolerance.stated import HALF_KNOWN
from handgrad.tolerance.tolerances import Tolerance


class Right(NamedTuple):
    """A right gradient and what every comparison with it needs, of shape (size,)."""

    gradient: np.ndarray
    size: np.ndarray
    enclosure: np.ndarray  #: how far the right number may be from any in its ball

    @classmethod
    def of(cls, given: Point, reference: Reference, right: np.ndarray) -> "Right":
        """Return what comparisons with this gradient need."""
        sizes = sizes_about(given.leaves, right, balls.contains_zero(right))
        if reference.kink:
            sizes = np.fmax(sizes, reference.kink.largest)
        return cls(right, sizes, 2 * balls.radii(right))


def compare(
    given: Point,
    reference: Reference,
    answer: np.ndarray,
    sharp: np.ndarray | None,
    right: Right,
) -> Compared:
    """Compare an answer; at a kink with the nearest right one, by the sharp tolerance."""
    finite, choices = np.isfinite(answer), None
    if reference.kink and sharp is not None and finite.all():
        nearest, choices = reference.kink.nearest(answer, sharp)
        right = Right.of(given, reference, nearest)
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


def judged(given: Point, tolerance: Tolerance, compared: Compared) -> Witness:
    """Judge every element of an answer by a tolerance."""
    gap, sizes, finite = compared.gap, compared.size, np.isfinite(compared.answer)
    # What a verified program encloses around an exact zero is wider than the zero's tolerance.
    explained = ((gap <= tolerance.sharp) | compared.enclosed) & np.isfinite(tolerance.sharp)
    vague = explained & _vague(given, tolerance, compared)
    rounded = (gap <= tolerance.loose) & (tolerance.loose <= HALF_KNOWN * sizes)
    alike = compared.alike
    if tolerance.stated is not None:
        # In few digits terms often cancel, and rounding leaves none of a small element. As with
        # zeros, what it is small beside shows whether a gap is one of rounding.
        known = little_beside(given, sizes, gap, tolerance.stated.fraction)
        alike = alike | known
        rounded = (gap <= tolerance.loose) & known & not_all(given, sizes, tolerance)
    doubtful = explained | (gap <= np.fmax(tolerance.loose, tolerance.jump))
    # Half an ulp away the gradient is not finite: by how much it may be off is not known.
    doubtful |= np.isinf(tolerance.sharp)
    cases = [vague, explained & alike, rounded, doubtful]
    level = np.select(cases, [DOUBTFUL, RIGHT, ROUNDED, DOUBTFUL], WRONG)
    if tolerance.stated is not None:
        level = np.fmax(level, together(given, tolerance, tolerance.stated, compared))
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


def _vague(given: Point, tolerance: Tolerance, compared: Compared) -> np.ndarray:
    """Tell of which elements an iteration leaves out too much to know what is right.

    What is little compared with the largest element of a leaf is not known relatively either. The
    derivative of as many iterations is right where the loss takes as many beside the point, too.
    """
    if tolerance.truncation is None:
        return np.zeros(compared.gap.shape, dtype=bool)
    sizes = np.abs(balls.midpoints(compared.reference))
    for part in given.parts():
        sizes[part] = np.fmax(sizes[part], HALF_KNOWN * np.max(sizes[part], initial=0.0))
    own = tolerance.truncation.steady & (compared.gap <= tolerance.rounding)
    return (tolerance.left_out > HALF_KNOWN * sizes) & ~own


def excused(witness: Witness, right_formula: np.ndarray) -> np.ndarray:
    """Return the levels where the formula is right: RIGHT, if conditioning explains the gap."""
    off = witness.open & right_formula
    nothing_left = witness.gap >= NOTHING_LEFT * witness.size
    level = np.where(witness.explained, RIGHT, np.where(nothing_left, DOUBTFUL, ROUNDED))
    return np.where(off, level, witness.level)
