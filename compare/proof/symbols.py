"""SymPy's expressions in arrays, which the hand-written lines run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from math import isfinite
from typing import Any, Self
from unittest.mock import patch

import numpy as np
import sympy as sp
from sympy.core.sympify import converter

from compare.symbols import element
from manual.objects import Namespace, ObjectArray

#: The operators whose results are 1 or 0 here.
COMPARED: dict[Any, Any] = {
    np.greater: sp.Gt,
    np.greater_equal: sp.Ge,
    np.less: sp.Lt,
    np.less_equal: sp.Le,
    np.equal: sp.Eq,
    np.not_equal: sp.Ne,
}


class UndecidedError(Exception):
    """Why something is neither proved nor refuted."""


class _Functions(Namespace):
    """The functions of arrays of expressions."""

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Choose where a condition is 1, or a number is not 0."""
        return self.array(np.frompyfunc(_chosen, 3, 1)(*map(self.numbers, (condition, yes, no))))

    def log(self, x: Any) -> Any:
        """Take logarithms of what is positive for all real numbers."""
        if not all(sp.sympify(of).is_positive for of in np.ravel(self.numbers(x))):
            raise UndecidedError("a logarithm of what may be 0 or negative")
        return super().log(x)

    def log1p(self, x: Any) -> Any:
        """Take logarithms of 1 + x."""
        return self.log(1 + x)


def _chosen(condition: Any, yes: Any, no: Any) -> Any:
    holds = condition if condition.has(sp.Piecewise) else indicator(sp.Ne(condition, 0))
    return holds * yes + (1 - holds) * no


class Symbols(ObjectArray):
    """An array of expressions of real numbers, of any shape."""

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return _Functions(type(self))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Self:
        if relation := COMPARED.get(ufunc):
            numbers = map(self.__array_namespace__().numbers, inputs)
            return type(self)(np.frompyfunc(lambda a, b: indicator(relation(a, b)), 2, 1)(*numbers))
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


class Least(sp.Function):
    """The lesser of two, which SymPy's own compares by their formulas, for seconds."""

    is_real = True

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Compare numbers alone."""
        return sp.Min(*args) if all(number.is_number for number in args) else None

    def fdiff(self, argindex: int = 1) -> Any:
        """1 by the lesser, else 0."""
        args: Any = self.args
        return sp.Heaviside(args[1] - args[0] if argindex == 1 else args[0] - args[1])


def indicator(condition: Any) -> Any:
    """Return 1 where a condition holds, else 0."""
    return sp.Piecewise((1, condition), (0, True))


def named(letter: str, *shape: int) -> Symbols:
    """Name the elements of an array: w0[2,1]."""
    names = [element(letter, None, at).text for at in np.ndindex(shape)]
    numbers = np.array([sp.Symbol(name, real=True) for name in names], dtype=object)
    return Symbols(numbers.reshape(shape))


def number(value: Any) -> Any:
    """Return the only expression of an array, in which `Least` stands for minima and maxima.

    The sign of a number is the difference of two comparisons: in the lines it is 0 at 0.
    """
    found = sp.sympify(value.numbers[()] if isinstance(value, ObjectArray) else value)
    least: Any = Least
    found = found.replace(sp.Min, lambda *of: reduce(least, of))
    found = found.replace(sp.Max, lambda *of: -reduce(least, [-a for a in of]))
    return found.replace(sp.sign, lambda z: indicator(z > 0) - indicator(z < 0))


@contextmanager
def exactly() -> Iterator[None]:
    """Let SymPy take the floats in the lines for the rational numbers that they are."""
    with patch.dict(converter, {float: _exact}):
        yield


def _exact(value: float) -> Any:
    return sp.Rational(*value.as_integer_ratio()) if isfinite(value) else sp.Float(str(value))
