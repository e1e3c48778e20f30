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

    Args:
        function: takes pytrees of numbers or arrays as positional arguments.

    Returns:
        The same function; floating leaves of its arguments become float64, integers stay integers,
        leaves of the result are NumPy arrays.
    """

    @wraps(function)
    def with_float64(*args: Any) -> Any:
        with jax.enable_x64(True):
            return jax.device_get(function(*jax.tree.map(_as_array, args)))

    return with_float64


def _as_array(leaf: Any) -> jax.Array | np.ndarray:
    # `jnp.asarray` compiles a program for every shape; a compiled function takes NumPy's as well.
    array = leaf if isinstance(leaf, jax.Array) else np.asarray(leaf)
    return array.astype(jnp.float64) if jnp.issubdtype(array.dtype, jnp.floating) else array
