"""Activation functions, softmax among them; half floats are computed in float32, rounded once."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import inexact, promoted, wide
from handgrad.program.aten.registry import operation


@operation("relu")
def relu(x: Any) -> Any:
    """max(x, 0)."""
    return jax.nn.relu(x)


@operation("leaky_relu")
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Return x, or x·slope where it is not positive."""
    x = wide(x)
    return jnp.where(x > 0, x, x * negative_slope)


@operation("_prelu_kernel")
def prelu(x: Any, weight: Any) -> Any:
    """Return x, or x·weight where it is not positive."""
    return jnp.where(x > 0, x, weight * x)


@operation("gelu")
def gelu(x: Any, *, approximate: str = "none") -> Any:
    """x·Φ(x), or its approximation by tanh."""
    x = wide(x)
    if approximate == "tanh":
        return jax.nn.gelu(x, approximate=True)
    return x * 0.5 * (1 + jax.lax.erf(x * math.sqrt(0.5)))


@operation("silu")
def silu(x: Any) -> Any:
    """x·σ(x)."""
    return jax.nn.silu(wide(x))


@operation("mish")
def mish(x: Any) -> Any:
    """x·tanh(log(1 + eˣ))."""
    x = wide(x)
    return x * jnp.tanh(jax.nn.softplus(x))


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


@operation("elu")
def elu(x: Any, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Any:
    """Return scale·x, or scale·α·(e^(x·input_scale) - 1) where it is not positive."""
    x = wide(x)
    negative = jnp.expm1(jnp.where(x > 0, jnp.zeros_like(x), x) * input_scale)
    return jnp.where(x > 0, x * scale, negative * (alpha * scale))


@operation("celu")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return x, or α·(e^(x/α) - 1) where it is not positive."""
    return elu(x, alpha, 1, 1 / alpha)


@operation("hardtanh")
def hardtanh(x: Any, min_val: float = -1, max_val: float = 1) -> Any:
    """Hold x between two numbers."""
    x, low, high = promoted(x, min_val, max_val)
    return jnp.clip(x, low, high)


@operation("hardsigmoid")
def hardsigmoid(x: Any) -> Any:
    """min(max(x + 3, 0), 6) / 6."""
    return jnp.clip(wide(x) + 3, 0, 6) / 6


@operation("hardswish")
def hardswish(x: Any) -> Any:
    """x·min(max(x + 3, 0), 6) / 6."""
    x = wide(x)
    return x * jnp.clip(x + 3, 0, 6) / 6


@operation("hardshrink")
def hardshrink(x: Any, lambd: float = 0.5) -> Any:
    """Return x, or 0 within ±λ."""
    return jnp.where((x >= -lambd) & (x <= lambd), jnp.zeros_like(x), x)


@operation("softshrink")
def softshrink(x: Any, lambd: float = 0.5) -> Any:
    """Return x moved towards 0 by λ."""
    x = wide(x)
    inside = jnp.where(jnp.isnan(x), x, jnp.zeros_like(x))
    return jnp.where(x > lambd, x - lambd, jnp.where(x < -lambd, x + lambd, inside))


@operation("threshold")
def threshold(x: Any, threshold: float, value: float) -> Any:
    """Return x where it is above the threshold, else the value."""
    return jnp.where(x <= threshold, jnp.asarray(value, x.dtype), x)


@operation("glu")
def glu(x: Any, dim: int = -1) -> Any:
    """a·σ(b), of the halves a and b along an axis."""
    a, b = jnp.split(wide(x), 2, axis=dim)
    return a * jax.nn.sigmoid(b)


@operation("_softmax")
def softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    """eˣ / Σ eˣ along an axis."""
    return jax.nn.softmax(wide(inexact(x)), axis=dim) if x.ndim else jnp.ones_like(x)


@operation("_log_softmax")
def log_softmax(x: Any, dim: int, half_to_float: bool = False) -> Any:
    """x - log Σ eˣ along an axis."""
    return jax.nn.log_softmax(wide(inexact(x)), axis=dim) if x.ndim else jnp.zeros_like(x)


@operation("_safe_softmax")
def safe_softmax(x: Any, dim: int, dtype: Any = None) -> Any:
    """Return softmax, and 0 where all along the axis are -∞."""
    x = wide(inexact(x if dtype is None else x.astype(dtype)))
    if not x.ndim:
        return jnp.where(x == -jnp.inf, jnp.zeros_like(x), jnp.ones_like(x))
    empty = jnp.all(x == -jnp.inf, axis=dim, keepdims=True)
    return jnp.where(empty, 0.0, jax.nn.softmax(jnp.where(empty, 0.0, x), axis=dim))
