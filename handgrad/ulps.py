"""How far apart two floating-point numbers are, in units in the last place (ulp)."""

from typing import Any

import numpy as np


def ulp_distance(a: Any, b: Any) -> np.ndarray:
    """|a - b| / ulp, element by element, ulp being the spacing of floats at the larger of the two.

    For two numbers that approximate one exact value this is their distance in ulps of that value,
    up to the factor 2 by which the spacing changes at a power of two. 0 when both are 0.

    Args:
        a, b: floating arrays or numbers of one shape and dtype.

    Returns:
        The distances, float64 (computed in the dtype of the arguments); NaN where either is NaN
        or both are infinite.

    Raises:
        ValueError: the shapes or dtypes differ, or the dtype is not a floating one.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype or not np.issubdtype(a.dtype, np.floating):
        raise ValueError(
            f"ulp_distance: a is {a.dtype}{a.shape} and b is {b.dtype}{b.shape}, "
            "expected one shape and one floating dtype"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        ulp = np.spacing(np.maximum(np.abs(a), np.abs(b)))
        return (np.abs(a - b) / ulp).astype(np.float64)
