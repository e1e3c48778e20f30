"""One float64 and the operation that made it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import erfc


@dataclass(eq=False)
class Number:
    """A float64, and how it was computed.

    Two numbers are the same only if they are the same object: equal values may come about in
    different ways. Operators compute as NumPy does, overflow and division by zero included.
    """

    value: float
    #: `given` of what the lines are run on, `constant` of what stands in them, an operator, or the
    #: name of a function.
    operation: str = "given"
    operands: "tuple[Number, ...]" = ()
    #: The function of the hand lines that returned it, and what that was given: σ and z, say.
    called: "tuple[str, tuple[Number, ...]] | None" = field(default=None, repr=False)

    def __float__(self) -> float:
        return float(self.value)

    def __neg__(self) -> "Number":
        return Number(-self.value, "neg", (self,))

    def __abs__(self) -> "Number":
        return Number(abs(self.value), "abs", (self,))

    def __add__(self, other: Any) -> "Number":
        return _made("+", np.add, self, other)

    def __radd__(self, other: Any) -> "Number":
        return _made("+", np.add, other, self)

    def __sub__(self, other: Any) -> "Number":
        return _made("-", np.subtract, self, other)

    def __rsub__(self, other: Any) -> "Number":
        return _made("-", np.subtract, other, self)

    def __mul__(self, other: Any) -> "Number":
        return _made("*", np.multiply, self, other)

    def __rmul__(self, other: Any) -> "Number":
        return _made("*", np.multiply, other, self)

    def __truediv__(self, other: Any) -> "Number":
        return _made("/", np.divide, self, other)

    def __rtruediv__(self, other: Any) -> "Number":
        return _made("/", np.divide, other, self)

    def __pow__(self, other: Any) -> "Number":
        return _made("**", np.power, self, other)


def recorded(value: Any) -> Number:
    """A number as it is, anything else as a constant."""
    return value if isinstance(value, Number) else Number(float(value), "constant")


def function(name: str, of: Callable[..., Any]) -> Callable[..., Number]:
    """A function of numbers that is recorded under a name."""

    def apply(*operands: Any) -> Number:
        return _made(name, of, *operands)

    return apply


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


#: Of two numbers the one that is larger. In a formula it has the name of what it is there, while
#: `max` is written as the function that it is.
LARGEST = "largest"


def is_constant(number: Number, value: float) -> bool:
    """Whether a number is a constant of this value."""
    return number.operation == "constant" and number.value == value
