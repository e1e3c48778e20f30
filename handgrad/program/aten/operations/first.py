"""A dozen operations, with which the others began."""

from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.registry import operation


@operation("add.Tensor", "add.Scalar")
def add(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x + α y."""
    return x + (y if alpha == 1 else alpha * y)


@operation("sub.Tensor", "sub.Scalar")
def sub(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x - α y."""
    return x - (y if alpha == 1 else alpha * y)


@operation("mul.Tensor", "mul.Scalar")
def mul(x: Any, y: Any) -> Any:
    """x y."""
    return x * y


@operation("div.Tensor", "div.Scalar")
def div(x: Any, y: Any) -> Any:
    """x / y."""
    return x / y


@operation("neg")
def neg(x: Any) -> Any:
    """-x."""
    return -x


@operation("exp")
def exp(x: Any) -> Any:
    """exp(x)."""
    return jnp.exp(x)


@operation("sum", "sum.dim_IntList")
def sum(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:  # noqa: A001
    """Σ x."""
    x = x if dtype is None else x.astype(dtype)
    return jnp.sum(x, axis=tuple(dim) if dim else None, keepdims=keepdim)


@operation("mm")
def mm(x: Any, y: Any) -> Any:
    """x @ y."""
    return x @ y
