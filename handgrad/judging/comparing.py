"""Compare a gradient with the reference, element by element, and judge it by a tolerance."""

from typing import NamedTuple

import numpy as np

from handgrad.arithmetic import balls, levels
from handgrad.arithmetic.levels import HALF_KNOWN, RIGHT, WRONG, Explained
from handgrad.data.formats import of_elements
from handgrad.data.point import Point
from handgrad.judging.leaf_errors import little_beside, not_all, together
from handgrad.judging.witness import Compared, Witness
from handgrad.oracle.reference import Reference, sizes_about
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
    choices = None
    if reference.kink and sharp is not None and np.isfinite(answer).all():
        nearest, choices = reference.kink.nearest(answer, sharp)
        right = Right.of(given, reference, nearest)
    gap = levels.gaps(answer, right.gradient)
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
    by = Explained(tolerance.sharp, tolerance.loose, tolerance.jump)
    explained = levels.explained(gap, by, compared.enclosed)
    vague = explained & _vague(given, tolerance, compared)
    alike, has_digits = compared.alike, tolerance.loose <= HALF_KNOWN * sizes
    if tolerance.stated is not None:
        # In few digits terms often cancel, and rounding leaves none of a small element. As with
        # zeros, what it is small beside shows whether a gap is one of rounding.
        known = little_beside(given, sizes, gap, tolerance.stated.fraction)
        alike, has_digits = alike | known, known & not_all(given, sizes, tolerance)
    level = levels.judged(gap, by, explained, alike, vague, has_digits)
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
