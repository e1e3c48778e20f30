"""An array API namespace for NumPy arrays of objects: balls, symbols, or recorded numbers.

NumPy applies operators and `@` to the objects by itself, but functions like `exp` only through
methods of that name. Here each object's method is called or, if it has none, the function of its
library: `exp` of a symbol is `sympy.exp`. An undecided comparison (a ball around 0, a symbol) is no
error: its result is then a ball from 0 to 1, or a case distinction.
"""

import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import eye as _eye
from numpy import sum as sum  # noqa: A004 (the standard's name; NumPy's works on objects)

#: Other names in some libraries.
_SYNONYMS = {"maximum": ("max", "Max"), "minimum": ("min", "Min")}


def _function(name: str, element: Any) -> Callable[..., Any]:
    """Return the function of that name with one object bound as its first argument."""
    library = sys.modules[type(element).__module__.partition(".")[0]]
    if isinstance(element, int | float):
        library = math if hasattr(math, name) else sys.modules["builtins"]
    for candidate in _SYNONYMS.get(name, (name,)):
        if hasattr(element, candidate):
            return getattr(element, candidate)
        if hasattr(library, candidate):
            return partial(getattr(library, candidate), element)
    if name == "log1p":
        return _function("log", 1 + element)
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


def maximum(z: Any, other: Any) -> Any:
    """The larger of two objects, or of an object and a number, in z's shape."""
    return np.frompyfunc(lambda a, b: _function("maximum", a)(b), 2, 1)(z, other)


def minimum(z: Any, other: Any) -> Any:
    """The smaller of two objects, or of an object and a number, in z's shape."""
    return np.frompyfunc(lambda a, b: _function("minimum", a)(b), 2, 1)(z, other)


def greater(z: Any, bound: float) -> Any:
    """1 where z > bound, else 0, z's shape; where undecided, a value that covers both."""
    return np.frompyfunc(lambda a: _comparison(a, a > bound, a <= bound), 1, 1)(z)


def greater_equal(z: Any, bound: float) -> Any:
    """1 where z >= bound, else 0, as `greater`."""
    return np.frompyfunc(lambda a: _comparison(a, a >= bound, a < bound), 1, 1)(z)


def _comparison(element: Any, outcome: Any, opposite: Any) -> Any:
    if not isinstance(outcome, bool | np.bool):
        symbols = sys.modules[type(outcome).__module__.partition(".")[0]]
        return symbols.Piecewise((1, outcome), (0, True))
    if outcome or opposite or not hasattr(element, "union"):
        return int(outcome)
    # A ball on both sides of the bound returns False for a comparison and for its opposite.
    return type(element)(0).union(type(element)(1))


def astype(truth: Any, dtype: Any) -> Any:  # noqa: ARG001 (the standard's signature)
    """Return x: Booleans are the numbers 0 and 1 here."""
    return truth


def max(z: Any, axis: int, keepdims: bool) -> Any:  # noqa: A001 (the standard's name)
    """Return zeros: objects need no order, and the lines only use it to keep `exp` in range."""
    return 0 * sum(z, axis=axis, keepdims=keepdims)


def eye(n: int, dtype: Any = object) -> Any:
    """Return the identity matrix of integers."""
    return _eye(n, dtype=dtype)


def zeros_like(z: Any) -> Any:
    """Return integer zeros in z's shape."""
    return np.zeros(np.shape(z), dtype=object)
