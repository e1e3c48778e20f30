"""Softmax and softplus, which lose no digits; half floats are computed in float32, rounded once."""

from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import inexact, wide
from handgrad.program.aten.registry import operation


@operation("softplus")
def softplus(x: Any, beta: float = 1, threshold: float = 20) -> Any:
    """log(1 + e^(βx)) / β; x itself where βx is above the threshold."""
    x = wide(x)
    z = x * beta if beta != 1 else x
    curved = jax.nn.softplus(z)
    return jnp.where(z > threshold, x, curved if beta == 1 else curved / beta)


@operation("log_sigmoid_forward")
def log_sigmoid(x: Any) -> tuple[Any, Any]:
    """log σ(x), and e^-|x|, which torch keeps."""
    x = wide(x)
    return jax.nn.log_sigmoid(x), jnp.exp(-jnp.abs(x))


@operation("_softmax")
def softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    """eˣ / Σ eˣ along an axis."""
    return jax.nn.softmax(wide(inexact(x)), axis=dim) if x.ndim else jnp.ones_like(x)


@operation("_log_softmax")
def log_softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    """x - log Σ eˣ along an axis."""
    return jax.nn.log_softmax(wide(inexact(x)), axis=dim) if x.ndim else jnp.zeros_like(x)
