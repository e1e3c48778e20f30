"""What rounding can do to a computation: every number a range.

Two gradients in floating point differ even when both are right; the question is by how much.
`Range` answers it without a tolerance somebody chose: an interval [lo, hi] with the operators of
arithmetic, each of which returns an interval that contains

- the exact result for all exact numbers in the operands' intervals, and
- what any witness may compute for it in float64 (or float32, see `Format`): NumPy on scalars or
  arrays, or XLA on a CPU, which
  fuses a multiplication with the addition after it, flushes subnormal numbers to zero, and takes
  sums in an order of its own.

The charges, with u = 2⁻⁵³, the largest relative error of one correctly rounded operation:

===========  =======================  ==========================================================
what         charged                  why
===========  =======================  ==========================================================
a + b, a*b   2 u |result|             u for the witness, u for this module's own rounding; fused,
and a / n                             the witness rounds once instead of twice, which is inside
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

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

U = 2.0**-53
TINY = 2.0**-1022


class Format(NamedTuple):
    """The floats that the witnesses compute in; this module itself always takes float64."""

    u: float  #: the largest relative error of one correctly rounded operation
    tiny: float  #: the smallest normal number


FLOAT64 = Format(U, TINY)
FLOAT32 = Format(2.0**-24, 2.0**-126)


@dataclass(frozen=True, eq=False)
class Range:
    """NumPy arrays lo <= hi of one shape, standing for every number between them.

    Make one with `exactly`. Overflow makes a range infinite, without a warning.
    """

    lo: Any  #: float64
    hi: Any  #: float64
    floats: Format = FLOAT64  #: what is charged for an operation

    # NumPy scalars and arrays on the left of an operator leave it to this class.
    __array_ufunc__ = None

    @property
    def magnitude(self) -> Any:
        """The largest absolute value of its numbers."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    @property
    def T(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transpose of a matrix."""
        return replace(self, lo=self.lo.T, hi=self.hi.T)

    @property
    def mT(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transposes of a stack of matrices."""
        return replace(self, lo=np.swapaxes(self.lo, -1, -2), hi=np.swapaxes(self.hi, -1, -2))

    def __getitem__(self, key: Any) -> "Range":
        """Part of the numbers."""
        return replace(self, lo=self.lo[key], hi=self.hi[key])

    def contains(self, value: Any) -> Any:
        """Whether numbers lie inside; never in a range that is not finite, which proves nothing."""
        finite = np.isfinite(self.lo) & np.isfinite(self.hi)
        return finite & (self.lo <= value) & (value <= self.hi)

    def __neg__(self) -> "Range":
        return replace(self, lo=-self.hi, hi=-self.lo)

    def __add__(self, other: Any) -> "Range":
        other = _as_range(other, self.floats)
        with _quietly():
            return _rounded(self.lo + other.lo, self.hi + other.hi, self.floats)

    def __mul__(self, other: Any) -> "Range":
        other = _as_range(other, self.floats)
        with _quietly():
            ends = (self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi)
            return _rounded(_least(*ends), -_least(*(-end for end in ends)), self.floats)

    def __truediv__(self, other: "int | Range") -> "Range":
        """Divided by a positive number that is exact, or by a range of positive numbers."""
        if not isinstance(other, Range):
            return _rounded(self.lo / other, self.hi / other, self.floats)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            ends = (
                self.lo / other.lo,
                self.lo / other.hi,
                self.hi / other.lo,
                self.hi / other.hi,
            )
            return _rounded(_least(*ends), -_least(*(-end for end in ends)), self.floats)

    def __matmul__(self, other: "Range") -> "Range":
        """Matrix (n, k) times vector (k,), or (..., n, k) times (..., k, m)."""
        if other.lo.ndim == 1:
            return total(self * other)
        k, (u, tiny) = self.lo.shape[-1], self.floats
        with _quietly():
            a, b = self._middle, other._middle
            reach = np.abs(b) + other._radius
            radius = np.abs(a) @ other._radius + self._radius @ reach
            # Twice, as for a sum of k products; and this module's own three products beside it.
            rounding = 2 * (k + 4) * u * ((np.abs(a) + self._radius) @ reach) + k * tiny
            middle = a @ b
            return replace(self, lo=middle - radius - rounding, hi=middle + radius + rounding)

    @property
    def _middle(self) -> Any:
        return self.lo / 2 + self.hi / 2

    @property
    def _radius(self) -> Any:
        """At least as far as the ends are from the middle; rounding may add an ulp of the ends."""
        return np.where(
            self.lo == self.hi, 0.0, (self.hi - self.lo) / 2 + 2 * U * self.magnitude + 2 * TINY
        )

    def __sub__(self, other: Any) -> "Range":
        return self + -_as_range(other, self.floats)

    def __rsub__(self, other: Any) -> "Range":
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__


def exactly(value: Any, floats: Format = FLOAT64) -> Range:
    """The range of a number or array, exact in its format, that both witnesses are given.

    It is the number alone, unless that is subnormal: then a witness may read it as 0.
    """
    value = np.asarray(value, dtype=np.float64)
    subnormal = np.abs(value) < floats.tiny
    return Range(
        np.where(subnormal, np.minimum(value, 0.0), value),
        np.where(subnormal, np.maximum(value, 0.0), value),
        floats,
    )


def nearly(value: Any, floats: Format = FLOAT64) -> Range:
    """The range of a constant that each witness rounds to its format for itself."""
    value = np.asarray(value, dtype=np.float64)
    return _rounded(value, value, floats)


def widened(x: Range, units: Any) -> Range:
    """x with so many units of rounding more, relative to each number."""
    with _quietly():
        more = units * x.floats.u * x.magnitude + x.floats.tiny
        return replace(x, lo=x.lo - more, hi=x.hi + more)


def square(x: Range) -> Range:
    """x², which is never negative."""
    low = np.where((x.lo <= 0) & (x.hi >= 0), 0.0, np.minimum(np.abs(x.lo), np.abs(x.hi)))
    with np.errstate(over="ignore"):
        return widened(replace(x, lo=low * low, hi=x.magnitude * x.magnitude), 2)


def total(x: Range, axis: int = -1) -> Range:
    """The sum along an axis, in any order."""
    n, (u, tiny) = x.lo.shape[axis], x.floats
    with _quietly():
        rounding = n * (2 * u * x.magnitude.sum(axis=axis) + tiny)
        lo, hi = x.lo.sum(axis=axis) - rounding, x.hi.sum(axis=axis) + rounding
        return replace(x, lo=lo, hi=hi)


def product(*factors: Range) -> Range:
    """The product of factors, multiplied in any order."""
    result, reach = factors[0], np.maximum(1.0, factors[0].magnitude)
    with _quietly():
        for factor in factors[1:]:
            result, reach = result * factor, reach * np.maximum(1.0, factor.magnitude)
        lost = len(factors) * TINY * reach
        return Range(result.lo - lost, result.hi + lost)


def sigmoid(z: Range) -> Range:
    """σ, which rises: its range is that between the ends, and lies in [0, 1]."""
    lo, hi = _sigmoid(z.lo), _sigmoid(z.hi)
    return Range(
        np.maximum(lo - (4 + 8 * (1 - lo)) * U * lo - TINY, 0.0),
        np.minimum(hi + (4 + 8 * (1 - hi)) * U * hi + TINY, 1.0),
    )


def _sigmoid(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1.0) / (1.0 + e)


def _as_range(value: Any, floats: Format) -> Range:
    return value if isinstance(value, Range) else exactly(value, floats)


def _rounded(lo: Any, hi: Any, floats: Format) -> Range:
    """[lo, hi] and what one rounding by the witness and one here may add at either end."""
    u, tiny = floats
    return Range(lo - 2 * u * np.abs(lo) - tiny, hi + 2 * u * np.abs(hi) + tiny, floats)


def _least(a: Any, b: Any, c: Any, d: Any) -> Any:
    return np.minimum(np.minimum(a, b), np.minimum(c, d))


def _quietly() -> Any:
    """A range that overflows is infinite, and `contains` says what that means."""
    return np.errstate(over="ignore", invalid="ignore")
