"""What rounding can do to a computation: every number a range.

Two gradients in floating point differ even when both are right; the question is by how much.
`Range` answers it without a tolerance somebody chose: a middle and a radius with the operators of
arithmetic, each of which returns a range that contains

- the exact result for all exact numbers in the operands' ranges, and
- what any witness may compute for it in float64 (or float32, see `Format`): NumPy on scalars or
  arrays, or XLA on a CPU, which
  fuses a multiplication with the addition after it, flushes subnormal numbers to zero, and takes
  sums in an order of its own.

The arrays are NumPy's or, under `jit`, JAX's: a sweep goes through millions of cases a second.
With u = 2⁻⁵³, the largest relative error of one correctly rounded operation, and every size taken
with its radius, an operation adds to the radius that its operands' radii give:

===========  =======================  ==========================================================
what         charged                  why
===========  =======================  ==========================================================
a + b, a*b   2 u |result|             u for the witness, u for this module's own rounding; fused,
and a / n                             the witness rounds once instead of twice, which is inside;
                                      nothing for a power of two
sum of n     2 n u Σ |aᵢ|             n u Σ |aᵢ| bounds every order of summation (Higham, Accuracy
                                      and Stability of Numerical Algorithms, 2002, section 4.2),
                                      once for the witness and once here
sigmoid      (4 + 8 (1 - σ)) u σ      exp errs by up to 2 ulp = 4 u of itself (measured: NumPy
                                      0.72 ulp, XLA on CPU 1.65); in 1 / (1 + e^-z) as in
                                      e^z / (1 + e^z) that counts 1 - σ times; an addition and a
                                      division come on top, u each; all once for the witness and
                                      once here
any          2⁻¹⁰²² each              the smallest normal number: a result below it may become 0
product      k 2⁻¹⁰²² Π max(1, |fᵢ|)  of k factors in an order of the witness's own: a partial
                                      product that becomes 0 is then multiplied by the rest
===========  =======================  ==========================================================

The method is interval arithmetic (Moore, Interval Analysis, 1966). Its weakness, widths that grow
with depth, does not matter for two layers; in saturation it follows the true condition of the
numbers, which is what is wanted of it: σ(1 - σ) gets its lost digits, σ(z)σ(-z) gets none.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

U = 2.0**-53
TINY = 2.0**-1022

#: Radii are themselves rounded; this is more than that can have made of them.
_SLACK = 1 + 2.0**-20


class Format(NamedTuple):
    """The floats that the witnesses compute in; on NumPy this module itself takes float64."""

    u: float  #: the largest relative error of one correctly rounded operation
    tiny: float  #: what an operation may lose to underflow: the smallest normal number


FLOAT64 = Format(U, TINY)
FLOAT32 = Format(2.0**-24, 2.0**-126)


@dataclass(frozen=True, eq=False)
class Range:
    """The numbers no further than a radius from a middle: arrays of one shape.

    Make one with `exactly`, `nearly` or `between`. Overflow makes the radius infinite or NaN,
    without a warning.
    """

    middle: Any
    radius: Any = None  #: None for what is exact
    floats: Format = FLOAT64  #: what is charged for an operation

    # NumPy scalars and arrays on the left of an operator leave it to this class.
    __array_ufunc__ = None

    @property
    def lo(self) -> Any:
        """The smallest of its numbers; NaN where the range is not finite."""
        return self._end(-1)

    @property
    def hi(self) -> Any:
        """The largest of its numbers; NaN where the range is not finite."""
        return self._end(1)

    def _end(self, sign: int) -> Any:
        with _quietly():
            end = self.middle + sign * _SLACK * self._radius
            # The next number, since this sum is rounded, too.
            end = np.where(self._radius == 0, end, np.nextafter(end, sign * np.inf))
            # Whatever a bounded function makes of an overflow, it proves nothing either.
            return np.where(self._is_finite, end, np.nan)[()]

    @property
    def _is_finite(self) -> Any:
        return np.isfinite(self.middle) & np.isfinite(self._radius)

    @property
    def magnitude(self) -> Any:
        """The largest absolute value of its numbers."""
        with _quietly():
            return abs(self.middle) + self._radius

    @property
    def _radius(self) -> Any:
        return 0.0 if self.radius is None else self.radius

    @property
    def T(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transpose of a matrix."""
        return self._of_each(lambda part: part.T)

    @property
    def mT(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transposes of a stack of matrices."""
        return self._of_each(lambda part: part.mT)

    def __getitem__(self, key: Any) -> "Range":
        """Part of the numbers."""
        return self._of_each(lambda part: part[key])

    def _of_each(self, function: Callable[[Any], Any]) -> "Range":
        radius = None if self.radius is None else function(self.radius)
        return replace(self, middle=function(self.middle), radius=radius)

    def contains(self, value: Any) -> Any:
        """Whether numbers lie inside; never in a range that is not finite, which proves nothing."""
        with _quietly():
            return self._is_finite & (abs(value - self.middle) <= _SLACK * self._radius)

    def __neg__(self) -> "Range":
        return replace(self, middle=-self.middle)

    def __add__(self, other: Any) -> "Range":
        other = self._range(other)
        with _quietly():
            middle = self.middle + other.middle
            return self._rounded(middle, self._radius + other._radius)

    def __mul__(self, other: Any) -> "Range":
        """The product; |a b - a' b'| is at most |a| |b - b'| + |b'| |a - a'|."""
        u, tiny = self.floats
        with _quietly():
            if isinstance(other, int | float) and abs(other) >= 1 and _is_power_of_two(other):
                radius = None if self.radius is None else abs(other) * self.radius
                return replace(self, middle=other * self.middle, radius=radius)
            a, b = self, self._range(other)
            if a.radius is None:
                a, b = b, a
            middle = a.middle * b.middle
            if b.radius is None:
                radius = abs(b.middle) * (a._radius + 2 * u * a.magnitude) + tiny
            else:
                spread = a.magnitude * b.radius + b.magnitude * a.radius
                radius = spread + 2 * u * a.magnitude * b.magnitude + tiny
            return replace(self, middle=middle, radius=radius)

    def __truediv__(self, other: "int | Range") -> "Range":
        """Divided by a positive number that is exact, or by a range of positive numbers."""
        if not isinstance(other, Range):
            return self._rounded(self.middle / other, self._radius / other)
        return quotient(self, other)

    def __matmul__(self, other: "Range") -> "Range":
        """Matrix (n, k) times vector (k,), or (..., n, k) times (..., k, m)."""
        if other.middle.ndim == 1:
            return total(self * other)
        k, (u, tiny) = self.middle.shape[-1], self.floats
        with _quietly():
            rounding = 2 * (k + 1) * u * (self.magnitude @ other.magnitude) + k * tiny
            spread = 0.0
            if other.radius is not None:
                spread = self.magnitude @ other.radius
            if self.radius is not None:
                spread = spread + self.radius @ other.magnitude
            return replace(self, middle=self.middle @ other.middle, radius=spread + rounding)

    def __sub__(self, other: Any) -> "Range":
        return self + -self._range(other)

    def __rsub__(self, other: Any) -> "Range":
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def _range(self, value: Any) -> "Range":
        if isinstance(value, Range):
            return value
        if isinstance(value, np.ndarray):
            return exactly(value, self.floats)
        return Range(value, None, self.floats)

    def _rounded(self, middle: Any, radius: Any) -> "Range":
        """A range and what one rounding by the witness and one here may add."""
        u, tiny = self.floats
        return replace(self, middle=middle, radius=radius + 2 * u * (abs(middle) + radius) + tiny)


def exactly(value: Any, floats: Format = FLOAT64) -> Range:
    """The range of a number or array, exact in its format, that both witnesses are given.

    It is the number alone, unless that is subnormal: then a witness may read it as 0.
    """
    value = np.asarray(value, dtype=np.float64)
    return Range(value, np.where(np.abs(value) < floats.tiny, np.abs(value), 0.0), floats)


def nearly(value: Any, floats: Format = FLOAT64) -> Range:
    """The range of a constant that each witness rounds to its format for itself."""
    return Range(value, 2 * floats.u * abs(value) + floats.tiny, floats)


def between(lo: Any, hi: Any, floats: Format = FLOAT64) -> Range:
    """The range of NumPy's numbers from lo to hi, and what rounding its ends may take away."""
    with _quietly():
        middle = lo / 2 + hi / 2
        more = U * np.maximum(np.abs(lo), np.abs(hi)) + TINY
        half = np.maximum(hi - middle, middle - lo)
        is_exact = (lo == hi) & (middle == lo)
        return Range(middle, np.where(is_exact, 0.0, half + more), floats)


def joined(join: Callable[[list[Any]], Any], ranges: Sequence[Range]) -> Range:
    """Ranges in one, with a function that joins arrays."""
    middle, radius = join([r.middle for r in ranges]), join([r.radius for r in ranges])
    return replace(ranges[0], middle=middle, radius=radius)


def widened(x: Range, units: Any) -> Range:
    """x with so many units of rounding more, relative to its largest number."""
    with _quietly():
        more = units * x.floats.u * x.magnitude + x.floats.tiny
        return replace(x, radius=x._radius + more)


def quotient(a: Range, b: Range, least: Any = 0.0) -> Range:
    """a / b, whose numbers are positive, and no less than `least`, whatever the range's end."""
    with np.errstate(all="ignore"):
        low = np.maximum(b.lo, least)
        ends = np.broadcast_arrays(*(x / y for x in (a.lo, a.hi) for y in (low, b.hi)))
        found = between(np.min(ends, axis=0), np.max(ends, axis=0), a.floats)
        radius = np.where(b._is_finite & (low > 0), found.radius, np.inf)
        return found._rounded(found.middle, radius)


def square(x: Range) -> Range:
    """x², which is not negative but for the slack."""
    low = np.where((x.lo <= 0) & (x.hi >= 0), 0.0, np.minimum(np.abs(x.lo), np.abs(x.hi)))
    high = np.maximum(np.abs(x.lo), np.abs(x.hi))
    with _quietly():
        return widened(between(low * low, high * high, x.floats), 2)


def total(x: Range, axis: int = -1) -> Range:
    """The sum along an axis, in any order."""
    n, (u, tiny) = x.middle.shape[axis], x.floats
    with _quietly():
        radius = 0.0 if x.radius is None else x.radius.sum(axis)
        radius = radius + 2 * n * u * x.magnitude.sum(axis) + n * tiny
        return replace(x, middle=x.middle.sum(axis), radius=radius)


def added(*terms: Range) -> Range:
    """The sum of terms, in any order."""
    middle, radius, sizes = terms[0].middle, terms[0]._radius, terms[0].magnitude
    u, tiny = terms[0].floats
    with _quietly():
        for term in terms[1:]:
            middle, radius = middle + term.middle, radius + term._radius
            sizes = sizes + term.magnitude
        radius = radius + 2 * len(terms) * u * sizes + len(terms) * tiny
        return replace(terms[0], middle=middle, radius=radius)


def product(*factors: Range) -> Range:
    """The product of factors, multiplied in any order."""
    result, reach = factors[0], np.maximum(1.0, factors[0].magnitude)
    with _quietly():
        for factor in factors[1:]:
            result, reach = result * factor, reach * np.maximum(1.0, factor.magnitude)
        return replace(result, radius=result.radius + len(factors) * TINY * reach)


def sigmoid(z: Range) -> Range:
    """σ, which rises: its range is that between the ends, within [0, 1] but for the slack."""
    lo, hi = _sigmoid(z.lo), _sigmoid(z.hi)
    return between(
        np.maximum(lo - (4 + 8 * (1 - lo)) * U * lo - TINY, 0.0),
        np.minimum(hi + (4 + 8 * (1 - hi)) * U * hi + TINY, 1.0),
    )


def _sigmoid(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1.0 + e)


def _is_power_of_two(number: float) -> bool:
    return abs(math.frexp(number)[0]) == 0.5


def _quietly() -> Any:
    """A range that overflows is not finite, and `contains` says what that means."""
    return np.errstate(over="ignore", invalid="ignore")
