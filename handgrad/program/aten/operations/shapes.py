"""Joining, padding, repeating and masking by position, into new memory."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.axes import axis_of
from handgrad.program.aten.operations.promotion import common_dtype
from handgrad.program.aten.operations.views import part
from handgrad.program.aten.registry import operation


@operation("clone")
def clone(x: Any) -> Any:
    """Return a copy."""
    return x


@operation("_to_copy")
def converted(x: Any, *, dtype: Any = None) -> Any:
    """Convert to a dtype; of a complex number the real part, if that is real."""
    if dtype is None:
        return x
    if jnp.iscomplexobj(x) and not jnp.issubdtype(dtype, np.complexfloating):
        x = jnp.real(x) if dtype != bool else x != 0
    return x.astype(dtype)


@operation("prims.convert_element_type")
def converted_by_decomposition(x: Any, dtype: Any) -> Any:
    """Convert to a dtype, as torch's own decompositions do."""
    return converted(x, dtype=dtype)


@operation("copy")
def copied(x: Any, source: Any) -> Any:
    """Return the source in the shape and dtype of x."""
    return jnp.broadcast_to(converted(source, dtype=x.dtype), x.shape)


@operation("fill.Scalar", "fill.Tensor")
def filled(x: Any, value: Any) -> Any:
    """Return one value in the shape of x."""
    return jnp.broadcast_to(jnp.asarray(value, x.dtype), x.shape)


@operation("zero")
def zeroed(x: Any) -> Any:
    """Return zeros in the shape of x."""
    return jnp.zeros_like(x)


@operation("cat")
def concatenate(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join along an axis; empty vectors among others do not count."""
    dtype = common_dtype(*tensors)
    kept = [x for x in tensors if x.shape != (0,)] or list(tensors)
    return jnp.concatenate([x.astype(dtype) for x in kept], axis=axis_of(kept[0], dim))


@operation("stack")
def stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    """Join along a new axis."""
    dtype = common_dtype(*tensors)
    return jnp.stack([x.astype(dtype) for x in tensors], axis=dim)


@operation("block_diag")
def block_diagonal(tensors: Sequence[Any]) -> Any:
    """Put matrices on the diagonal of a larger one."""
    dtype = common_dtype(*tensors)
    blocks = [jnp.reshape(x, (1, -1)) if x.ndim < 2 else x for x in tensors]
    columns = sum(block.shape[1] for block in blocks)
    rows, start = [], 0
    for block in blocks:
        after = columns - start - block.shape[1]
        rows.append(jnp.pad(block.astype(dtype), ((0, 0), (start, after))))
        start += block.shape[1]
    return jnp.concatenate(rows)


@operation("flip")
def flip(x: Any, dims: Sequence[int]) -> Any:
    """Reverse axes."""
    return jnp.flip(x, tuple(axis_of(x, d) for d in dims)) if x.ndim else x


@operation("roll")
def roll(x: Any, shifts: Sequence[int], dims: Sequence[int] = ()) -> Any:
    """Move elements along axes, those at the end to the front."""
    shifts = [shifts] if isinstance(shifts, int) else shifts
    dims = [dims] if isinstance(dims, int) else dims
    if not x.ndim:
        return x
    if not dims:
        return jnp.reshape(_rolled(jnp.reshape(x, -1), shifts[0], 0), x.shape)
    for shift, dim in zip(shifts, dims, strict=True):
        x = _rolled(x, shift, axis_of(x, dim))
    return x


def _rolled(x: Any, shift: int, axis: int) -> Any:
    n = x.shape[axis]
    if not n or not shift % n:
        return x
    cut = n - shift % n
    return jnp.concatenate([part(x, axis, cut), part(x, axis, 0, cut)], axis=axis)


@operation("rot90")
def rot90(x: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turn by quarters, in the plane of two axes."""
    return jnp.rot90(x, k, tuple(dims))


@operation("repeat")
def repeat(x: Any, repeats: Sequence[int]) -> Any:
    """Repeat the whole along axes."""
    return jnp.tile(jnp.reshape(x, (1,) * (len(repeats) - x.ndim) + x.shape), tuple(repeats))


@operation("tril")
def lower_triangle(x: Any, diagonal: int = 0) -> Any:
    """Return the lower triangle of matrices, zeros above."""
    return jnp.where(_triangle(x, diagonal), x, jnp.zeros_like(x))


@operation("triu")
def upper_triangle(x: Any, diagonal: int = 0) -> Any:
    """Return the upper triangle of matrices, zeros below."""
    return jnp.where(_triangle(x, diagonal - 1), jnp.zeros_like(x), x)


def _triangle(x: Any, diagonal: int) -> np.ndarray:
    """Tell which elements of a matrix are on a diagonal or below."""
    return np.tri(x.shape[-2], x.shape[-1], diagonal, dtype=bool)


@operation("diag_embed")
def embed_diagonal(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Make of the last axis a diagonal of two axes, zeros elsewhere."""
    n = x.shape[-1]
    rows, columns = np.arange(n) + max(0, -offset), np.arange(n) + max(0, offset)
    size = n + abs(offset)
    made = jnp.zeros((*x.shape[:-1], size, size), x.dtype).at[..., rows, columns].set(x)
    return jnp.moveaxis(made, (-2, -1), (dim1, dim2))


@operation("constant_pad_nd")
def pad(x: Any, pad: Sequence[int], value: Any = 0) -> Any:
    """Pad with a value, the last axis first; a negative width cuts elements off."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    widths = [(0, 0, 0)] * (x.ndim - len(pairs)) + [(low, high, 0) for low, high in pairs]
    return lax.pad(x, jnp.asarray(value, x.dtype), widths)


def _padded_by_index(x: Any, padding: Sequence[int], reflects: bool) -> Any:
    """Pad the last axes with elements of their own, reflected or those at the edges."""
    for i, (low, high) in enumerate(zip(padding[::2], padding[1::2], strict=True)):
        axis = x.ndim - 1 - i
        n = x.shape[axis]
        at = np.arange(-low, n + high)
        if reflects:
            at = np.abs(at)
            at = np.where(at >= n, 2 * (n - 1) - at, at)
        x = jnp.take(x, np.clip(at, 0, n - 1), axis=axis)
    return x


@operation("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")
def pad_by_reflection(x: Any, padding: Sequence[int]) -> Any:
    """Pad with the elements next to the edges, mirrored."""
    return _padded_by_index(x, padding, reflects=True)


@operation("replication_pad1d", "replication_pad2d", "replication_pad3d")
def pad_by_edges(x: Any, padding: Sequence[int]) -> Any:
    """Pad with the elements at the edges."""
    return _padded_by_index(x, padding, reflects=False)


@operation("slice_scatter")
def write_part(
    x: Any,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Any:
    """Return x with other values where `part` would look."""
    axis = axis_of(x, dim)
    return x.at[(slice(None),) * axis + (slice(start, end, step),)].set(src)


@operation("select_scatter")
def write_selected(x: Any, src: Any, dim: int, index: int) -> Any:
    """Return x with other values at one index of an axis."""
    return x.at[(slice(None),) * axis_of(x, dim) + (index,)].set(src)


@operation("diagonal_scatter")
def write_diagonal(x: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return x with another diagonal."""
    dims = axis_of(x, dim1), axis_of(x, dim2)
    moved = jnp.moveaxis(x, dims, (-2, -1))
    at = np.arange(src.shape[-1])
    rows, columns = at + max(0, -offset), at + max(0, offset)
    return jnp.moveaxis(moved.at[..., rows, columns].set(src), (-2, -1), dims)


@operation("complex")
def complex_number(real: Any, imag: Any) -> Any:
    """Return real + i·imag."""
    return lax.complex(*jnp.broadcast_arrays(real, imag))


@operation("polar")
def from_polar(abs: Any, angle: Any) -> Any:
    """Return r·(cos φ + i·sin φ)."""
    return lax.complex(abs * jnp.cos(angle), abs * jnp.sin(angle))


@operation("angle")
def angle(x: Any) -> Any:
    """Return the angle of complex numbers; of real ones 0, or π where they are negative."""
    if jnp.iscomplexobj(x):
        return jnp.angle(x)
    return jnp.where(jnp.isnan(x), jnp.nan, jnp.where(x < 0, np.pi, 0.0))


@operation("channel_shuffle")
def shuffle_channels(x: Any, groups: int) -> Any:
    """Exchange groups and channels of (N, channels, ...)."""
    n, channels, *space = x.shape
    grouped = jnp.reshape(x, (n, groups, channels // groups, *space))
    return jnp.reshape(jnp.swapaxes(grouped, 1, 2), x.shape)
