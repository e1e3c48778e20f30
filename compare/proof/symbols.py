"""SymPy's expressions in arrays, which the hand-written lines run on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, Self
from unittest.mock import patch

import numpy as np
import sympy as sp
from sympy.core.sympify import converter

from manual.objects import Namespace, ObjectArray


class UndecidedError(Exception):
    """Why something is neither proved nor refuted."""


#: What `Above` is at 0 where lines are continuous, so that it does not matter.
EITHER = sp.S.Half


class Above(sp.Function):
    """1 where a difference is above 0, 0 where it is below, and at 0 the second argument.

    Whatever has a formula for each sign of a difference is written by it. Differences that are
    multiples of each other are written as one, so that one answer is enough.
    """

    is_real = True

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Answer what can be answered, else bring the difference into its form."""
        of, at_0 = args
        if of.is_positive or of.is_negative or of.is_number:
            return sp.Integer(bool(of.is_positive)) if of.is_nonzero else at_0
        size, rest = of.as_content_primitive()
        if size.is_negative or rest.could_extract_minus_sign():
            return 1 - cls(-rest, 1 - at_0, evaluate=False)
        return None if rest == of else cls(rest, at_0, evaluate=False)

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make one; SymPy types it as a class, not as a term to compute with."""
        return super().__new__(cls, *args, **options)

    def fdiff(self, argindex: int = 1) -> Any:  # noqa: ARG002 (SymPy's signature)
        """0, on both sides."""
        return sp.S.Zero


#: The operations on numbers that have a formula for each sign of a difference.
FORKS: dict[Any, Callable[..., Any]] = {
    np.absolute: lambda a: a * (2 * Above(a, EITHER) - 1),
    np.sign: lambda a: Above(a, 0) - Above(-a, 0),
    np.minimum: lambda a, b: a * (1 - Above(a - b, EITHER)) + b * Above(a - b, EITHER),
    np.maximum: lambda a, b: a * Above(a - b, EITHER) + b * (1 - Above(a - b, EITHER)),
    np.greater: lambda a, b: Above(a - b, 0),
    np.greater_equal: lambda a, b: Above(a - b, 1),
    np.less: lambda a, b: Above(b - a, 0),
    np.less_equal: lambda a, b: Above(b - a, 1),
    np.equal: lambda a, b: Above(a - b, 1) - Above(a - b, 0),
    np.not_equal: lambda a, b: 1 - Above(a - b, 1) + Above(a - b, 0),
}


class _Functions(Namespace):
    """The functions of arrays of expressions."""

    sign, minimum, maximum = np.sign, np.minimum, np.maximum
    greater, greater_equal = np.greater, np.greater_equal

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Choose where a condition is 1, or a number is not 0."""
        holds = self.array(self.numbers(condition)) != 0
        return holds * yes + (1 - holds) * no

    def log(self, x: Any) -> Any:
        """Take logarithms of what is positive for all real numbers."""
        if not all(sp.sympify(of).is_positive for of in np.ravel(self.numbers(x))):
            raise UndecidedError("a logarithm of what may be 0 or negative")
        return super().log(x)

    def log1p(self, x: Any) -> Any:
        """Take logarithms of 1 + x."""
        return self.log(1 + x)


class Symbols(ObjectArray):
    """An array of expressions of real numbers, of any shape."""

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return _Functions(type(self))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Self:
        if fork := FORKS.get(ufunc):
            numbers = map(self.__array_namespace__().numbers, inputs)
            return type(self)(np.frompyfunc(fork, len(inputs), 1)(*numbers))
        if ufunc is np.power and (isinstance(inputs[1], ObjectArray) or inputs[1] % 1):
            raise UndecidedError("a power whose exponent is no whole number")  # of what may be < 0
        if ufunc in (np.divide, np.power):  # SymPy takes x / x for 1, at 0 as well
            below = inputs[1] if ufunc is np.divide else inputs[0]
            inverse = ufunc is np.divide or inputs[1] < 0
            divisors = np.ravel(self.__array_namespace__().numbers(below))
            if inverse and not all(sp.sympify(of).is_nonzero for of in divisors):
                raise UndecidedError("a number that is divided by may be 0")
        return super().__array_ufunc__(ufunc, method, *inputs, **options)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if dtype not in (None, object):
            raise UndecidedError("exact numbers turned into floats")
        return self.numbers.copy() if copy else self.numbers

    def __float__(self) -> float:
        raise UndecidedError("exact numbers turned into floats")

    def __bool__(self) -> bool:
        raise UndecidedError("an if or a Boolean operation on a number that may be anything")


def named(letter: str, *shape: int) -> Symbols:
    """Name the elements of an array: w0[2,1]."""
    places = [",".join(map(str, at)) for at in np.ndindex(shape)]
    numbers = [sp.Symbol(f"{letter}[{place}]", real=True) for place in places]
    return Symbols(np.array(numbers, dtype=object).reshape(shape))


def number(value: Any) -> Any:
    """Return the only expression of an array."""
    return sp.sympify(value.numbers[()] if isinstance(value, ObjectArray) else value)


@contextmanager
def exactly() -> Iterator[None]:
    """Let SymPy take the floats in the lines for the rational numbers that they are."""
    with patch.dict(converter, {float: _exact}):
        yield


def _exact(value: float) -> Any:
    return sp.Rational(*value.as_integer_ratio()) if isfinite(value) else sp.Float(str(value))
