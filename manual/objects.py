"""Arrays of objects: balls, symbols, recorded numbers, formulas; and their one namespace.

NumPy applies operators and `@` to the objects by itself, but functions like `exp` only through
methods of that name. Here each object's method is called or, if it has none, the function of its
library: `exp` of a symbol is `sympy.exp`. An undecided comparison, of a ball around 0, is no error:
its result is then a ball from 0 to 1.

The objects may be in a plain NumPy array. `ObjectArray` is for those that need more: an array of
shape () that has a namespace as well, and a comparison whose results are objects again.
"""

import math
import sys
from collections.abc import Callable
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

#: Other names in some libraries, which come first: `sympy.minimum` is that of a function.
_SYNONYMS = {"maximum": ("max", "Max"), "minimum": ("min", "Min")}


def _called(name: str, element: Any, *others: Any) -> Any:
    """Call the function of that name with an object as its first argument."""
    library = sys.modules[type(element).__module__.partition(".")[0]]
    if isinstance(element, int | float):
        library = math if hasattr(math, name) else sys.modules["builtins"]
    for candidate in (*_SYNONYMS.get(name, ()), name):
        if hasattr(element, candidate):
            return getattr(element, candidate)(*others)
        if hasattr(library, candidate):
            return getattr(library, candidate)(element, *others)
    if name == "log1p":
        return _called("log", 1 + element)
    raise TypeError(f"{name}: no such function for {type(element).__name__}")


#: An identity, be it None, says that all axes may be folded at once.
_LARGEST = np.frompyfunc(partial(_called, "largest"), 2, 1, identity=None)


def _compared(above: Callable[..., Any], not_above: Callable[..., Any], a: Any, bound: Any) -> Any:
    """Return 1 where an object is above a bound, else 0, or an object that says which."""
    outcome = above(a, bound)
    if isinstance(outcome, bool | np.bool):
        if outcome or not_above(a, bound) or not hasattr(a, "union"):
            return int(outcome)
        # A ball on both sides of the bound returns False for a comparison and for its opposite.
        return type(a)(0).union(type(a)(1))
    return outcome


def _elementwise(of: Callable[..., Any], name: str) -> Callable[..., Any]:
    def of_arrays(self: "Namespace", *arrays: Any) -> Any:
        return self.array(np.frompyfunc(of, len(arrays), 1)(*map(self.numbers, arrays)))

    of_arrays.__doc__ = f"{name}, element by element."
    return of_arrays


def _function(name: str) -> Callable[..., Any]:
    return _elementwise(partial(_called, name), name)


class Namespace:
    """The array API namespace of arrays of objects.

    Args:
        array: makes an array from a NumPy array of objects; as it is by default.
    """

    __name__ = __name__  # which array_api_compat asks for, as of a module

    def __init__(self, array: Callable[[Any], Any] = lambda numbers: numbers):
        self.array = array

    def numbers(self, value: Any) -> Any:
        """Return the NumPy array of objects of an array, or of what `array` makes one from."""
        array = value if isinstance(value, ObjectArray) else self.array(value)
        return array.numbers if isinstance(array, ObjectArray) else array

    exp, log, log1p, tanh, erfc = map(_function, ("exp", "log", "log1p", "tanh", "erfc"))
    sign, where = map(_function, ("sign", "where"))
    maximum, minimum = map(_function, ("maximum", "minimum"))
    greater = _elementwise(partial(_compared, gt, le), "1 where greater, else 0")
    greater_equal = _elementwise(partial(_compared, ge, lt), "1 where greater or equal, else 0")

    def sum(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Sum along an axis, or over all objects, from first to last."""
        return self._folded(np.add, x, axis, keepdims)

    def max(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        """Take the largest along an axis, or of all.

        Zeros for objects without a method `largest`: the lines only use it to keep `exp` in range.
        """
        if not hasattr(self.numbers(x).flat[0], "largest"):
            return 0 * self.sum(x, axis, keepdims)
        return self._folded(_LARGEST, x, axis, keepdims)

    def _folded(self, ufunc: np.ufunc, x: Any, axis: int | None, keepdims: bool) -> Any:
        numbers = np.asarray(self.numbers(x), dtype=object, order="C")
        return self.array(ufunc.reduce(numbers, axis=axis, keepdims=keepdims))

    def astype(self, x: Any, dtype: Any) -> Any:
        """Return x: Booleans are the numbers 0 and 1 here."""
        return x.astype(dtype) if isinstance(x, ObjectArray) else x

    def eye(self, n: int, dtype: Any = None) -> Any:  # noqa: ARG002 (the standard's signature)
        """Return the identity matrix of integers."""
        return self.array(np.eye(n, dtype=object))

    def zeros_like(self, x: Any) -> Any:
        """Return integer zeros in x's shape."""
        return self.array(np.zeros(np.shape(self.numbers(x)), dtype=object))


class ObjectArray(NDArrayOperatorsMixin):
    """An array of any shape over a NumPy array of objects, `numbers`."""

    dtype = np.dtype(object)

    numbers: Any  #: of dtype object; NumPy cannot annotate the element type

    def __init__(self, numbers: Any):
        """Wrap one object, or an array or nested lists of objects."""
        self.numbers = np.asarray(numbers, dtype=object)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Self:
        if method != "__call__" or options:
            raise TypeError(f"{ufunc.__name__}.{method}: the lines may use operators alone")
        numbers = map(self.__array_namespace__().numbers, inputs)
        # dtype=object, because NumPy would turn the result of a comparison into bools.
        return type(self)(ufunc(*numbers, dtype=object))

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return Namespace(type(self))

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.numbers.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.numbers.ndim

    @property
    def T(self) -> Self:  # noqa: N802 (the standard's name)
        """The transpose."""
        return type(self)(self.numbers.T)

    def __getitem__(self, key: Any) -> Self:
        return type(self)(self.numbers[key])

    def astype(self, dtype: Any) -> Self:  # noqa: ARG002 (the standard's; there is one dtype)
        """Return the array itself: Booleans are the numbers 0 and 1 here."""
        return self
