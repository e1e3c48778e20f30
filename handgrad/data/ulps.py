"""Distances of floating-point numbers in units in the last place (ulp)."""

from typing import Any

import numpy as np

from handgrad.data.formats import is_floating, is_half, spacing

#: The relative difference of two calls above which they are no sums of the same terms in another
#: order, which threads may make: half of the digits of float64.
ANOTHER = 2.0**-26


def ulp_distance(a: Any, b: Any, exact: Any = None) -> np.ndarray:
    """Return |a - b| / ulp(exact), element by element; 0 where both are 0.

    Without exact values, the ulp is that of the larger of the two numbers. For two approximations
    of one value this differs at most by a factor of 2, at a power of two.

    Args:
        a, b: floating arrays or numbers of one shape and dtype.
        exact: the exact values, rounded to that dtype.

    Returns:
        The distances, float64 (computed in the dtype of the arguments); NaN where either is NaN
        or both are infinite.

    Raises:
        ValueError: the shapes or dtypes differ, or the dtype is not a floating one.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype or not is_floating(a.dtype):
        raise ValueError(
            f"ulp_distance: a is {a.dtype}{a.shape} and b is {b.dtype}{b.shape}, "
            "expected one shape and one floating dtype"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(np.abs(a), np.abs(b)) if exact is None else np.abs(exact)
        ulp = spacing(np.asarray(size, dtype=a.dtype))
        if is_half(a.dtype):
            return np.abs(a.astype(np.float64) - b.astype(np.float64)) / ulp
        return (np.abs(a - b) / ulp.astype(a.dtype)).astype(np.float64)
