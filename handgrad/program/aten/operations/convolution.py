"""Convolutions and poolings of one, two and three dimensions."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.promotion import is_float, is_half, wide
from handgrad.program.aten.registry import operation


@operation("convolution")
def convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    """Convolve (N, channels, ...) or (channels, ...) with a kernel; or the transpose of that."""
    space = weight.ndim - 2
    batch = x if x.ndim > space + 1 else x[None]
    stride, padding, dilation, more = (
        _each(n, space) for n in (stride, padding, dilation, output_padding)
    )
    lhs_dilation = (1,) * space
    pads = [(p, p) for p in padding]
    if transposed:
        weight = _turned(weight, groups)
        reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        pads = [(r - p, r - p + o) for r, p, o in zip(reach, padding, more, strict=True)]
        stride, lhs_dilation = lhs_dilation, stride
    out = lax.conv_general_dilated(
        batch,
        weight,
        window_strides=stride,
        padding=pads,
        lhs_dilation=lhs_dilation,
        rhs_dilation=dilation,
        feature_group_count=groups,
        preferred_element_type=jnp.float32 if is_half(x.dtype) else None,
    )
    if bias is not None:
        out = out + wide(bias).reshape((-1, *(1,) * space))
    return out if x.ndim > space + 1 else out[0]


def _each(n: int | Sequence[int], space: int) -> tuple[int, ...]:
    """Return one number for every dimension of space."""
    numbers = [n] if isinstance(n, int) else list(n)
    return tuple(numbers * space if len(numbers) == 1 else numbers)


def _turned(weight: Any, groups: int) -> Any:
    """Make of a kernel (in, out / groups, ...) that of the transposed convolution: (out, in / groups)."""
    inputs, outputs, *space = weight.shape
    grouped = weight.reshape(groups, inputs // groups, outputs, *space)
    turned = jnp.swapaxes(grouped, 1, 2).reshape(groups * outputs, inputs // groups, *space)
    return jnp.flip(turned, tuple(range(2, turned.ndim)))


class _Windows:
    """Where the windows of a pooling lie: for each dimension of space a size, stride, padding."""

    def __init__(
        self,
        shape: Sequence[int],
        size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool,
    ) -> None:
        space = len(shape)
        self.shape = tuple(shape)
        self.size, self.padding, self.dilation = (
            _each(n, space) for n in (size, padding, dilation)
        )
        self.stride = _each(stride, space) if _given(stride) else self.size
        self.counts = tuple(self._count(i, ceil_mode) for i in range(space))
        # A window may reach beyond the padding at the end, where the count was rounded up.
        self.pads = tuple(
            (p, max(p, (c - 1) * s + (k - 1) * d + 1 - n - p))
            for n, c, k, s, p, d in zip(
                shape, self.counts, self.size, self.stride, self.padding, self.dilation, strict=True
            )
        )

    def _count(self, i: int, ceil_mode: bool) -> int:
        n, k, s, p = self.shape[i], self.size[i], self.stride[i], self.padding[i]
        room = n + 2 * p - self.dilation[i] * (k - 1) - 1
        count = (-(-room // s) if ceil_mode else room // s) + 1
        # The last window must begin within the input or the padding before it.
        return count - 1 if ceil_mode and (count - 1) * s >= n + p else count

    def reduce(self, x: Any, start: Any, combine: Any) -> Any:
        """Combine the elements of each window, of the last axes."""
        before = (1,) * (x.ndim - len(self.size))
        used = [(c - 1) * s + (k - 1) * d + 1 - n for n, c, k, s, d in self._numbers()]
        pads = [(p, u - p) for p, u in zip(self.padding, used, strict=True)]
        return lax.reduce_window(
            x,
            np.asarray(start, x.dtype),
            combine,
            window_dimensions=(*before, *self.size),
            window_strides=(*before, *self.stride),
            padding=[*((0, 0) for _ in before), *pads],
            window_dilation=(*before, *self.dilation),
        )

    def _numbers(self) -> Any:
        return zip(self.shape, self.counts, self.size, self.stride, self.dilation, strict=True)

    def places(self) -> np.ndarray:
        """Return the flat place of every element of every window, -1 outside: (windows, size)."""
        found = np.zeros((1, 1), np.int64)
        for (n, c, k, s, d), p in zip(self._numbers(), self.padding, strict=True):
            at = np.arange(c)[:, None] * s - p + np.arange(k) * d
            inside = (at >= 0) & (at < n)
            joined = np.where(
                inside[None, :, None, :] & (found >= 0)[:, None, :, None],
                found[:, None, :, None] * n + at[None, :, None, :],
                -1,
            )
            found = joined.reshape(len(found) * c, -1)
        return found

    def counted(self, include_padding: bool) -> np.ndarray:
        """Return how many elements each window has; padding may count, what is beyond does not."""
        counts = np.ones((), np.int64)
        for (n, c, k, s, _), p in zip(self._numbers(), self.padding, strict=True):
            start = np.arange(c) * s - p
            end = np.minimum(start + k, n + p)
            if not include_padding:
                start, end = np.maximum(start, 0), np.minimum(end, n)
            counts = counts[..., None] * (end - start)
        return counts


def _given(n: Any) -> bool:
    return n is not None and (isinstance(n, int) or len(n) > 0)


@operation("avg_pool2d", "avg_pool3d")
def average_pool(
    x: Any,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Average the windows of the last two or three axes."""
    return _average(x, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _average(x: Any, space: int, size: Any, stride: Any, padding: Any, *options: Any) -> Any:
    ceil_mode, include_padding, divisor = options
    windows = _Windows(x.shape[-space:], size, stride, padding, 1, ceil_mode)
    sums = windows.reduce(wide(x), 0, lax.add)
    counts = windows.counted(include_padding) if divisor is None else np.asarray(divisor)
    if (counts == counts.flat[0]).all():
        count = int(counts.flat[0])
        return sums / count if is_float(x) else sums // count
    return sums / jnp.asarray(counts, sums.dtype)


@operation("max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool(
    x: Any,
    kernel_size: Sequence[int],
    stride: Sequence[int] = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> tuple[Any, Any]:
    """Return the largest of each window of the last axes, and its flat place there."""
    space = len(kernel_size)
    windows = _Windows(x.shape[-space:], kernel_size, stride, padding, dilation, ceil_mode)
    lowest = -np.inf if is_float(x) else jnp.iinfo(x.dtype).min
    return windows.reduce(x, lowest, lax.max), _places_of_largest(x, windows, lowest)


def _places_of_largest(x: Any, windows: _Windows, lowest: Any) -> Any:
    """Return the flat place of the largest element of each window, the first one of several."""
    places, space = windows.places(), len(windows.size)
    flat = x.reshape((*x.shape[:-space], math.prod(windows.shape)))
    seen = jnp.where(places >= 0, flat[..., places], jnp.asarray(lowest, x.dtype))
    best = jnp.argmax(seen, axis=-1)
    table = jnp.broadcast_to(jnp.asarray(places), seen.shape)
    found = jnp.take_along_axis(table, best[..., None], axis=-1, mode="promise_in_bounds")
    return found.reshape((*x.shape[:-space], *windows.counts))


@operation("_adaptive_avg_pool2d", "_adaptive_avg_pool3d")
def adaptive_average_pool(x: Any, output_size: Sequence[int]) -> Any:
    """Average the last axes to given lengths, in parts of nearly equal length."""
    x = wide(x)
    for axis, count in zip(range(-len(output_size), 0), output_size, strict=True):
        n = x.shape[axis]
        ends = [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        parts = [lax.slice_in_dim(x, start, end, axis=axis) for start, end in ends]
        means = [jnp.sum(p, axis=axis, keepdims=True) / p.shape[axis] for p in parts]
        x = jnp.concatenate(means, axis=axis)
    return x
