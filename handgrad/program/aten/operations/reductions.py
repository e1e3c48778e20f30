"""Sums, products, means, extremes and norms over axes; half floats are summed in float32."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axes_of, axis_of, count_of
from handgrad.program.aten.operations.comparisons import truth
from handgrad.program.aten.operations.promotion import inexact, is_inexact, wide
from handgrad.program.aten.registry import operation

Dim = int | Sequence[int] | None


def _summands(x: Any, dtype: Any) -> Any:
    """Convert what is summed or multiplied: integers and truth values to int64."""
    if dtype is not None:
        x = x.astype(dtype)
    return wide(x) if is_inexact(x) else x.astype(jnp.int64)


@operation("sum", "sum.dim_IntList")
def total(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Sum over axes."""
    return jnp.sum(_summands(x, dtype), axis=axes_of(x, dim), keepdims=keepdim)


@operation("nansum")
def total_of_numbers(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Sum over axes, NaN counted as 0."""
    x = jnp.where(jnp.isnan(x), jnp.zeros_like(x), x) if is_inexact(x) else x
    return total(x, dim, keepdim, dtype=dtype)


@operation("prod", "prod.dim_int")
def product(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Multiply over axes."""
    return jnp.prod(_summands(x, dtype), axis=axes_of(x, dim), keepdims=keepdim)


@operation("mean", "mean.dim")
def mean(x: Any, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Average over axes."""
    x = wide(x if dtype is None else x.astype(dtype))
    axes = axes_of(x, dim)
    return jnp.sum(x, axis=axes, keepdims=keepdim) / count_of(x, axes)


@operation("var.correction")
def variance(
    x: Any, dim: Dim = None, *, correction: float | None = None, keepdim: bool = False
) -> Any:
    """Return the mean square of the deviations, the count lessened by the correction (1)."""
    return variance_and_mean(x, dim, correction=correction, keepdim=keepdim)[0]


@operation("std.correction")
def deviation(
    x: Any, dim: Dim = None, *, correction: float | None = None, keepdim: bool = False
) -> Any:
    """Return the root of the variance."""
    return jnp.sqrt(variance(x, dim, correction=correction, keepdim=keepdim))


@operation("var_mean.correction")
def variance_and_mean(
    x: Any, dim: Dim = None, *, correction: float | None = None, keepdim: bool = False
) -> tuple[Any, Any]:
    """Return the variance and the mean."""
    x, axes = wide(x), axes_of(x, dim)
    count = count_of(x, axes)
    middle = jnp.sum(x, axis=axes, keepdims=True) / count
    squares = jnp.square(jnp.abs(x - middle)) if jnp.iscomplexobj(x) else jnp.square(x - middle)
    left = max(0, count - (1 if correction is None else correction))
    spread = jnp.sum(squares, axis=axes, keepdims=keepdim) / left
    return spread, middle if keepdim else jnp.reshape(middle, spread.shape)


@operation("std_mean.correction")
def deviation_and_mean(
    x: Any, dim: Dim = None, *, correction: float | None = None, keepdim: bool = False
) -> tuple[Any, Any]:
    """Return the root of the variance, and the mean."""
    spread, middle = variance_and_mean(x, dim, correction=correction, keepdim=keepdim)
    return jnp.sqrt(spread), middle


@operation("amax")
def largest(x: Any, dim: Dim = (), keepdim: bool = False) -> Any:
    """Return the largest over axes; NaN if there is one."""
    return jnp.max(x, axis=axes_of(x, dim), keepdims=keepdim)


@operation("amin")
def smallest(x: Any, dim: Dim = (), keepdim: bool = False) -> Any:
    """Return the smallest over axes; NaN if there is one."""
    return jnp.min(x, axis=axes_of(x, dim), keepdims=keepdim)


@operation("aminmax")
def both_extremes(x: Any, *, dim: int | None = None, keepdim: bool = False) -> tuple[Any, Any]:
    """Return the smallest and the largest."""
    return smallest(x, dim, keepdim), largest(x, dim, keepdim)


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
        return largest(x)
    return largest(x, dim, keepdim), index_of_largest(x, dim, keepdim)


@operation("min", "min.dim")
def minimum_of(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the smallest of all; or along an axis, and where it is."""
    if dim is None:
        return smallest(x)
    return smallest(x, dim, keepdim), index_of_smallest(x, dim, keepdim)


@operation("all", "all.dim", "all.dims")
def all_true(x: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Tell whether all are not 0."""
    return jnp.all(truth(x), axis=_listed(x, dim), keepdims=keepdim)


@operation("any", "any.dim", "any.dims")
def any_true(x: Any, dim: Dim = None, keepdim: bool = False) -> Any:
    """Tell whether any is not 0."""
    return jnp.any(truth(x), axis=_listed(x, dim), keepdims=keepdim)


def _listed(x: Any, dim: Dim) -> tuple[int, ...]:
    """Return axes, of which an empty list has none."""
    return () if dim is not None and dim == [] else axes_of(x, dim)


@operation("count_nonzero", "count_nonzero.dim_IntList")
def count_of_nonzero(x: Any, dim: Dim = None) -> Any:
    """Count what is not 0."""
    return jnp.sum(truth(x), axis=axes_of(x, dim), dtype=jnp.int64)


@operation("logsumexp")
def log_sum_exp(x: Any, dim: Dim, keepdim: bool = False) -> Any:
    """log Σ exp over axes."""
    x = wide(inexact(x))
    return jax.scipy.special.logsumexp(x, axis=axes_of(x, dim), keepdims=keepdim)


@operation("linalg_vector_norm")
def vector_norm(
    x: Any,
    ord: float = 2,
    dim: Dim = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Any:
    """(Σ |x|^p)^(1/p); the largest for ∞, the smallest for -∞, and for 0 the count of others."""
    x = wide(x if dtype is None else x.astype(dtype))
    options: dict[str, Any] = {"axis": axes_of(x, dim), "keepdims": keepdim}
    if ord == 2:
        squares = jnp.square(jnp.abs(x)) if jnp.iscomplexobj(x) else jnp.square(x)
        return jnp.sqrt(jnp.sum(squares, **options))
    if math.isinf(ord):
        return (jnp.max if ord > 0 else jnp.min)(jnp.abs(x), **options)
    if ord == 0:
        return jnp.sum((x != 0).astype(jnp.abs(x).dtype), **options)
    if ord == 1:
        return jnp.sum(jnp.abs(x), **options)
    whole = float(ord).is_integer()
    powers = lax.integer_pow(jnp.abs(x), int(ord)) if whole else jnp.power(jnp.abs(x), ord)
    return jnp.power(jnp.sum(powers, **options), 1 / ord)


@operation("norm.Scalar", "norm.ScalarOpt_dim", "norm.ScalarOpt_dtype", "norm.ScalarOpt_dim_dtype")
def norm(
    x: Any, p: float | None = 2, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """(Σ |x|^p)^(1/p), as `vector_norm`."""
    return vector_norm(x, 2 if p is None else p, dim, keepdim, dtype=dtype)


@operation("dist")
def distance(x: Any, y: Any, p: float = 2) -> Any:
    """Return the norm of a difference."""
    return vector_norm(wide(x) - wide(y), p)


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


@operation("trace")
def trace(x: Any) -> Any:
    """Sum the diagonal of a matrix."""
    return jnp.trace(_summands(x, None))
