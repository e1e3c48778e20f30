"""Where the windows of a pooling lie."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import lax

from handgrad.program.aten.operations.convolution import each


class Windows:
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
        self.size, self.padding, self.dilation = (each(n, space) for n in (size, padding, dilation))
        self.stride = each(stride, space) if given(stride) else self.size
        self.counts = tuple(self._count(i, ceil_mode) for i in range(space))

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
        # What the last window leaves is left: JAX does not differentiate where it is cut off.
        pads = [(p, max(0, u - p)) for p, u in zip(self.padding, used, strict=True)]
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


def given(n: Any) -> bool:
    """Tell whether an argument was given, which is an empty list otherwise."""
    return n is not None and (isinstance(n, int) or len(n) > 0)
