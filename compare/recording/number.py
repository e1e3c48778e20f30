"""A recorded number: one float64 and the operation that produced it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from scipy.special import erfc


class Recorded(NDArrayOperatorsMixin):
    """What records its arithmetic: the operators in `OPERATORS`, and no others; `==` is `is`."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, out: Any = None) -> Any:
        # `out` is ignored: a += b binds a anew.
        if method != "__call__" or ufunc.__name__ not in OPERATORS:
            return NotImplemented
        return self._apply(ufunc, *operands)

    @staticmethod
    def _apply(ufunc: np.ufunc, *operands: Any) -> Any:
        """Compute an operator of numbers, recorded or plain, and record it."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)


@dataclass(eq=False)
class Number(Recorded):
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

    def __float__(self) -> float:
        return float(self.value)

    @staticmethod
    def _apply(ufunc: np.ufunc, *operands: Any) -> "Number":
        return _made(OPERATORS[ufunc.__name__], ufunc, *operands)


#: NumPy's functions behind the operators of Python, and how they are recorded.
OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "negative": "neg",
    "absolute": "abs",
}


def recorded(value: Any) -> Number:
    """Return a recorded number unchanged, anything else as a constant."""
    return value if isinstance(value, Number) else Number(float(value), "constant")


def function(name: str, of: Callable[..., Any]) -> Callable[..., Number]:
    """Wrap a function so that its calls are recorded under a name."""
    return partial(_made, name, of)


def _made(operation: str, of: Callable[..., Any], *operands: Any) -> Number:
    numbers = tuple(map(recorded, operands))
    with np.errstate(all="ignore"):
        value = float(of(*(np.float64(number.value) for number in numbers)))
    if all(number.operation == "constant" for number in numbers):
        return Number(value, "constant")
    return Number(value, operation, numbers)


#: The functions that the hand lines take from a namespace, element by element.
FUNCTIONS: dict[str, Callable[..., Number]] = {
    "exp": function("exp", np.exp),
    "log": function("log", np.log),
    "log1p": function("log1p", np.log1p),
    "tanh": function("tanh", np.tanh),
    "erfc": function("erfc", erfc),
    "maximum": function("max", np.maximum),
    "minimum": function("min", np.minimum),
    "greater": function(">", np.greater),
    "greater_equal": function("≥", np.greater_equal),
    "sign": function("sign", np.sign),
    "where": function("where", np.where),
}


#: The larger of two numbers, for maxima along an axis. In a formula it is written as the number
#: that it is, while `maximum` is written as a function.
LARGEST = "largest"


def is_constant(number: Number, value: float) -> bool:
    """Whether a number is a constant of this value."""
    return number.operation == "constant" and number.value == value
