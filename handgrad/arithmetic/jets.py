"""Numbers that carry a slope of their own, c + d·δ, where only balls are expected.

In place of balls they make an array of dual numbers one of second order: the value of a dual is
then x + d·δ, its tangent t + s·δ, and s is the mixed second derivative along both directions. The
rules of the operations need not know, as far as they compute with operators and functions of balls.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_series

from handgrad.arithmetic import balls
from handgrad.arithmetic.balls import ONE, ZERO, array


class Jet:
    """The number c + d·δ, of two balls, with δ² = 0."""

    __slots__ = ("c", "d")
    __hash__ = None  # pyright: ignore[reportAssignmentType] (equality is not of values alone)

    def __init__(self, c: arb, d: arb) -> None:
        self.c, self.d = c, d

    def __repr__(self) -> str:
        return f"Jet({self.c}, {self.d})"

    def __add__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return Jet(self.c + other.c, self.d + other.d)
        return NotImplemented if isinstance(other, np.ndarray) else Jet(self.c + other, self.d)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Jet":
        return NotImplemented if isinstance(other, np.ndarray) else self + -other

    def __rsub__(self, other: Any) -> "Jet":
        return -self + other

    def __neg__(self) -> "Jet":
        return Jet(-self.c, -self.d)

    def __mul__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return Jet(self.c * other.c, self.c * other.d + self.d * other.c)
        if isinstance(other, np.ndarray):
            return NotImplemented
        return Jet(self.c * other, self.d * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Jet":
        if isinstance(other, np.ndarray):
            return NotImplemented
        return self * (other.inverse() if isinstance(other, Jet) else ONE / other)

    def __rtruediv__(self, other: Any) -> "Jet":
        return self.inverse() * other

    def inverse(self) -> "Jet":
        """Return 1 / (c + d·δ)."""
        inverse = ONE / self.c
        return Jet(inverse, -self.d * inverse * inverse)

    def __pow__(self, other: Any) -> "Jet":
        if isinstance(other, Jet):
            return (self.log() * other).exp()
        return self.chained(self.c**other, other * self.c ** (other - 1))

    def __rpow__(self, other: Any) -> "Jet":
        return (self * arb(other).log()).exp()

    def __lt__(self, other: Any) -> bool:
        return self.c < lead(other)

    def __gt__(self, other: Any) -> bool:
        return self.c > lead(other)

    def __eq__(self, other: object) -> bool:
        return self.c == lead(other)

    def __float__(self) -> float:
        return float(self.c)

    def is_nan(self) -> bool:
        """Tell whether c is NaN."""
        return self.c.is_nan()

    def is_exact(self) -> bool:
        """Tell whether both are without a radius."""
        return self.c.is_exact() and self.d.is_exact()

    def is_finite(self) -> bool:
        """Tell whether both are finite."""
        return self.c.is_finite() and self.d.is_finite()

    def is_integer(self) -> bool:
        """Tell whether it is a whole number whatever δ is."""
        return self.d.is_zero() and self.c.is_integer()

    def is_zero(self) -> bool:
        """Tell whether both are exactly 0."""
        return self.c.is_zero() and self.d.is_zero()

    def mid(self) -> arb:
        """Return the midpoint of c."""
        return self.c.mid()

    def overlaps(self, other: Any) -> bool:
        """Tell whether this may be another number, its slope included."""
        return self.c.overlaps(lead(other)) and self.d.overlaps(second(other))

    def chained(self, value: arb, slope: arb) -> "Jet":
        """Return f(c + d·δ) = f + f′·d·δ, given f(c) and f′(c)."""
        return Jet(value, slope * self.d)

    def exp(self) -> "Jet":
        """Return the exponential."""
        found = self.c.exp()
        return self.chained(found, found)

    def log(self) -> "Jet":
        """Return the natural logarithm."""
        return self.chained(self.c.log(), ONE / self.c)

    def rsqrt(self) -> "Jet":
        """Return 1 / √(c + d·δ)."""
        found = self.c.rsqrt()
        return self.chained(found, -found / (2 * self.c))

    def sinh(self) -> "Jet":
        """Return the hyperbolic sine."""
        return self.chained(self.c.sinh(), self.c.cosh())

    def cosh(self) -> "Jet":
        """Return the hyperbolic cosine."""
        return self.chained(self.c.cosh(), self.c.sinh())

    def sech(self) -> "Jet":
        """Return the hyperbolic secant."""
        found = self.c.sech()
        return self.chained(found, -found * self.c.tanh())


def jets(values: np.ndarray, slopes: np.ndarray | None) -> np.ndarray:
    """Return arrays of balls as one of numbers value + slope·δ; without slopes, the balls."""
    return values if slopes is None else array(_jets(values, slopes))


def lead(number: Any) -> Any:
    """Return the ball c of a number c + d·δ."""
    return number.c if isinstance(number, Jet) else number


def second(number: Any) -> arb:
    """Return the ball d of a number c + d·δ."""
    return number.d if isinstance(number, Jet) else ZERO


_jets = np.frompyfunc(Jet, 2, 1)
_firsts, _seconds = np.frompyfunc(lead, 1, 1), np.frompyfunc(second, 1, 1)


def are_in(numbers: np.ndarray) -> bool:
    """Tell whether some number of an array has a slope."""
    return any(isinstance(number, Jet) for number in numbers.flat)


def firsts(numbers: np.ndarray) -> np.ndarray:
    """Return the balls c of numbers c + d·δ."""
    return array(_firsts(numbers))


def seconds(numbers: np.ndarray) -> np.ndarray:
    """Return the balls d of numbers c + d·δ."""
    return array(_seconds(numbers))


def overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Tell whether the numbers may be equal, each to its own."""
    pairs = zip(a.flat, b.flat, strict=True)
    return all(q.overlaps(p) if isinstance(q, Jet) else p.overlaps(q) for p, q in pairs)


def matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply two stacks of matrices, as `balls.matmul`, whose elements may have slopes."""
    try:
        return balls.matmul(a, b)
    except TypeError:
        pass
    (c, d), (e, f) = ((firsts(m), seconds(m) if are_in(m) else None) for m in (a, b))
    slopes = [balls.matmul(p, q) for p, q in ((d, e), (c, f)) if p is not None and q is not None]
    return jets(balls.matmul(c, e), sum(slopes[1:], slopes[0]))


def by_taylor(f: Callable[[Any], Any], x: Jet) -> tuple[Jet, Jet]:
    """Return f and f′ of a number c + d·δ, for a function of power series.

    f(c + ε) = f + f′·ε + f″·ε²/2, so f(x) = f + f′·d·δ and f′(x) = f′ + f″·d·δ.
    """
    series = f(arb_series([x.c, ONE], 3))
    return x.chained(series[0], series[1]), x.chained(series[1], 2 * series[2])
