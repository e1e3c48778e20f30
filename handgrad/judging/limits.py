"""From where on an error would have been caught."""

from collections.abc import Sequence

import numpy as np

from handgrad.data import formats
from handgrad.judging.ruling import Ruling


def of_elements(rulings: Sequence[Ruling]) -> np.ndarray:
    """Return the relative error of each element above which some point catches it; NaN for 0.

    Tolerances are measured in full for that, so points are gone through only until every element
    would show an error in half of its digits: a saturated unit may hide one that others show.
    """
    limits = rulings[0].limits
    for other in rulings[1:]:
        if (limits <= np.sqrt(formats.of_elements(other.given.leaves, "eps"))).all():
            break
        limits = np.fmin(limits, other.limits)
    return limits


def of_leaf(ruling: Ruling, part: slice, limits: np.ndarray) -> float:
    """Return the largest error of an element that may go unseen, relatively.

    Where rounding leaves no digits of small elements, relative to the size of the leaf.
    """
    if ruling.tolerance.stated is None:
        return float(np.max(limits[~np.isnan(limits)], initial=0.0))
    tolerance, size = ruling.tolerance, float(np.sqrt(np.mean(np.square(ruling.exact[part]))))
    allowed = np.maximum(tolerance.sharp, tolerance.loose)[part]
    return float(np.max(allowed)) / size if size > 0 else 0.0


def of_factor(ruling: Ruling, path: str) -> float:
    """Return how far from 1 a factor of a whole leaf may be without being caught."""
    explained, k = ruling.tolerance.stated, ruling.given.paths.index(path)
    return np.nan if explained is None else float(max(explained.along[k], explained.loose_along[k]))
