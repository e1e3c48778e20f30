"""A recorded number: one float64 and the operation that produced it; and arrays of them.

In arrays sums and matrix products are computed term by term, each operation rounded once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy.special import erfc

from manual.objects import ObjectArray

#: NumPy's functions behind the operators of Python, and how they are recorded. There are no others,
#: but `<` and `<=`, which are recorded as the other way round.
OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "negative": "neg",
    "absolute": "abs",
    "greater": ">",
    "greater_equal": "≥",
}

#: The larger of two numbers, for maxima along an axis. In a formula it is written as the number
#: that it is, while `maximum` is written as a function.
LARGEST = "largest"


def _made(first: Any, operation: str, of: Callable[..., Any], *others: Any) -> "Number":
    """Compute a function of numbers, recorded or plain, and record it."""
    numbers = tuple(map(recorded, (first, *others)))
    with np.errstate(all="ignore"):
        value = float(of(*(np.float64(number.value) for number in numbers)))
    if all(number.operation == "constant" for number in numbers):
        return Number(value, "constant")
    return Number(value, operation, numbers)


@dataclass(eq=False)
class Number(NDArrayOperatorsMixin):
    """A float64, and how it was computed.

    Two numbers are equal only if they are the same object: equal values may have been computed
    differently. Operators compute as NumPy does, overflow and division by zero included.
    """

    value: float
    #: `given` for an input, `constant` for a literal of the lines, else an operator or a function's
    #: name.
    operation: str = "given"
    operands: "tuple[Number, ...]" = ()
    #: The function of the hand lines that returned it, and its arguments: σ and z, say.
    called: "tuple[str, tuple[Number, ...]] | None" = field(default=None, repr=False)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, out: Any = None) -> Any:
        # `out` is ignored: a += b binds a anew.
        if method != "__call__" or ufunc.__name__ not in OPERATORS:
            return NotImplemented
        first, *others = operands
        return _made(first, OPERATORS[ufunc.__name__], ufunc, *others)

    # What the hand lines take from a namespace, element by element, and how it is recorded.
    exp = partialmethod(_made, "exp", np.exp)
    log = partialmethod(_made, "log", np.log)
    log1p = partialmethod(_made, "log1p", np.log1p)
    tanh = partialmethod(_made, "tanh", np.tanh)
    erfc = partialmethod(_made, "erfc", erfc)
    maximum = partialmethod(_made, "max", np.maximum)
    minimum = partialmethod(_made, "min", np.minimum)
    largest = partialmethod(_made, LARGEST, np.maximum)
    sign = partialmethod(_made, "sign", np.sign)
    where = partialmethod(_made, "where", np.where)

    def __lt__(self, other: Any) -> "Number":
        return recorded(other) > self

    def __le__(self, other: Any) -> "Number":
        return recorded(other) >= self

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    def __float__(self) -> float:
        return float(self.value)


def recorded(value: Any) -> Number:
    """Return a recorded number unchanged, anything else as a constant."""
    return value if isinstance(value, Number) else Number(float(value), "constant")


def is_constant(number: Number, value: float) -> bool:
    """Whether a number is a constant of this value."""
    return number.operation == "constant" and number.value == value


class Array(ObjectArray):
    """Numbers in an array of any shape; operators and `@` as the standard has them."""

    dtype = np.dtype(np.float64)

    def __init__(self, numbers: Any):
        """Wrap an array or nested lists of numbers, recorded or plain."""
        super().__init__(np.frompyfunc(recorded, 1, 1)(np.asarray(numbers, dtype=object)))


def given(values: Any) -> Array:
    """Build an array of input numbers from values in an array or nested lists."""
    return Array(np.frompyfunc(Number, 1, 1)(np.asarray(values, dtype=np.float64).astype(object)))
