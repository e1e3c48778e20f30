"""What rounding can do to the hand-written lines: every number a range, run through the same lines.

Two gradients in floating point differ even when both formulas are right; the question is by how
much. This module answers it without a tolerance somebody chose. `Range` is an interval [lo, hi]
with the operators that the hand lines use. Each operation returns an interval that contains

- the exact result for all exact numbers in the operands' intervals, and
- what any witness may compute for it in float64: NumPy on scalars or arrays, or XLA on a CPU, which
  fuses a multiplication with the addition after it, flushes subnormal numbers to zero, and takes
  `sum` and `@` in an order of its own.

So the range that comes out of `manual.article.gradient` contains the exact partial derivative and
everything that a right program of these formulas may return. A witness that uses σ(z)σ(-z) lies in
the range of those lines, one that uses σ(1 - σ) in the range of these; two witnesses differ by at
most the width of the hull of their two ranges. That width is the bound.

The constants, with u = 2⁻⁵³, the largest relative error of one correctly rounded operation:

===========  ================  =================================================================
what         charged           why
===========  ================  =================================================================
a + b, a*b   2 u |result|      u for the witness, u for this module's own rounding; fused, the
and a / b                      witness rounds once instead of twice, which is inside
sum of n     2 n u Σ |aᵢ|      n u Σ |aᵢ| bounds every order of summation (Higham, Accuracy and
                               Stability of Numerical Algorithms, 2002, section 4.2), once for
                               the witness and once here
exp          8 u |result|      2 ulp for the witness (measured: NumPy 0.72, XLA on CPU 1.65) and
                               2 ulp here, an ulp being up to 2 u of the number
any          2⁻¹⁰²²            the smallest normal number: a result below it may become 0
===========  ================  =================================================================

The method is interval arithmetic (Moore, Interval Analysis, 1966). Its weakness, widths that grow
with depth, does not matter for two layers; in saturation it follows the true condition of the
numbers, which is what is wanted of it: σ(1 - σ) gets its lost digits, σ(z)σ(-z) gets none.
"""

import math
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np

U = 2.0**-53
TINY = 2.0**-1022
EXP = 8 * U


@dataclass(frozen=True, eq=False)
class Range:
    """Arrays lo <= hi of one shape, standing for every number between them.

    Implements the operators and, as its array namespace, the functions of the hand-written lines.
    Make one with `exactly`.
    """

    lo: Any
    hi: Any

    # NumPy scalars and arrays on the left of an operator leave it to this class.
    __array_ufunc__ = None

    @property
    def width(self) -> Any:
        """hi - lo: no two numbers of the range lie further apart."""
        return self.hi - self.lo

    def hull(self, other: "Range") -> "Range":
        """The smallest range that contains both."""
        xp = array_api_compat.array_namespace(self.lo)
        return Range(xp.minimum(self.lo, other.lo), xp.maximum(self.hi, other.hi))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of lo and of hi."""
        return self.lo.shape

    @property
    def T(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transpose of a matrix."""
        return Range(self.lo.T, self.hi.T)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return _Namespace

    def __getitem__(self, key: Any) -> "Range":
        return Range(self.lo[key], self.hi[key])

    def __neg__(self) -> "Range":
        return Range(-self.hi, -self.lo)

    def __abs__(self) -> "Range":
        xp = array_api_compat.array_namespace(self.lo)
        zero = xp.zeros_like(self.lo)
        return Range(xp.maximum(zero, xp.maximum(self.lo, -self.hi)), xp.maximum(-self.lo, self.hi))

    def __add__(self, other: Any) -> "Range":
        other = _as_range(other)
        return _rounded(self.lo + other.lo, self.hi + other.hi)

    def __mul__(self, other: Any) -> "Range":
        other = _as_range(other)
        return _hull(self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi)

    def __truediv__(self, other: Any) -> "Range":
        """Where the divisor may be 0 the quotient may be anything."""
        other = _as_range(other)
        xp = array_api_compat.array_namespace(other.lo, other.hi)
        safe = (other.lo > 0) | (other.hi < 0)
        lo, hi = xp.where(safe, other.lo, 1), xp.where(safe, other.hi, 1)
        quotient = _hull(self.lo / lo, self.lo / hi, self.hi / lo, self.hi / hi)
        return Range(xp.where(safe, quotient.lo, -math.inf), xp.where(safe, quotient.hi, math.inf))

    def __pow__(self, exponent: int) -> "Range":
        """The square, the only power in the hand lines."""
        if exponent != 2:
            raise ValueError(f"Range: power {exponent}, expected 2")
        size = abs(self)
        return size * size

    def __matmul__(self, other: Any) -> "Range":
        """Matrix (n, k) times vector (k,): the only product that the hand lines have so far."""
        return _Namespace.sum(self * other, axis=-1)

    def __sub__(self, other: Any) -> "Range":
        return self + -_as_range(other)

    def __rsub__(self, other: Any) -> "Range":
        return -self + other

    def __ge__(self, other: float) -> "Truth":
        return Truth(surely=self.lo >= other, possibly=self.hi >= other)

    __radd__ = __add__
    __rmul__ = __mul__


@dataclass(frozen=True)
class Truth:
    """A comparison of ranges: true for all their numbers, or for some of them."""

    surely: Any
    possibly: Any


class _Namespace:
    """The array API functions of the hand lines, for `Range`."""

    @staticmethod
    def exp(x: Range) -> Range:
        xp = array_api_compat.array_namespace(x.lo)
        lo, hi = xp.exp(x.lo), xp.exp(x.hi)
        return Range(xp.maximum(lo - EXP * lo - TINY, xp.zeros_like(lo)), hi + EXP * hi + TINY)

    @staticmethod
    def where(condition: Truth, x: Any, y: Any) -> Range:
        """Where the condition holds for some of the numbers only, either value is possible."""
        x, y = _as_range(x), _as_range(y)
        xp = array_api_compat.array_namespace(condition.surely)
        surely, possibly = condition.surely, condition.possibly
        return Range(
            xp.where(surely, x.lo, xp.where(possibly, xp.minimum(x.lo, y.lo), y.lo)),
            xp.where(surely, x.hi, xp.where(possibly, xp.maximum(x.hi, y.hi), y.hi)),
        )

    @staticmethod
    def sum(x: Range, axis: int | None = None) -> Range:
        xp = array_api_compat.array_namespace(x.lo)
        n = x.lo.size if axis is None else x.lo.shape[axis]
        rounding = 2 * n * U * xp.sum(_magnitude(x), axis=axis)
        return Range(
            xp.sum(x.lo, axis=axis) - rounding - TINY, xp.sum(x.hi, axis=axis) + rounding + TINY
        )


def exactly(value: Any) -> Range:
    """The range of a float64 number or array that both witnesses are given.

    It is the number alone, unless that is subnormal: then a witness may read it as 0.
    """
    xp = array_api_compat.array_namespace(value)
    subnormal, zero = abs(value) < TINY, xp.zeros_like(value)
    return Range(
        xp.where(subnormal, xp.minimum(value, zero), value),
        xp.where(subnormal, xp.maximum(value, zero), value),
    )


def _as_range(value: Any) -> Range:
    if isinstance(value, Range):
        return value
    if isinstance(value, int | float):
        return Range(np.float64(value), np.float64(value))
    return exactly(value)


def _magnitude(x: Range) -> Any:
    return abs(x).hi


def _hull(*products: Any) -> Range:
    """From the smallest to the largest of four products or quotients, rounding included."""
    xp = array_api_compat.array_namespace(*products)
    a, b, c, d = products
    return _rounded(
        xp.minimum(xp.minimum(a, b), xp.minimum(c, d)),
        xp.maximum(xp.maximum(a, b), xp.maximum(c, d)),
    )


def _rounded(lo: Any, hi: Any) -> Range:
    """[lo, hi] and what one rounding by the witness and one here may add at either end."""
    return Range(lo - 2 * U * abs(lo) - TINY, hi + 2 * U * abs(hi) + TINY)
