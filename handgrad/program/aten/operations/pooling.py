"""Poolings of two and three dimensions; torch makes those of one dimension of them."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.convolution import each
from handgrad.program.aten.operations.promotion import is_float, wide
from handgrad.program.aten.registry import operation


@dataclass(frozen=True)
class Windows:
    """Where the windows of a pooling lie: numbers for each dimension of space."""

    counts: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    beyond: tuple[int, ...]  #: how far the last one reaches beyond the elements

    @classmethod
    def of(
        cls, shape: Sequence[int], size: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
    ) -> Self:
        """Place windows in a space, as PyTorch's arguments say."""
        space = len(shape)
        stride = size if stride is None or (not isinstance(stride, int) and not stride) else stride
        size, stride, padding, dilation = (
            each(n, space) for n in (size, stride, padding, dilation)
        )
        counts, beyond = [], []
        for n, k, s, p, d in zip(shape, size, stride, padding, dilation, strict=True):
            span = d * (k - 1) + 1
            room = n + 2 * p - span
            count = (-(-room // s) if ceil else room // s) + 1
            # The last window must begin within the input or the padding before it.
            count -= ceil and (count - 1) * s >= n + p
            counts.append(count)
            beyond.append(max(0, (count - 1) * s + span - p - n))
        return cls(tuple(counts), size, stride, padding, dilation, tuple(beyond))

    def reduce(self, x: Any, start: Any, combine: Any) -> Any:
        """Combine the elements of each window, of the last axes."""
        before = (1,) * (x.ndim - len(self.size))
        return lax.reduce_window(
            x,
            np.asarray(start, x.dtype),
            combine,
            window_dimensions=(*before, *self.size),
            window_strides=(*before, *self.stride),
            # What the last window leaves is left: JAX does not differentiate where it is cut off.
            padding=[*((0, 0) for _ in before), *zip(self.padding, self.beyond, strict=True)],
            window_dilation=(*before, *self.dilation),
        )

    def members(self, array: np.ndarray, padding: int = 0) -> np.ndarray:
        """Return the elements of each window, (windows, size): a number in padding, 0 beyond."""
        padded = np.pad(array, [(p, p) for p in self.padding], constant_values=padding)
        pairs = zip(self.padding, self.beyond, strict=True)
        padded = np.pad(padded, [(0, max(0, b - p)) for p, b in pairs])
        spans = [d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True)]
        found = np.lib.stride_tricks.sliding_window_view(padded, spans)
        starts = [slice(0, c * s, s) for c, s in zip(self.counts, self.stride, strict=True)]
        inside = [slice(None, None, d) for d in self.dilation]
        return found[(*starts, *inside)].reshape(math.prod(self.counts), -1)


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
    shape = x.shape[-space:]
    windows = Windows.of(shape, kernel_size, stride, padding, 1, ceil_mode)
    sums = windows.reduce(wide(x), 0, lax.add)
    members = windows.members(np.ones(shape, np.int64), int(count_include_pad))
    counts = members.sum(axis=1).reshape(windows.counts)
    if divisor_override is not None:
        counts[...] = divisor_override
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
    shape = x.shape[-space:]
    windows = Windows.of(shape, kernel_size, stride, padding, dilation, ceil_mode)
    # From 1, since 0 is what is beyond.
    places = windows.members(np.arange(1, 1 + math.prod(shape)).reshape(shape)) - 1
    _, indices = _largest_at(x, places, windows.counts)
    return windows.reduce(x, _lowest(x), lax.max), indices


for _space in (2, 3):
    operation(f"avg_pool{_space}d")(partial(average_pool, _space))
    operation(f"max_pool{_space}d_with_indices")(partial(max_pool, _space))


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
    numbers = np.arange(math.prod(shape)).reshape(shape)
    parts = itertools.product(*([slice(*end) for end in axis] for axis in ends))
    windows = [numbers[part].reshape(-1) for part in parts]
    most = max((len(window) for window in windows), default=1)
    places = np.full((len(windows), most), -1)
    for row, window in zip(places, windows, strict=True):
        row[: len(window)] = window
    return _largest_at(x, places, tuple(output_size))
