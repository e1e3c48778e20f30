"""Products, extremes and running sums along axes; half floats are summed in float32."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axes_of, axis_of
from handgrad.program.aten.operations.promotion import inexact, is_inexact, wide
from handgrad.program.aten.registry import operation

Dim = int | Sequence[int] | None


def _summands(x: Any, dtype: Any) -> Any:
    """Convert what is summed or multiplied: integers and truth values to int64."""
    if dtype is not None:
        x = x.astype(dtype)
    return wide(x) if is_inexact(x) else x.astype(jnp.int64)


@operation("prod", "prod.dim_int")
def product(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Multiply over axes."""
    return jnp.prod(_summands(x, dtype), axis=axes_of(x, dim), keepdims=keepdim)


def _index_of(best: Callable[..., Any], x: Any, dim: int | None, keepdim: bool) -> Any:
    """Return where along an axis an extreme is first; NaN is the largest and the smallest."""
    if not x.ndim:
        return jnp.zeros((), jnp.int64)
    found = best(x if dim is not None else x.reshape(-1), axis=0 if dim is None else dim)
    if not keepdim:
        return found
    return found.reshape((1,) * x.ndim) if dim is None else jnp.expand_dims(found, dim)


@operation("argmax")
def index_of_largest(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return where the largest is, in the flattened tensor or along an axis."""
    return _index_of(jnp.argmax, x, dim, keepdim)


@operation("argmin")
def index_of_smallest(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return where the smallest is, in the flattened tensor or along an axis."""
    return _index_of(jnp.argmin, x, dim, keepdim)


@operation("max", "max.dim")
def maximum_of(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the largest of all; or along an axis, and where it is."""
    if dim is None:
        return jnp.max(x)
    largest = jnp.max(x, axis=axes_of(x, dim), keepdims=keepdim)
    return largest, index_of_largest(x, dim, keepdim)


@operation("min", "min.dim")
def minimum_of(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest of all; or along an axis, and where it is."""
    if dim is None:
        return jnp.min(x)
    smallest = jnp.min(x, axis=axes_of(x, dim), keepdims=keepdim)
    return smallest, index_of_smallest(x, dim, keepdim)


@operation("logsumexp")
def log_sum_exp(x: Any, dim: Dim, keepdim: bool = False) -> Any:
    """log Σ exp over axes."""
    x = wide(inexact(x))
    return jax.scipy.special.logsumexp(x, axis=axes_of(x, dim), keepdims=keepdim)


@operation("cumsum")
def running_sum(x: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the sums of the first elements along an axis."""
    x = _summands(x, dtype)
    return lax.cumsum(x, axis=axis_of(x, dim)) if x.ndim else x


@operation("cumprod")
def running_product(x: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the products of the first elements along an axis."""
    x = _summands(x, dtype)
    return lax.cumprod(x, axis=axis_of(x, dim)) if x.ndim else x


@operation("logcumsumexp")
def running_log_sum_exp(x: Any, dim: int) -> Any:
    """Return log Σ exp of the first elements along an axis."""
    return lax.cumlogsumexp(wide(x), axis=axis_of(x, dim)) if x.ndim else x


def _running_extreme(running: Callable[..., Any], x: Any, dim: int) -> tuple[Any, Any]:
    """Return the extreme so far, and where it was last."""
    line, axis = at_least_1d(x), axis_of(x, dim)
    values = running(line, axis=axis)
    here = (line == values) | jnp.isnan(line) if is_inexact(x) else line == values
    places = lax.broadcasted_iota(jnp.int64, line.shape, axis)
    indices = lax.cummax(jnp.where(here, places, jnp.zeros_like(places)), axis=axis)
    return values.reshape(x.shape), indices.reshape(x.shape)


@operation("cummax")
def running_largest(x: Any, dim: int) -> tuple[Any, Any]:
    """Return the largest so far along an axis, and where it was last."""
    return _running_extreme(lax.cummax, x, dim)


@operation("cummin")
def running_smallest(x: Any, dim: int) -> tuple[Any, Any]:
    """Return the smallest so far along an axis, and where it was last."""
    return _running_extreme(lax.cummin, x, dim)
