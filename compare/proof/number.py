"""Numbers for the hand-written lines to run on: exact symbols, or balls at a point.

A number has Python's operators, and a method for each function that the lines take from a
namespace. An `Arithmetic` operates on the leaves of its cases and decides their signs; there are
two, `compare.proof.field.Field` and `compare.proof.balls.Balls`.
"""

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from compare.proof.cases import combined, leaves


class InexactError(TypeError):
    """The lines convert a number to a float, or branch on it."""


class Arithmetic(Protocol):
    """Operations on leaves, which also support Python's + - * and **."""

    def exact(self, value: Fraction) -> Any:
        """Return the leaf for a rational number."""
        ...

    def add(self, a: Any, b: Any) -> Any:
        """The sum."""
        ...

    def multiply(self, a: Any, b: Any) -> Any:
        """The product."""
        ...

    def divide(self, a: Any, b: Any) -> Any:
        """The quotient."""
        ...

    def exp(self, z: Any) -> Any:
        """The exponential function."""
        ...

    def log(self, a: Any) -> Any:
        """The natural logarithm."""
        ...

    def choose(self, a: Any, positive: Any, negative: Any, zero: Any) -> Any:
        """Choose one of three leaves by the sign of a; return the cases if the sign varies."""
        ...


class NoNumber:
    """The leaf for NaN and for a quotient by 0, and for anything computed from them."""

    def __repr__(self) -> str:
        return "no number"


NO_NUMBER = NoNumber()


class Number:
    """A number of one arithmetic: a leaf, or a tree of cases."""

    def __init__(self, arithmetic: Arithmetic, tree: Any):
        self.arithmetic, self.tree = arithmetic, tree

    def _with(self, function: Callable[..., Any], *others: Any, turned: bool = False) -> "Number":
        def at_leaves(*given: Any) -> Any:
            return NO_NUMBER if NO_NUMBER in given else function(*given)

        return self._combined(at_leaves, *others, turned=turned)

    def _combined(
        self, function: Callable[..., Any], *others: Any, turned: bool = False
    ) -> "Number":
        """Apply a function to leaves, some of which may be `NO_NUMBER`."""
        trees = [self.tree, *map(self._tree, others)]
        return Number(self.arithmetic, combined(function, *(trees[::-1] if turned else trees)))

    def _tree(self, other: Any) -> Any:
        """Return the tree of another number; a float is converted to its exact rational value.

        Raises:
            InexactError: it is infinite; computing with it could give a finite number again.
        """
        if isinstance(other, Number):
            return other.tree
        value = other.item() if isinstance(other, np.generic) else other
        if math.isinf(value):
            raise InexactError("an infinity among exact numbers")
        return NO_NUMBER if math.isnan(value) else self.arithmetic.exact(Fraction(value))

    def __neg__(self) -> "Number":
        return self._with(operator.neg)

    def __add__(self, other: Any) -> "Number":
        return self._with(self.arithmetic.add, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Number":
        return self._with(operator.sub, other)

    def __rsub__(self, other: Any) -> "Number":
        return self._with(operator.sub, other, turned=True)

    def __mul__(self, other: Any) -> "Number":
        return self._with(self.arithmetic.multiply, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Number":
        return self._with(self.arithmetic.divide, other)

    def __rtruediv__(self, other: Any) -> "Number":
        return self._with(self.arithmetic.divide, other, turned=True)

    def __pow__(self, exponent: Any) -> "Number":
        if isinstance(exponent, Number) or not float(exponent).is_integer():
            raise InexactError("a power whose exponent is no whole number")
        power = int(exponent)
        if power < 0:
            return 1 / self**-power
        if power == 0:  # also of 0 and of a NaN, as in NumPy
            return Number(self.arithmetic, self.arithmetic.exact(Fraction(1)))
        return self._with(lambda leaf: leaf**power)

    def __abs__(self) -> "Number":
        return self._with(lambda a: self.arithmetic.choose(a, a, -a, a))

    def __gt__(self, other: Any) -> "Number":
        return self._comparison(other, 1, 0, 0)

    def __ge__(self, other: Any) -> "Number":
        return self._comparison(other, 1, 0, 1)

    def __lt__(self, other: Any) -> "Number":
        return self._comparison(other, 0, 1, 0)

    def __le__(self, other: Any) -> "Number":
        return self._comparison(other, 0, 1, 1)

    def __eq__(self, other: object) -> "Number":  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._comparison(other, 0, 0, 1)

    def __ne__(self, other: object) -> "Number":  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._comparison(other, 1, 1, 0)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __bool__(self) -> bool:
        raise InexactError("an if or a Boolean operation on a number that may be anything")

    def __float__(self) -> float:
        raise InexactError("exact numbers turned into floats")

    def exp(self) -> "Number":
        """The exponential function."""
        return self._with(self.arithmetic.exp)

    def log(self) -> "Number":
        """The natural logarithm."""
        return self._with(self.arithmetic.log)

    def log1p(self) -> "Number":
        """log(1 + a)."""
        return (1 + self).log()

    def tanh(self) -> "Number":
        """(e^2z - 1) / (e^2z + 1)."""
        e = (2 * self).exp()
        return (e - 1) / (e + 1)

    def sign(self) -> "Number":
        """1, -1 or 0."""
        return self._comparison(0, 1, -1, 0)

    def maximum(self, other: Any) -> "Number":
        """The larger of the two."""
        return self._with(lambda a, b: self.arithmetic.choose(a - b, a, b, a), other)

    largest = maximum

    def minimum(self, other: Any) -> "Number":
        """The smaller of the two."""
        return self._with(lambda a, b: self.arithmetic.choose(a - b, b, a, a), other)

    def where(self, yes: Any, no: Any) -> "Number":
        """Choose between two numbers by whether this one is nonzero.

        The other one may be a NaN.
        """

        def chosen(truth: Any, yes: Any, no: Any) -> Any:
            return truth if truth is NO_NUMBER else self.arithmetic.choose(truth, yes, yes, no)

        return self._combined(chosen, yes, no)

    @property
    def is_boolean(self) -> bool:
        """Whether the number is 1 or 0 in every case."""
        outcomes = [self._tree(of) for of in (0, 1)]
        return all(leaf in outcomes for _, leaf in leaves(self.tree))

    def _comparison(self, other: Any, larger: int, smaller: int, equal: int) -> "Number":
        outcomes = [self.arithmetic.exact(Fraction(of)) for of in (larger, smaller, equal)]
        return self._with(lambda a, b: self.arithmetic.choose(a - b, *outcomes), other)
