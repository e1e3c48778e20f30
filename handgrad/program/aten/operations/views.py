"""Views: results that share memory with their argument. Writing to one is in `views.py` above."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.axes import at_least_1d, axis_of
from handgrad.program.aten.registry import operation


@operation("view", "_unsafe_view", "view_copy")
def view(x: Any, size: Sequence[int]) -> Any:
    """Return the same elements in another shape."""
    known = [n for n in size if n != -1]
    rest = x.size // max(1, int(np.prod(known)))
    return jnp.reshape(x, tuple(rest if n == -1 else n for n in size))


@operation("_reshape_alias", "_reshape_copy")
def reshaped(x: Any, size: Sequence[int], stride: Sequence[int] = ()) -> Any:
    """Return the same elements in another shape."""
    return view(x, size)


@operation("alias", "alias_copy", "detach", "detach_copy", "lift_fresh_copy")
def alias(x: Any) -> Any:
    """Return the same."""
    return x


@operation("t", "t_copy")
def t(x: Any) -> Any:
    """Return the transpose of a matrix; a vector as it is."""
    return x.T


@operation("transpose.int", "transpose_copy.int")
def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Exchange two axes."""
    return jnp.swapaxes(x, dim0, dim1) if x.ndim else x


@operation("permute", "permute_copy")
def permute(x: Any, dims: Sequence[int]) -> Any:
    """Put the axes in another order."""
    return jnp.transpose(x, tuple(axis_of(x, d) for d in dims))


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


@operation("unsqueeze", "unsqueeze_copy")
def unsqueeze(x: Any, dim: int) -> Any:
    """Insert an axis of length 1."""
    return jnp.expand_dims(x, dim)


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


@operation("diagonal", "diagonal_copy")
def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return a diagonal of two axes, as the last axis."""
    return jnp.diagonal(x, offset, axis_of(x, dim1), axis_of(x, dim2))


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


@operation("view_as_real", "view_as_real_copy")
def view_as_real(x: Any) -> Any:
    """Return real and imaginary parts, as a last axis of two."""
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)


@operation("real", "prims.real")
def real(x: Any) -> Any:
    """Return the real part, for which derivatives of PyTorch's own ask by its name."""
    return jnp.real(x)


@operation("imag", "prims.imag")
def imaginary(x: Any) -> Any:
    """Return the imaginary part; see `real`."""
    return jnp.imag(x)


@operation("view_as_complex", "view_as_complex_copy")
def view_as_complex(x: Any) -> Any:
    """Join the two elements of the last axis to a complex number."""
    return lax.complex(x[..., 0], x[..., 1])


@operation("_conj", "_conj_physical", "_conj_copy", "conj_physical")
def conjugate(x: Any) -> Any:
    """Return the complex conjugate."""
    return jnp.conj(x)


@operation("_neg_view", "_neg_view_copy")
def negated(x: Any) -> Any:
    """-x, as the imaginary part of a conjugate is stored."""
    return -x
