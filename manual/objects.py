"""A namespace for NumPy arrays of objects: ball-arithmetic numbers, symbols, a recorder's numbers.

NumPy passes operators and `@` on to the objects by itself, functions like `exp` only to methods of
that name. Here each object is asked for its method, and failing that the library that it comes
from: `exp` of a symbol is `sympy.exp`. A comparison whose outcome is not known (a ball around 0, a
symbol) is no error: `where` then returns what covers both cases.
"""

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import eye as _eye
from numpy import sum as sum  # noqa: A004 (the standard's name; NumPy's works on objects)

#: How the one library that has a function under another name calls it.
_ELSEWHERE = {"maximum": ("max", "Max"), "minimum": ("min", "Min")}


def _function(name: str, element: Any) -> Callable[..., Any]:
    """The function of that name for one object: without the object as its first argument."""
    names = _ELSEWHERE.get(name, (name,))
    library = sys.modules[type(element).__module__.partition(".")[0]]
    for candidate in names:
        if hasattr(element, candidate):
            return getattr(element, candidate)
        if library is not sys.modules["builtins"] and hasattr(library, candidate):
            function = getattr(library, candidate)
            return lambda *others: function(element, *others)
        if hasattr(math, candidate):
            function = getattr(math, candidate)
            return lambda: function(element)
    if name == "log1p":
        return _function("log", 1 + element)
    if name in ("maximum", "minimum"):
        choose = {"maximum": max, "minimum": min}[name]
        return lambda other: choose(element, other)
    raise TypeError(f"{name}: no such function for {type(element).__name__}")


def _elementwise(name: str) -> Callable[[Any], Any]:
    def of_array(z: Any) -> Any:
        return np.frompyfunc(lambda element: _function(name, element)(), 1, 1)(z)

    of_array.__doc__ = f"{name} of every object, z's shape."
    return of_array


exp = _elementwise("exp")
log = _elementwise("log")
log1p = _elementwise("log1p")
tanh = _elementwise("tanh")
erfc = _elementwise("erfc")


def maximum(z: Any, bound: float) -> Any:
    """The larger of every object and a number, z's shape."""
    return np.frompyfunc(lambda element: _function("maximum", element)(bound), 1, 1)(z)


def minimum(z: Any, bound: float) -> Any:
    """The smaller of every object and a number, z's shape."""
    return np.frompyfunc(lambda element: _function("minimum", element)(bound), 1, 1)(z)


def greater(z: Any, bound: float) -> Any:
    """z > bound for every object: a bool, a symbolic condition, or None where it is not known."""
    return np.frompyfunc(lambda element: _compared(element > bound, element <= bound), 1, 1)(z)


def greater_equal(z: Any, bound: float) -> Any:
    """z >= bound for every object, as `greater`."""
    return np.frompyfunc(lambda element: _compared(element >= bound, element < bound), 1, 1)(z)


def _compared(outcome: Any, opposite: Any) -> Any:
    """A ball answers False to a question and to its opposite if it reaches into both."""
    return None if outcome is False and opposite is False else outcome


def where(condition: Any, first: Any, second: Any) -> Any:
    """`first` where the condition holds, else `second`, both cases where it is not known."""
    return np.frompyfunc(_chosen, 3, 1)(condition, first, second)


def _chosen(condition: Any, first: Any, second: Any) -> Any:
    if condition is None:
        return first.union(second) if hasattr(first, "union") else second.union(first)
    if isinstance(condition, bool | np.bool):
        return first if condition else second
    symbols = sys.modules[type(condition).__module__.partition(".")[0]]
    return symbols.Piecewise((first, condition), (second, True))


def max(z: Any, axis: int, keepdims: bool) -> Any:  # noqa: A001 (the standard's name)
    """Zeros: objects need not have an order, and it is only asked for to keep `exp` in range."""
    return 0 * sum(z, axis=axis, keepdims=keepdims)


def eye(n: int, dtype: Any = object) -> Any:
    """The identity matrix, of whole numbers."""
    return _eye(n, dtype=dtype)
