"""Sums, in which PyTorch rounds numbers to half formats, and interpolation."""

from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import promoted, rounded, wide
from handgrad.program.aten.registry import operation


@operation("add.Tensor", "add.Scalar")
def add(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x + alpha·y."""
    x, y = promoted(x, y, exact=False)
    if x.dtype == bool:
        return x | (y if alpha else False)
    return x + y if alpha == 1 else _sum(x, alpha, y)


@operation("sub.Tensor", "sub.Scalar")
def subtract(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x - alpha·y."""
    x, y = promoted(x, y, exact=False)
    return x - y if alpha == 1 else _sum(x, -alpha, y)


@operation("rsub.Tensor", "rsub.Scalar")
def subtracted(x: Any, y: Any, alpha: Any = 1) -> Any:
    """y - alpha·x."""
    x, y = promoted(x, y, exact=False)
    return y - x if alpha == 1 else _sum(y, -alpha, x)


def _sum(x: Any, alpha: Any, y: Any) -> Any:
    """x + alpha·y, of half floats in float32 with all numbers in their format."""
    dtype = (x if hasattr(x, "dtype") else y).dtype
    x, y = (wide(each) if hasattr(each, "dtype") else rounded(each, dtype) for each in (x, y))
    return x + rounded(alpha, dtype) * y


@operation("lerp.Scalar", "lerp.Tensor")
def interpolate(start: Any, end: Any, weight: Any) -> Any:
    """start + weight·(end - start), from the nearer end."""
    start, end, weight = wide(start), wide(end), wide(weight)
    if not hasattr(weight, "dtype"):
        near_start = abs(weight) < 0.5
        return start + weight * (end - start) if near_start else end - (end - start) * (1 - weight)
    return jnp.where(
        abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight)
    )
