"""What rounding can do to a computation: every number a range.

Two gradients in floating point differ even when both are right; the question is by how much.
`Range` answers it without a tolerance somebody chose: an interval [lo, hi] with the operators of
arithmetic, each of which returns an interval that contains

- the exact result for all exact numbers in the operands' intervals, and
- what any witness may compute for it in float64: NumPy on scalars or arrays, or XLA on a CPU, which
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

from dataclasses import dataclass
from typing import Any

import numpy as np

U = 2.0**-53
TINY = 2.0**-1022


@dataclass(frozen=True, eq=False)
class Range:
    """NumPy arrays lo <= hi of one shape, standing for every number between them.

    Make one with `exactly`. Overflow makes a range infinite, without a warning.
    """

    lo: Any
    hi: Any

    # NumPy scalars and arrays on the left of an operator leave it to this class.
    __array_ufunc__ = None

    @property
    def magnitude(self) -> Any:
        """The largest absolute value of its numbers."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    @property
    def T(self) -> "Range":  # noqa: N802 (the array API standard's name)
        """The transpose of a matrix."""
        return Range(self.lo.T, self.hi.T)

    def contains(self, value: Any) -> Any:
        """Whether numbers lie inside; never in a range that is not finite, which proves nothing."""
        finite = np.isfinite(self.lo) & np.isfinite(self.hi)
        return finite & (self.lo <= value) & (value <= self.hi)

    def __neg__(self) -> "Range":
        return Range(-self.hi, -self.lo)

    def __add__(self, other: Any) -> "Range":
        other = _as_range(other)
        with _quietly():
            return _rounded(self.lo + other.lo, self.hi + other.hi)

    def __mul__(self, other: Any) -> "Range":
        other = _as_range(other)
        with _quietly():
            ends = (self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi)
            return _rounded(np.min(ends, axis=0), np.max(ends, axis=0))

    def __truediv__(self, n: int) -> "Range":
        """Divided by a positive number that is exact."""
        return _rounded(self.lo / n, self.hi / n)

    def __matmul__(self, other: "Range") -> "Range":
        """Matrix (n, k) times vector (k,)."""
        return total(self * other)

    def __sub__(self, other: Any) -> "Range":
        return self + -_as_range(other)

    def __rsub__(self, other: Any) -> "Range":
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__


def exactly(value: Any) -> Range:
    """The range of a float64 number or array that both witnesses are given.

    It is the number alone, unless that is subnormal: then a witness may read it as 0.
    """
    value = np.asarray(value, dtype=np.float64)
    subnormal = np.abs(value) < TINY
    return Range(
        np.where(subnormal, np.minimum(value, 0.0), value),
        np.where(subnormal, np.maximum(value, 0.0), value),
    )


def total(x: Range) -> Range:
    """The sum along the last axis, in any order."""
    n = x.lo.shape[-1]
    with _quietly():
        rounding = n * (2 * U * x.magnitude.sum(axis=-1) + TINY)
        return Range(x.lo.sum(axis=-1) - rounding, x.hi.sum(axis=-1) + rounding)


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


def _as_range(value: Any) -> Range:
    return value if isinstance(value, Range) else exactly(value)


def _rounded(lo: Any, hi: Any) -> Range:
    """[lo, hi] and what one rounding by the witness and one here may add at either end."""
    return Range(lo - 2 * U * np.abs(lo) - TINY, hi + 2 * U * np.abs(hi) + TINY)


def _quietly() -> Any:
    """A range that overflows is infinite, and `contains` says what that means."""
    return np.errstate(over="ignore", invalid="ignore")
