"""Sorting and selecting by rank. NaN is larger than any number."""

from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axis_of
from handgrad.program.aten.operations.promotion import is_inexact, promoted
from handgrad.program.aten.registry import operation


@operation("sort", "sort.stable")
def sort(
    x: Any, dim: int = -1, descending: bool = False, *, stable: bool | None = None
) -> tuple[Any, Any]:
    """Return the elements in order along an axis, equal ones as they were, and their indices."""
    line, axis = at_least_1d(x), axis_of(x, dim)
    places = lax.broadcasted_iota(jnp.int64, line.shape, axis)
    if descending:  # the reverse of the reversed in ascending order keeps the order of equal ones
        line, places = jnp.flip(line, axis), jnp.flip(places, axis)
    found = lax.sort((line, places), dimension=axis, is_stable=True, num_keys=1)
    found = [jnp.flip(each, axis) if descending else each for each in found]
    values, indices = (jnp.reshape(each, x.shape) for each in found)
    return values, indices


@operation("topk")
def top_k(
    x: Any,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> tuple[Any, Any]:
    """Return the k largest or smallest along an axis, in order, and their indices."""
    if not x.ndim:
        return x, jnp.zeros((), jnp.int64)
    values, indices = sort(x, dim, descending=largest)
    axis = axis_of(x, dim)
    return lax.slice_in_dim(values, 0, k, axis=axis), lax.slice_in_dim(indices, 0, k, axis=axis)


@operation("kthvalue")
def kth_smallest(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Any, Any]:
    """Return the k-th smallest along an axis, and where it is."""
    line, axis = at_least_1d(x), axis_of(x, dim)
    found = [lax.index_in_dim(each, k - 1, axis, keepdim) for each in sort(line, axis)]
    if not x.ndim:
        found = [jnp.reshape(each, ()) for each in found]
    values, indices = found
    return values, indices


@operation("median", "median.dim")
def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the lower one of the two in the middle; NaN if there is one."""
    if dim is None:
        return median(jnp.reshape(x, -1), 0)[0] if x.size else jnp.full((), jnp.nan, x.dtype)
    line, axis = at_least_1d(x), axis_of(x, dim)
    values, indices = kth_smallest(line, (line.shape[axis] + 1) // 2, axis, keepdim)
    if is_inexact(x):
        is_nan = jnp.isnan(line)
        first = jnp.argmax(is_nan, axis=axis, keepdims=keepdim)
        some = jnp.any(is_nan, axis=axis, keepdims=keepdim)
        values = jnp.where(some, jnp.nan, values)
        indices = jnp.where(some, first, indices)
    return (values, indices) if x.ndim else (jnp.reshape(values, ()), jnp.reshape(indices, ()))


@operation("searchsorted.Tensor", "searchsorted.Scalar")
def search_sorted(
    sorted_sequence: Any,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Return before which element of a sorted sequence each value belongs."""
    line, values = (jnp.asarray(each) for each in promoted(sorted_sequence, values))
    if sorter is not None:
        line = jnp.take_along_axis(line, sorter, axis=-1)
    line = line if line.ndim == 1 else line[..., None, :]
    smaller = line <= values[..., None] if right or side == "right" else line < values[..., None]
    return jnp.sum(smaller, axis=-1, dtype=jnp.int64)
