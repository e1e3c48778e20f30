"""Sort arrays of balls along the last axis, by their midpoints, and find what may be equal."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from handgrad.arithmetic import balls


def by_midpoints(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Return the permutations that sort rows by several keys, stably; NaN comes last.

    Args:
        keys: objects, each (rows, n); the first one counts most.
    """
    order = np.lexsort([balls.midpoints(key) for key in reversed(keys)])
    if order.shape[-1] > 1:
        # Floats next to each other may be of different balls.
        for row in np.flatnonzero(~_ascend(keys[0], order).all(axis=-1)):
            numbers = [_comparable(key[row].tolist()) for key in keys]
            order[row] = sorted(
                range(order.shape[-1]), key=list(zip(*numbers, strict=True)).__getitem__
            )
    return order


def _comparable(row: list[Any]) -> list[tuple[bool, Any]]:
    # All NaN are alike, so that the next key decides.
    return [(True, balls.ZERO) if ball.is_nan() else (False, ball.mid()) for ball in row]


def tied(key: np.ndarray, order: np.ndarray, nan: np.ndarray) -> np.ndarray:
    """Tell which elements in this order may equal the one before them: bool, (rows, n).

    Args:
        key: objects, (rows, n).
        order: the permutations that sort its rows.
        nan: where it is NaN, which equals nothing.
    """
    found = np.zeros(order.shape, dtype=bool)
    known = ~np.take_along_axis(nan, order, -1)
    found[:, 1:] = ~_ascend(key, order) & known[:, 1:] & known[:, :-1]
    return found


def groups(tied: np.ndarray) -> Iterator[slice]:
    """Yield the runs of elements of one row that may equal the one before them."""
    starts = np.flatnonzero(~tied)
    for start, end in zip(starts, np.append(starts[1:], tied.size), strict=True):
        if end - start > 1:
            yield slice(start, end)


def descend(rows: np.ndarray) -> bool:
    """Tell whether some element is certainly less than the one before it in its row."""
    return bool(np.asarray(rows[:, 1:] < rows[:, :-1]).any())


def _ascend(key: np.ndarray, order: np.ndarray) -> np.ndarray:
    in_order = np.take_along_axis(key, order, -1)
    return np.asarray(in_order[:, :-1] < in_order[:, 1:]).astype(bool)
