"""Views: results that share memory with their argument. Writing to one is in `views.py` above."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axis_of
from handgrad.program.aten.registry import operation

#: Views, each of which has a copy, `transpose_copy.int`, and what is such a copy by another name.
_OF_JAX: dict[str, Callable[..., Any]] = {
    "_conj": jnp.conj,
    "_conj_physical": jnp.conj,
    "_neg_view": jnp.negative,  # as the imaginary part of a conjugate is stored
    "_reshape": lambda x, size: jnp.reshape(x, size),
    "_reshape_alias": lambda x, size, stride: jnp.reshape(x, size),
    "_unsafe_view": jnp.reshape,
    "alias": lambda x: x,
    "conj_physical": jnp.conj,
    "detach": lambda x: x,
    "diagonal": jnp.diagonal,
    "imag": jnp.imag,
    "lift_fresh": lambda x: x,
    "permute": jnp.transpose,
    "real": jnp.real,
    "t": jnp.transpose,
    "transpose.int": lambda x, *axes: jnp.swapaxes(x, *axes) if x.ndim else x,
    "unsqueeze": jnp.expand_dims,
    "view": jnp.reshape,
    "view_as_complex": lambda x: lax.complex(x[..., 0], x[..., 1]),
    "view_as_real": lambda x: jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1),
}

for _name, _of_jax in _OF_JAX.items():
    _packet, _dot, _overload = _name.partition(".")
    operation(_name, f"{_packet}_copy{_dot}{_overload}")(_of_jax)


@operation("expand", "expand_copy")
def expand(x: Any, size: Sequence[int], *, implicit: bool = False) -> Any:
    """Repeat along axes of length 1; -1 leaves one as it is."""
    own = (1,) * (len(size) - x.ndim) + x.shape
    return jnp.broadcast_to(x, [n if n != -1 else m for n, m in zip(size, own, strict=True)])


@operation("squeeze", "squeeze.dim", "squeeze.dims", "squeeze_copy", "squeeze_copy.dim")
@operation("squeeze_copy.dims")
def squeeze(x: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Drop axes of length 1."""
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    axes = {axis_of(x, d) for d in dims}
    return jnp.reshape(x, [n for i, n in enumerate(x.shape) if n != 1 or i not in axes])


@operation("select.int", "select_copy.int")
def select(x: Any, dim: int, index: int) -> Any:
    """Return the elements at one index of an axis."""
    return lax.index_in_dim(x, index, axis_of(x, dim), keepdims=False)


@operation("slice.Tensor", "slice_copy.Tensor")
def part(
    x: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """Return the elements at indices start, start + step, ... before end."""
    axis = axis_of(x, dim)
    start, end, _ = slice(start, end).indices(x.shape[axis])
    return lax.slice_in_dim(x, start, max(start, end), step, axis)


@operation("unfold", "unfold_copy")
def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """Return the windows of an axis; what is inside one is the last axis."""
    line, axis = at_least_1d(x), axis_of(x, dimension)
    count = (line.shape[axis] - size) // step + 1
    places = np.arange(count)[:, None] * step + np.arange(size)
    taken = jnp.moveaxis(jnp.take(line, places.reshape(-1), axis=axis), axis, -1)
    windows = jnp.reshape(taken, (*taken.shape[:-1], count, size))
    return jnp.moveaxis(windows, -2, axis) if x.ndim else windows[0]


@operation("as_strided", "as_strided_copy")
def as_strided(
    x: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Any:
    """Return the elements at some places of an array's memory; see `views.check_strided`."""
    places = np.full(tuple(size), storage_offset or 0)
    for axis, step in enumerate(stride):
        shape = [n if k == axis else 1 for k, n in enumerate(size)]
        places += np.arange(size[axis]).reshape(shape) * step
    return jnp.reshape(x, -1)[places]
