"""Shifts of bits, and comparisons of whole tensors."""

from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import inexact, promoted, wide
from handgrad.program.aten.registry import operation


@operation("__lshift__.Tensor", "__lshift__.Scalar")
def shift_left(x: Any, y: Any) -> Any:
    """x·2^y, of integers."""
    return jnp.left_shift(*promoted(x, y))


@operation("__rshift__.Tensor", "__rshift__.Scalar")
def shift_right(x: Any, y: Any) -> Any:
    """x / 2^y rounded down, of integers."""
    return jnp.right_shift(*promoted(x, y))


@operation("equal")
def equal(x: Any, y: Any) -> bool:
    """Tell whether two tensors are of one shape and equal: a Python bool."""
    return x.shape == y.shape and bool(jnp.all(jnp.equal(*promoted(x, y))))


@operation("allclose")
def all_close(
    x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Tell whether all elements are within tolerances: a Python bool."""
    near = (x == y) | (jnp.abs(inexact(x - y)) <= atol + jnp.abs(rtol * wide(y)))
    both = jnp.isnan(x) & jnp.isnan(y) if equal_nan else False
    return bool(jnp.all(near | both))
