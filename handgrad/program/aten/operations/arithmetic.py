"""Sums, in which PyTorch rounds numbers to half formats."""

from typing import Any

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
    return subtract(y, x, alpha)


def _sum(x: Any, alpha: Any, y: Any) -> Any:
    """x + alpha·y, of half floats in float32 with all numbers in their format."""
    dtype = (x if hasattr(x, "dtype") else y).dtype
    x, y = (wide(each) if hasattr(each, "dtype") else rounded(each, dtype) for each in (x, y))
    return x + rounded(alpha, dtype) * y
