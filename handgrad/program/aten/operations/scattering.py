"""Scattering: values written, added or combined at an index of each along an axis."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.operations.axes import at_least_1d, axis_of
from handgrad.program.aten.operations.promotion import is_float, wide
from handgrad.program.aten.registry import operation

#: Names of the same reduction: those of `scatter`, and those of `scatter_reduce`; None of either.
_REDUCTIONS = {
    None: "set",
    "add": "add",
    "sum": "add",
    "mean": "add",
    "multiply": "multiply",
    "prod": "multiply",
    "amax": "max",
    "amin": "min",
}


def _places(x: Any, dim: int, index: Any) -> tuple[Any, ...]:
    """Return the index in every axis of each element of `index`."""
    grid = np.indices(index.shape, sparse=True)
    axis = axis_of(x, dim)
    return tuple(index if i == axis else each for i, each in enumerate(grid))


def _scattered(x: Any, dim: int, index: Any, src: Any, how: str) -> Any:
    line, index = at_least_1d(x), at_least_1d(index)
    if hasattr(src, "dtype") and src.ndim == index.ndim:
        src = src[tuple(slice(n) for n in index.shape)]
    values = jnp.broadcast_to(jnp.asarray(src, x.dtype), index.shape)
    return jnp.reshape(getattr(line.at[_places(line, dim, index)], how)(values), x.shape)


@operation("scatter.src", "scatter.value", "scatter.reduce", "scatter.value_reduce")
def scatter(x: Any, dim: int, index: Any, src: Any, *, reduce: str | None = None) -> Any:
    """Return x with other values, or values added or multiplied, at indices along an axis."""
    return _scattered(wide(x), dim, index, src, _REDUCTIONS[reduce])


operation("scatter_add")(partial(scatter, reduce="add"))


@operation("scatter_reduce.two")
def scatter_reduce(
    x: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """Return x combined with values at indices along an axis, or what is met there without x."""
    dtype, x, src = x.dtype, wide(x), wide(src)
    how = _REDUCTIONS[reduce]
    start = x if include_self else scatter(x, dim, index, _neutral(how, x.dtype))
    made = _scattered(start, dim, index, src, how)
    if reduce != "mean":
        return made
    ones = jnp.ones_like(x) if include_self else scatter(jnp.ones_like(x), dim, index, 0)
    counts = _scattered(ones, dim, index, 1, "add")
    counts = jnp.maximum(counts, jnp.ones_like(counts))
    return made / counts if is_float(dtype) else jnp.floor_divide(made, counts)


def _neutral(how: str, dtype: Any) -> Any:
    """Return the number that changes nothing in a reduction."""
    if how in ("add", "multiply"):
        return 0 if how == "add" else 1
    if is_float(dtype):
        return -np.inf if how == "max" else np.inf
    info = jnp.iinfo(dtype)
    return info.min if how == "max" else info.max
