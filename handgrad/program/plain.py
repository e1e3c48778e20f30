"""Run operations on plain arrays (positions, labels, masks) in NumPy.

JAX compiles an operation for every new shape, which takes tens of milliseconds; for a handful of
integers NumPy is much faster. Operations that are not in the table are run by JAX.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Parameters = Mapping[str, Any]


def _broadcast(x: np.ndarray, p: Parameters) -> np.ndarray:
    shape = [1] * len(p["shape"])
    for axis, size in zip(p["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = size
    return np.broadcast_to(x.reshape(shape), p["shape"])


def _pad(x: np.ndarray, filling: np.ndarray, p: Parameters) -> np.ndarray:
    """Pad between and around the elements; a negative width cuts elements off."""
    low, high, gaps = zip(*p["padding_config"], strict=True) if x.ndim else ((), (), ())
    shape = [max(0, (n - 1) * (gap + 1) + 1) for n, gap in zip(x.shape, gaps, strict=True)]
    spread = np.full(shape, filling, x.dtype)
    spread[tuple(slice(None, None, gap + 1) for gap in gaps)] = x
    widths = np.maximum([low, high], 0).T.astype(int)
    padded = np.pad(spread, widths, constant_values=filling[()]) if x.ndim else spread
    ends = zip(padded.shape, low, high, strict=True)
    return padded[tuple(slice(max(0, -lo), n - max(0, -hi)) for n, lo, hi in ends)]


def _reshape(x: np.ndarray, p: Parameters) -> np.ndarray:
    """Reshape, of the transpose where an order of the axes is given."""
    order = p["dimensions"]
    return (x if order is None else np.transpose(x, order)).reshape(p["new_sizes"])


def _slice(x: np.ndarray, p: Parameters) -> np.ndarray:
    steps = p["strides"] or (1,) * x.ndim
    starts, ends = p["start_indices"], p["limit_indices"]
    return x[tuple(slice(*each) for each in zip(starts, ends, steps, strict=True))]


def _iota(p: Parameters) -> np.ndarray:
    axis, shape = p["dimension"], p["shape"]
    along = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return np.broadcast_to(along, shape).astype(p["dtype"])


def _split(x: np.ndarray, p: Parameters) -> list[np.ndarray]:
    return np.split(x, np.cumsum(p["sizes"])[:-1], axis=p["axis"])


#: (*operands, parameters) -> the result: an array, or a list of several.
IN_NUMPY: dict[str, Callable[..., Any]] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": lambda *xs: np.concatenate(xs[:-1], axis=xs[-1]["dimension"]),
    "iota": _iota,
    "pad": _pad,
    "reshape": _reshape,
    "rev": lambda x, p: np.flip(x, p["dimensions"]),
    "slice": _slice,
    "split": _split,
    "squeeze": lambda x, p: np.squeeze(x, p["dimensions"]),
    "transpose": lambda x, p: np.transpose(x, p["permutation"]),
    "convert_element_type": lambda x, p: x.astype(p["new_dtype"]),
    "add": lambda x, y, _: x + y,
    "sub": lambda x, y, _: x - y,
    "mul": lambda x, y, _: x * y,
    "eq": lambda x, y, _: x == y,
    "ne": lambda x, y, _: x != y,
    "lt": lambda x, y, _: x < y,
    "le": lambda x, y, _: x <= y,
    "gt": lambda x, y, _: x > y,
    "ge": lambda x, y, _: x >= y,
    "and": lambda x, y, _: x & y,
    "or": lambda x, y, _: x | y,
    "not": lambda x, _: ~x,
    "select_n": lambda which, *xs: np.choose(which.astype(np.intp), xs[:-1]),
}
