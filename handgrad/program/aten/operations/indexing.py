"""Looking up by index, and writing at indices."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.operations.axes import at_least_1d, axis_of
from handgrad.program.aten.registry import operation


def _index(indices: Sequence[Any]) -> tuple[Any, ...]:
    """Return indices as JAX takes them; masks become the places where they hold.

    Raises:
        jax.errors.ConcretizationTypeError: a mask depends on traced values.
    """
    found: list[Any] = []
    for index in indices:
        if index is None:
            found.append(slice(None))
        elif index.dtype in (bool, np.uint8):
            found.extend(np.nonzero(np.asarray(index)))
        else:
            found.append(index)
    return tuple(found)


@operation("index.Tensor")
def index(x: Any, indices: Sequence[Any]) -> Any:
    """x[indices]."""
    return x[_index(indices)]


@operation("index_put", "_index_put_impl")
def index_put(
    x: Any, indices: Sequence[Any], values: Any, accumulate: bool = False, unsafe: bool = False
) -> Any:
    """Return x with other values at indices, or with values added there."""
    mask = indices[0] if len(indices) == 1 else None
    if mask is not None and mask.dtype == bool and values.size == 1 and not accumulate:
        held = jnp.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
        return jnp.where(held, jnp.reshape(values, ()), x)
    places = x.at[_index(indices)]
    return places.add(values) if accumulate else places.set(values)


@operation("gather")
def gather(x: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """Return x[..., index[..., i, ...], ...]: the index replaces that along one axis."""
    if not index.size:
        return jnp.zeros(index.shape, x.dtype)
    if not x.ndim:
        return jnp.reshape(jnp.broadcast_to(x, (max(1, index.size),)), index.shape)
    index, axis = at_least_1d(index), axis_of(x, dim)
    cut = tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(index.shape))
    return jnp.take_along_axis(x[cut], index, axis=axis, mode="promise_in_bounds")


@operation("masked_select")
def masked_select(x: Any, mask: Any) -> Any:
    """Return the elements where a mask holds."""
    shape = np.broadcast_shapes(x.shape, mask.shape)
    places = np.flatnonzero(np.broadcast_to(np.asarray(mask), shape))
    return jnp.reshape(jnp.broadcast_to(x, shape), -1)[places]


@operation("nonzero")
def nonzero(x: Any) -> Any:
    """Return the indices of what is not 0, one a row; the values must be known."""
    return jnp.asarray(np.argwhere(np.asarray(x)))


@operation("masked_scatter")
def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """Return x with the elements of a source, in order, where a mask holds."""
    shape = np.broadcast_shapes(x.shape, mask.shape)
    places = np.flatnonzero(np.broadcast_to(np.asarray(mask), shape))
    flat = jnp.reshape(jnp.broadcast_to(x, shape), -1)
    return jnp.reshape(flat.at[places].set(jnp.reshape(source, -1)[: len(places)]), shape)


@operation("embedding")
def embedding(
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Return rows of a table; that of padding takes no part in the derivative."""
    rows = jnp.take(weight, indices, axis=0)
    if padding_idx < 0:
        return rows
    padding = jnp.expand_dims(indices == padding_idx, -1)
    return jnp.where(padding, jax.lax.stop_gradient(rows), rows)
