"""Arrays of recorded numbers, and their array API namespace for the hand-written lines.

The lines get an array's namespace as the Python array API standard
(https://data-apis.org/array-api/) defines it, and call the functions below. Sums and matrix
products are computed term by term, each operation rounded once.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from compare.recording.number import FUNCTIONS, LARGEST, Number, Recorded, function, recorded
from compare.shaped import Shaped


class Array(Shaped, Recorded):
    """Numbers in an array of any shape; operators and `@` as the standard has them."""

    def __init__(self, numbers: Any):
        """Wrap an array or nested lists of numbers, recorded or plain."""
        given = np.asarray(numbers, dtype=object)
        super().__init__(np.asarray(np.frompyfunc(recorded, 1, 1)(given), dtype=object))

    dtype = np.dtype(np.float64)

    @staticmethod
    def _apply(ufunc: np.ufunc, *operands: Any) -> "Array":
        return Array(ufunc(*map(_numbers, operands)))

    def __lt__(self, other: Any) -> "Array":
        return greater(other, self)

    def __gt__(self, other: Any) -> "Array":
        return greater(self, other)

    def __matmul__(self, other: "Array") -> "Array":
        columns = other.numbers.T
        return Array([[_total(row * column) for column in columns] for row in self.numbers])


def given(values: Any) -> Array:
    """Build an array of input numbers from values in an array or nested lists."""
    return Array(np.frompyfunc(Number, 1, 1)(np.asarray(values, dtype=np.float64).astype(object)))


def _numbers(value: Any) -> np.ndarray:
    """Convert to an object array, so that NumPy applies operators element by element."""
    return value.numbers if isinstance(value, Array) else np.asarray(recorded(value), dtype=object)


def _total(numbers: Iterable[Number]) -> Number:
    return reduce(add, numbers)


def _elementwise(name: str) -> Callable[..., Array]:
    of_numbers = FUNCTIONS[name]

    def of_arrays(*arrays: Any) -> Array:
        count = len(arrays)
        return Array(np.frompyfunc(of_numbers, count, 1)(*map(_numbers, arrays)))

    of_arrays.__doc__ = f"{name}, element by element."
    return of_arrays


exp, log, log1p, tanh, erfc = map(_elementwise, ("exp", "log", "log1p", "tanh", "erfc"))
maximum, minimum = map(_elementwise, ("maximum", "minimum"))
greater, greater_equal = map(_elementwise, ("greater", "greater_equal"))
sign, where = map(_elementwise, ("sign", "where"))


def sum(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:  # noqa: A001 (the standard's)
    """Sum along an axis, or over all numbers."""
    return x.along(_total, axis, keepdims)


def max(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:  # noqa: A001 (the standard's)
    """Take the largest along an axis, or of all; a rerun of the program may pick another one."""
    return x.along(_largest, axis, keepdims)


def _largest(numbers: Iterable[Number]) -> Number:
    return reduce(function(LARGEST, np.maximum), numbers)


def astype(x: Array, dtype: Any) -> Array:  # noqa: ARG001 (the standard's; there is one dtype)
    """Return x: Booleans are the numbers 0 and 1 here."""
    return x


def zeros_like(x: Array) -> Array:
    """Return zeros in x's shape."""
    return Array(np.zeros(x.shape))


def eye(n: int, dtype: Any = None) -> Array:  # noqa: ARG001 (the standard's; there is one dtype)
    """Return the identity matrix."""
    return Array(np.eye(n))
