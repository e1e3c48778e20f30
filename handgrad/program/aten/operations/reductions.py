"""Extremes and running sums along axes; half floats are summed in float32."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axes_of, axis_of
from handgrad.program.aten.operations.promotion import inexact, is_inexact, wide
from handgrad.program.aten.registry import operation


def _summands(x: Any, dtype: Any = None) -> Any:
    """Convert what is summed or multiplied: integers and truth values to int64."""
    if dtype is not None:
        x = x.astype(dtype)
    return wide(x) if is_inexact(x) else x.astype(jnp.int64)


def _index_of(
    best: Callable[..., Any], x: Any, dim: int | None = None, keepdim: bool = False
) -> Any:
    """Return where along an axis an extreme is first; NaN is the largest and the smallest."""
    if not x.ndim:
        return jnp.zeros((), jnp.int64)
    found = best(x if dim is not None else x.reshape(-1), axis=0 if dim is None else dim)
    if not keepdim:
        return found
    return found.reshape((1,) * x.ndim) if dim is None else jnp.expand_dims(found, dim)


def _extreme(
    of: Callable[..., Any],
    at: Callable[..., Any],
    x: Any,
    dim: int | None = None,
    keepdim: bool = False,
) -> Any:
    """Return the extreme of all; or along an axis, and where it is first."""
    if dim is None:
        return of(x)
    return of(x, axis=axes_of(x, dim), keepdims=keepdim), _index_of(at, x, dim, keepdim)


@operation("logsumexp")
def log_sum_exp(x: Any, dim: int | Sequence[int], keepdim: bool = False) -> Any:
    """log Σ exp over axes."""
    x = wide(inexact(x))
    return jax.scipy.special.logsumexp(x, axis=axes_of(x, dim), keepdims=keepdim)


def _running(
    combine: Callable[..., Any], prepared: Callable[..., Any], x: Any, dim: int, **how: Any
) -> Any:
    """Return what the first elements along an axis come to, up to each."""
    x = prepared(x, **how)
    return combine(x, axis=axis_of(x, dim)) if x.ndim else x


operation("cumsum")(partial(_running, lax.cumsum, _summands))
operation("cumprod")(partial(_running, lax.cumprod, _summands))
operation("logcumsumexp")(partial(_running, lax.cumlogsumexp, wide))


def _running_extreme(running: Callable[..., Any], x: Any, dim: int) -> tuple[Any, Any]:
    """Return the extreme so far, and where it was last."""
    line, axis = at_least_1d(x), axis_of(x, dim)
    values = running(line, axis=axis)
    here = (line == values) | jnp.isnan(line) if is_inexact(x) else line == values
    places = lax.broadcasted_iota(jnp.int64, line.shape, axis)
    indices = lax.cummax(jnp.where(here, places, jnp.zeros_like(places)), axis=axis)
    return values.reshape(x.shape), indices.reshape(x.shape)


for _name, _of, _at, _so_far in (
    ("max", jnp.max, jnp.argmax, lax.cummax),
    ("min", jnp.min, jnp.argmin, lax.cummin),
):
    operation(f"arg{_name}")(partial(_index_of, _at))
    operation(_name, f"{_name}.dim")(partial(_extreme, _of, _at))
    operation(f"cum{_name}")(partial(_running_extreme, _so_far))
