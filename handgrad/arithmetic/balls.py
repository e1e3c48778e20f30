"""Arrays of balls: real numbers between rigorous bounds, as NumPy object arrays of `flint.arb`.

A ball is a midpoint and a radius; every operation returns a ball that contains the exact result
(Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE
Transactions on Computers 66, 2017). A float is a ball of radius zero.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

from handgrad.clock import check_time

ZERO = arb(0)
ONE = arb(1)

#: The most functions of balls, and multiplications, between two looks at the time: some tenths of
#: a second. Fewer rows of a matrix at once would take longer each.
BLOCK, PRODUCTS, ROWS = 2**14, 2**26, 32

#: The working precision is global to the process, so only one thread at a time may change it.
_LOCK = threading.RLock()


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with `bits` bits, and restore the earlier precision afterwards."""
    with _LOCK:
        before, ctx.prec = ctx.prec, bits
        try:
            yield
        finally:
            ctx.prec = before


def boxed(numbers: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return an object array of that shape. (`np.array` would unpack some numbers as sequences.)"""
    array = np.empty(len(numbers), dtype=object)
    array[:] = numbers
    return array.reshape(shape)


def elementwise(f: Callable[..., Any], outputs: int = 1) -> Callable[..., Any]:
    """Make a function of arrays, which broadcast, from one of numbers.

    Of large arrays it takes one block after the other, and checks the time between.
    """
    of_arrays = np.frompyfunc(f, f.__code__.co_argcount, outputs)

    def in_blocks(*arrays: Any) -> Any:
        if max(np.size(array) for array in arrays) <= BLOCK:
            return of_arrays(*arrays)
        given = np.broadcast_arrays(*arrays)
        flat = [array.reshape(-1) for array in given]
        found = [np.empty(given[0].size, dtype=object) for _ in range(outputs)]
        for i in range(0, given[0].size, BLOCK):
            check_time()
            part = slice(i, i + BLOCK)
            blocks = of_arrays(*(array[part] for array in flat))
            for whole, block in zip(found, blocks if outputs > 1 else [blocks], strict=True):
                whole[part] = block
        results = tuple(whole.reshape(given[0].shape) for whole in found)
        return results if outputs > 1 else results[0]

    return in_blocks


def exact(values: Any) -> np.ndarray:
    """Convert floats of any shape to balls of radius zero."""
    return array(_exact(np.asarray(values, dtype=np.float64)))


def array(value: Any) -> np.ndarray:
    """Wrap the bare element that NumPy returns for an array without axes in an array."""
    return value if isinstance(value, np.ndarray) else boxed([value], ())


# Methods of balls, applied without a function in Python between, which takes as long as they do.
_exact = np.frompyfunc(arb, 1, 1)
_rad, _is_finite = np.frompyfunc(arb.rad, 1, 1), np.frompyfunc(arb.is_finite, 1, 1)
_abs_upper, _abs_lower = np.frompyfunc(arb.abs_upper, 1, 1), np.frompyfunc(arb.abs_lower, 1, 1)
_contains, _is_zero = np.frompyfunc(ZERO.overlaps, 1, 1), np.frompyfunc(arb.is_zero, 1, 1)


def midpoints(balls: Any) -> np.ndarray:
    """Return the nearest float64 to each midpoint; NaN where there is none."""
    return np.asarray(balls).astype(np.float64)


def radii(balls: np.ndarray) -> np.ndarray:
    """Return the radius of each ball, float64; NaN where a ball is not finite."""
    with np.errstate(over="ignore"):
        return np.where(_bools(_is_finite(balls)), midpoints(_rad(balls)), np.nan)


def finite(balls: np.ndarray) -> np.ndarray:
    """Tell which balls are finite and within the range of floats."""
    with np.errstate(over="ignore"):
        return _bools(_is_finite(balls)) & np.isfinite(midpoints(balls))


def magnitudes(balls: np.ndarray) -> np.ndarray:
    """Return an upper bound of each absolute value, float64; infinite beyond the largest float."""
    bounds = _abs_upper(balls)
    with np.errstate(over="ignore"):
        nearest = midpoints(bounds)
        # The nearest float may lie below the bound; the one after it does not.
        return np.where(bounds <= nearest, nearest, np.nextafter(nearest, np.inf))


def least_magnitudes(balls: np.ndarray) -> np.ndarray:
    """Return the float next to a lower bound of each absolute value; 0 if a ball contains 0."""
    return midpoints(_abs_lower(balls))


def contains_zero(balls: np.ndarray) -> np.ndarray:
    """Tell which balls may be 0."""
    return _bools(_contains(balls))


def is_zero(balls: Any) -> np.ndarray:
    """Tell which balls are exactly 0."""
    return _bools(_is_zero(balls))


def _bools(found: Any) -> np.ndarray:
    return np.asarray(found, dtype=bool)


def overlap(a: Iterable[arb], b: Iterable[arb]) -> bool:
    """Tell whether the numbers may be equal, each to its own."""
    return all(p.overlaps(q) for p, q in zip(a, b, strict=True))


def zeros(shape: tuple[int, ...]) -> np.ndarray:
    """Return exact zeros."""
    return full(shape, ZERO)


def full(shape: tuple[int, ...], ball: arb) -> np.ndarray:
    """Return an array filled with one ball."""
    array = np.empty(shape, dtype=object)
    array.fill(ball)
    return array


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply two stacks of matrices, (batch, m, k) and (batch, k, n)."""
    batch, m, k = a.shape
    n = b.shape[-1]
    out = zeros((batch, m, n))
    if out.size and k:
        rows = max(ROWS, PRODUCTS // (k * n))
        for i in range(batch):
            right = arb_mat(k, n, b[i].ravel().tolist())
            for j in range(0, m, rows):
                check_time()
                part = a[i, j : j + rows]
                left = arb_mat(len(part), k, part.ravel().tolist())
                out[i, j : j + rows] = boxed((left * right).entries(), (len(part), n))
    return out
