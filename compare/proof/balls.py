"""Balls at a point: what a formula is there, between bounds that are sure.

A ball (`flint.arb`) is a middle and a radius; every operation returns one that holds all results
of what its operands hold, so two balls that do not meet prove that two numbers differ. The
hand-written lines run on them as they run on symbols; elements of a field are evaluated. Both in
the precision that `flint.ctx` is set to.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from flint import arb, fmpq

from compare.proof.cases import Fork
from compare.proof.field import Element, Field
from compare.proof.polynomials import Polynomial


class UnsureError(Exception):
    """A question that a ball which holds 0 cannot answer."""


class Balls:
    """The arithmetic of balls; see `compare.proof.number`."""

    def exact(self, value: Fraction) -> arb:
        """The rational number, with a radius if binary digits cannot hold it."""
        return arb(fmpq(value.numerator, value.denominator))

    def divide(self, a: arb, b: arb) -> arb:
        """The quotient; of a divisor that may be 0, a ball without bounds."""
        return a / b

    def exp(self, z: arb) -> arb:
        """The exponential function."""
        return z.exp()

    def log(self, a: arb) -> arb:
        """The natural logarithm."""
        return a.log()

    def choose(self, a: arb, positive: Any, negative: Any, zero: Any) -> Any:
        """One of three by the sign of a.

        Raises:
            UnsureError: the ball holds 0 and more.
        """
        if a > 0:
            return positive
        if a < 0:
            return negative
        if a == 0:
            return zero
        raise UnsureError


class Evaluator:
    """A point, for elements of a field to be evaluated at.

    Args:
        field: whose.
        point: a number for each of its names.
    """

    def __init__(self, field: Field, point: Mapping[str, Fraction]):
        balls = Balls()
        self._values = [balls.exact(point[name]) for name in field.named]
        for _, kind, argument in field.extensions:
            value = self.value(argument)
            self._values.append(1 / (1 + (-value).exp()) if kind == "sigmoid" else value.log())

    def value(self, element: Element) -> arb:
        """Of an element."""
        return self._polynomial(element.numer) / self._polynomial(element.denom)

    def leaf(self, tree: Any) -> Element:
        """Of a tree, the leaf that holds at this point.

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
