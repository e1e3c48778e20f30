"""Arrays of `Number`s, and their array API namespace for the hand-written lines.

NumPy passes operators and `@` on to the objects in its arrays; the functions below, one for each
name that the lines take from a namespace, call the objects' methods. A single number is an array of
shape (), so that it has a namespace as well.
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from compare.proof.number import InexactError, Number
from compare.shaped import Shaped


class Array(Shaped, NDArrayOperatorsMixin):
    """Numbers in an array of any shape."""

    dtype = np.dtype(object)

    def __init__(self, numbers: Any):
        """Wrap one number, or an array or nested lists of numbers."""
        super().__init__(np.asarray(numbers, dtype=object))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> "Array":
        if method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__}.{method}: the lines may use operators alone")
        # dtype=object, because NumPy would turn the result of a comparison into bools.
        return Array(ufunc(*map(_plain, inputs), dtype=object))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if dtype not in (None, object):
            raise InexactError("exact numbers turned into floats")
        return self.numbers.copy() if copy else self.numbers

    def __float__(self) -> float:
        raise InexactError("exact numbers turned into floats")

    def __bool__(self) -> bool:
        raise InexactError("an if or a Boolean operation on a number that may be anything")

    @property
    def number(self) -> Number:
        """The single number of an array of shape ()."""
        return self.numbers[()]


def _plain(value: Any) -> Any:
    return value.numbers if isinstance(value, Array) else value


def _elementwise(name: str) -> Callable[..., Array]:
    def of_arrays(*arrays: Any) -> Array:
        method = np.frompyfunc(getattr(Number, name), len(arrays), 1)
        return Array(method(*map(_plain, arrays)))

    of_arrays.__doc__ = f"{name}, element by element."
    return of_arrays


exp, log, log1p, tanh, sign = map(_elementwise, ("exp", "log", "log1p", "tanh", "sign"))
maximum, minimum, where = map(_elementwise, ("maximum", "minimum", "where"))
greater, greater_equal = map(_elementwise, ("__gt__", "__ge__"))


def sum(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:  # noqa: A001 (the standard's)
    """Sum along an axis, or over all numbers."""
    return Array(np.sum(x.numbers, axis=axis, keepdims=keepdims))


def max(x: Array, axis: int, keepdims: bool) -> Array:  # noqa: A001 (the standard's)
    """Take the largest along an axis: a case for each number that it may be."""
    return x.along(partial(reduce, Number.maximum), axis, keepdims)


def astype(x: Array, dtype: Any) -> Array:
    """Return x: Booleans are the numbers 0 and 1 here.

    Raises:
        InexactError: the dtype cannot represent x exactly.
    """
    if dtype != Array.dtype and not (np.dtype(dtype).kind == "f" and _are_booleans(x)):
        raise InexactError(f"exact numbers turned into {np.dtype(dtype)}")
    return x


def _are_booleans(x: Array) -> bool:
    return all(number.is_boolean for number in x.numbers.flat)


def eye(n: int, dtype: Any = None) -> Any:  # noqa: ARG001 (the standard's signature)
    """Return the identity matrix of integers."""
    return np.eye(n, dtype=int).astype(object)


def zeros_like(x: Array) -> Any:
    """Return integer zeros in x's shape."""
    return np.zeros(x.shape, dtype=int).astype(object)
