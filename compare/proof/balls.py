"""Evaluate formulas at a point with ball arithmetic, between proved bounds.

A ball (`flint.arb`) is a midpoint and a radius; the result of an operation contains all results for
numbers in its operands, so two disjoint balls prove that two numbers differ. The hand-written lines
run on balls as they run on symbols; elements of a field are evaluated. Both use the precision of
`flint.ctx`.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from compare.proof.cases import Fork
from compare.proof.field import Element, Field
from compare.proof.polynomials import Polynomial


class UnsureError(Exception):
    """A sign that cannot be decided, because a ball contains 0."""


class Balls:
    """Ball arithmetic; an `Arithmetic` of `compare.proof.number`."""

    def exact(self, value: Fraction) -> arb:
        """Return the ball of a rational number, exact if that is a binary fraction."""
        return arb(fmpq(value.numerator, value.denominator))

    def add(self, a: arb, b: arb) -> arb:
        """Add."""
        return a + b

    def multiply(self, a: arb, b: arb) -> arb:
        """Multiply."""
        return a * b

    def divide(self, a: arb, b: arb) -> arb:
        """Divide; if the divisor may be 0, the ball is unbounded."""
        return a / b

    def exp(self, z: arb) -> arb:
        """The exponential function."""
        return z.exp()

    def log(self, a: arb) -> arb:
        """The natural logarithm."""
        return a.log()

    def choose(self, a: arb, positive: Any, negative: Any, zero: Any) -> Any:
        """Choose one of three values by the sign of a.

        Raises:
            UnsureError: the ball contains 0 and other numbers.
        """
        if a > 0:
            return positive
        if a < 0:
            return negative
        if a == 0:
            return zero
        raise UnsureError


class Evaluator:
    """Evaluates elements of a field at a point.

    Args:
        field: the field.
        point: a number for each of its names.
    """

    def __init__(self, field: Field, point: Mapping[str, Fraction]):
        balls = Balls()
        self._values = [balls.exact(point[name]) for name in field.named]
        for _, kind, argument in field.extensions:
            value = self.value(argument)
            self._values.append(1 / (1 + (-value).exp()) if kind == "sigmoid" else value.log())

    def value(self, element: Element) -> arb:
        """Evaluate an element."""
        return self._polynomial(element.numer) / self._polynomial(element.denom)

    def leaf(self, tree: Any) -> Element:
        """Return the leaf of a tree that applies at this point.

        Raises:
            UnsureError: the point lies on the border between two cases, or too close to it.
        """
        while isinstance(tree, Fork):
            above = Balls().exact(tree.question.above)
            distance = self._polynomial(tree.question.of) - above
            tree = Balls().choose(distance, tree.yes, tree.no, None)
            if tree is None:
                raise UnsureError
        return tree

    def _polynomial(self, polynomial: Polynomial) -> arb:
        total = arb(0)
        for powers, coefficient in polynomial.terms():
            term = arb(fmpq(int(coefficient.numerator), int(coefficient.denominator)))
            for at, power in enumerate(powers):
                if power:
                    term *= self._values[at] ** power
            total += term
        return total
