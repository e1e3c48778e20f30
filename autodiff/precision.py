"""Compute in float64 without changing JAX's global setting."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def in_float64(function: Callable) -> Callable:
    """Let `function` compute in float64, whatever JAX's default is, and answer in NumPy arrays.

    JAX turns float64 into float32 on entry unless 64 bits are enabled, and a float64 JAX array that
    leaves the enabled region degrades at the next operation; NumPy arrays do neither. Meant for the
    outermost call: to differentiate or `vmap` further, take the pure functions instead.

    It takes pytrees of numbers or arrays as positional arguments; their floating leaves become
    float64, integers stay integers, and the leaves of the result are NumPy arrays.
    """

    @wraps(function)
    def with_float64(*args: Any) -> Any:
        with jax.enable_x64(True):
            # `jax.device_get` takes five times as long for scalars.
            return jax.tree.map(np.asarray, function(*jax.tree.map(as_float64, args)))

    return with_float64


def as_float64(leaf: Any) -> jax.Array | np.ndarray:
    """Turn a number or a floating array into a float64 array; integers stay integers."""
    # `jnp.asarray` compiles a program for every shape; a compiled function takes NumPy's as well.
    array = leaf if isinstance(leaf, jax.Array) else np.asarray(leaf)
    if array.dtype != np.float64 and jnp.issubdtype(array.dtype, jnp.floating):
        return array.astype(np.float64)
    return array
