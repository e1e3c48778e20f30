"""Poolings of two and three dimensions; torch makes those of one dimension of them."""

import itertools
import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.promotion import is_float, wide
from handgrad.program.aten.operations.windows import Windows
from handgrad.program.aten.registry import operation


def average_pool(
    space: int,
    x: Any,
    kernel_size: Any,
    stride: Any = (),
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Average the windows of the last axes, so many."""
    windows = Windows(x.shape[-space:], kernel_size, stride, padding, 1, ceil_mode)
    return _average(x, windows, count_include_pad, divisor_override)


def _average(x: Any, windows: Windows, include_padding: bool, divisor: int | None) -> Any:
    sums = windows.reduce(wide(x), 0, lax.add)
    counts = windows.counted(include_padding) if divisor is None else np.asarray(divisor)
    if not counts.size:
        return sums
    if not is_float(x):
        return jnp.asarray(lax.div(sums, jnp.broadcast_to(counts, sums.shape).astype(sums.dtype)))
    if (counts == counts.flat[0]).all():
        return sums / int(counts.flat[0])
    return sums / jnp.asarray(counts, sums.dtype)


def max_pool(
    space: int,
    x: Any,
    kernel_size: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> tuple[Any, Any]:
    """Return the largest of each window of the last axes, so many, and its flat place there."""
    return _largest(x, Windows(x.shape[-space:], kernel_size, stride, padding, dilation, ceil_mode))


for _space in (2, 3):
    operation(f"avg_pool{_space}d")(partial(average_pool, _space))
    operation(f"max_pool{_space}d_with_indices")(partial(max_pool, _space))


def _largest(x: Any, windows: Windows) -> tuple[Any, Any]:
    _, indices = _largest_at(x, windows.places(), windows.counts)
    return windows.reduce(x, _lowest(x), lax.max), indices


def _lowest(x: Any) -> Any:
    return -np.inf if is_float(x) else jnp.iinfo(x.dtype).min


def _largest_at(x: Any, places: np.ndarray, counts: Sequence[int]) -> tuple[Any, Any]:
    """Return the largest at some places of the last axes for each window, and its place.

    Args:
        x: (..., *space).
        places: (windows, most elements of one), flat places in space, -1 for none.
        counts: of windows, along each axis of space.
    """
    space = len(counts)
    before = x.shape[: x.ndim - space]
    flat = x.reshape((*before, math.prod(x.shape[x.ndim - space :])))
    seen = jnp.where(places >= 0, flat[..., places], jnp.asarray(_lowest(x), x.dtype))
    best = jnp.argmax(seen, axis=-1)
    table = jnp.broadcast_to(jnp.asarray(places), seen.shape)
    found = jnp.take_along_axis(table, best[..., None], axis=-1, mode="promise_in_bounds")
    shape = (*before, *counts)
    return jnp.max(seen, axis=-1).reshape(shape), found.reshape(shape)


def _parts(n: int, count: int) -> list[tuple[int, int]]:
    """Return the ends of overlapping parts of nearly equal length."""
    return [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]


@operation("_adaptive_avg_pool3d")
def adaptive_average_pool(x: Any, output_size: Sequence[int]) -> Any:
    """Average the last axes to given lengths, in parts of nearly equal length."""
    x = wide(x)
    for axis, count in zip(range(-len(output_size), 0), output_size, strict=True):
        cut = [lax.slice_in_dim(x, *ends, axis=axis) for ends in _parts(x.shape[axis], count)]
        means = [jnp.sum(p, axis=axis, keepdims=True) / p.shape[axis] for p in cut]
        x = jnp.concatenate(means, axis=axis) if means else lax.slice_in_dim(x, 0, 0, axis=axis)
    return x


@operation("adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(x: Any, output_size: Sequence[int]) -> tuple[Any, Any]:
    """Return the largest in parts of nearly equal length of the last axes, and its flat place."""
    shape = x.shape[x.ndim - len(output_size) :]
    ends = [_parts(n, count) for n, count in zip(shape, output_size, strict=True)]
    windows = []
    for window in itertools.product(*ends):
        grid = np.meshgrid(*(np.arange(*end) for end in window), indexing="ij")
        windows.append(np.ravel_multi_index([axis.reshape(-1) for axis in grid], shape))
    most = max((len(window) for window in windows), default=1)
    places = np.full((len(windows), most), -1)
    for row, window in zip(places, windows, strict=True):
        row[: len(window)] = window
    return _largest_at(x, places, tuple(output_size))
