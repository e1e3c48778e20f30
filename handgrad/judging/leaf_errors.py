"""What the errors of a leaf show together, where few digits leave little of an element alone.

See `handgrad.tolerance.stated`.
"""

from collections.abc import Sequence

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import DOUBTFUL, NOTHING_LEFT, RIGHT, ROUNDED, WRONG
from handgrad.data import formats
from handgrad.data.formats import is_half, of_elements
from handgrad.data.point import Point
from handgrad.judging.witness import Compared
from handgrad.tolerance.runs import SHARP
from handgrad.tolerance.stated import STATED, Stated, projection, spread
from handgrad.tolerance.tolerances import Tolerance


def together(given: Point, tolerance: Tolerance, stated: Stated, compared: Compared) -> np.ndarray:
    """Return the level of each element by what those of its leaf show together; see `stated`.

    Elements that are as near as their format can be are not to blame for it.
    """
    level = np.full(compared.gap.shape, RIGHT)
    exact = balls.midpoints(compared.reference)
    sizes = compared.size
    beside = [
        little_beside(given, sizes, compared.gap, stated.fraction)
        & not_all(given, sizes, tolerance),
        little_beside(given, sizes, tolerance.loose, stated.fraction),
    ]
    half_an_ulp = SHARP * (tolerance.unit + tolerance.stored)
    for k, (part, leaf) in enumerate(zip(given.parts(), given.leaves, strict=True)):
        error = compared.answer[part] - exact[part]
        if not leaf.size or not np.isfinite(error).all() or not compared.known[part].all():
            continue
        form = formats.of(leaf.dtype)
        own = form.spacing(exact[part])
        along = abs(projection(exact[part], error))
        beyond = np.fmax(compared.gap[part] - half_an_ulp[part], 0.0)
        directed = bool(along > stated.along[k])
        if not directed and spread(beyond, stated.error[part], exact[part]):
            continue
        rounded = along <= stated.loose_along[k] and spread(beyond, stated.loose[part], exact[part])
        # An error of one direction is less likely rounding; without one, it may yet be.
        how = WRONG if directed else DOUBTFUL
        if rounded:
            how = ROUNDED if beside[directed][part].all() else DOUBTFUL
        level[part] = np.where(compared.gap[part] > own, how, RIGHT)
    return level


def not_all(given: Point, sizes: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Tell in which leaves rounding leaves a digit of an element of ordinary size."""
    return little_beside(given, sizes, tolerance.loose, np.full(sizes.shape, NOTHING_LEFT))


def little_beside(
    given: Point, sizes: np.ndarray, gap: np.ndarray, fraction: np.ndarray
) -> np.ndarray:
    """Tell of which leaves the gaps are a fraction of their elements at most, taken together."""
    found = np.zeros(gap.shape, dtype=bool)
    for part in given.parts():
        if part.start == part.stop:
            continue
        largest = np.max(sizes[part])
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            both = [np.sqrt(np.mean(np.square(a[part] / largest))) for a in (gap, sizes)]
        found[part] = both[0] <= fraction[part] * both[1]
    return found


def own_rounding(leaves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the relative error of each element that is nothing beside its format's rounding.

    A short format has no digits to spare: there it is that of a few operations.
    """
    many = [STATED if is_half(leaf.dtype) else SHARP for leaf in leaves]
    return np.repeat(many, [leaf.size for leaf in leaves]) * of_elements(leaves, "eps")
