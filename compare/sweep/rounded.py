"""How far rounding can bring right programs from the exact value: a value with its error.

For every number of a computation `error` bounds how far `value`, and whatever any right program
computes for it, may be from what exact arithmetic gives. Two right programs are then at most twice
the error apart. It is `compare.rounding` to first order, for a device that goes through millions of
cases a second: instead of two ends of an interval, a middle that is computed anyway, and a radius.

With u the largest relative error of an operation, twice charged, for the program and for this
module's own arithmetic, and every size taken with its error:

============  ===================================================  =================================
a + b, of n   Σ errors + 2 n u Σ |aᵢ|                              any order of summation (Higham,
                                                                   Accuracy and Stability, 4.2)
a b           sizes: |a| error b + |b| error a + 2 u |a b|         |a||b - b'| + |b'||a - a'|
exp and such  |f'| error + FUNCTION u |f|                          f' at its largest on the way
a product     and the smallest normal number                       what is below it may become 0
============  ===================================================  =================================

FUNCTION is that of `compare.networks.ranges`.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp


class Charge(NamedTuple):
    """What an operation costs in a format."""

    u: float  #: the largest relative error of one correctly rounded operation
    tiny: float  #: what may be lost where a product is below the smallest normal number


class Rounded(NamedTuple):
    """Arrays of one shape, or of shapes that broadcast."""

    value: Any
    error: Any

    @property
    def size(self) -> Any:
        """What no right program's value exceeds in size."""
        return abs(self.value) + self.error


def exact(value: Any) -> Rounded:
    """What every program is given."""
    return Rounded(value, jnp.zeros_like(value))


def product(a: Rounded, b: Rounded, charge: Charge) -> Rounded:
    """a b."""
    value = a.value * b.value
    spread = a.size * b.error + b.size * a.error
    return Rounded(value, spread + 2 * charge.u * a.size * b.size + charge.tiny)


def scaled(a: Rounded, factor: Any, charge: Charge) -> Rounded:
    """a times what is exact."""
    value = factor * a.value
    return Rounded(value, abs(factor) * (a.error + 2 * charge.u * a.size) + charge.tiny)


def total(terms: list[Rounded], charge: Charge) -> Rounded:
    """The sum of terms, in any order."""
    value, error, sizes = terms[0].value, terms[0].error, terms[0].size
    for term in terms[1:]:
        value, error, sizes = value + term.value, error + term.error, sizes + term.size
    return Rounded(value, error + 2 * len(terms) * charge.u * sizes)


def summed(a: Rounded, axis: int, charge: Charge) -> Rounded:
    """The sum along an axis, in any order."""
    n = a.value.shape[axis]
    sizes = a.size.sum(axis)
    return Rounded(a.value.sum(axis), a.error.sum(axis) + 2 * n * charge.u * sizes)


def matmul(a: Rounded, b: Rounded, charge: Charge) -> Rounded:
    """a @ b: sums of products, in any order."""
    n = a.value.shape[-1]
    spread = a.size @ b.error + a.error @ b.size
    rounding = 2 * (n + 1) * charge.u * (a.size @ b.size) + n * charge.tiny
    return Rounded(a.value @ b.value, spread + rounding)


def transposed(a: Rounded) -> Rounded:
    """The transposes of a stack of matrices."""
    return Rounded(jnp.swapaxes(a.value, -1, -2), jnp.swapaxes(a.error, -1, -2))


def tail(z: Rounded, e: Any) -> Any:
    """No less than e^-|t| for any t within the error of z; e is e^-|z|.

    e^-|z| grows by e^error at most, and e^t <= 1 + 2t as far as 1. Beyond that, what counts is the
    end that is nearer to 0: of a far one nothing is left, of a near one all may be.
    """
    tiny = jnp.finfo(z.value.dtype).tiny
    near = jnp.where(abs(z.value) - z.error > -math.log(tiny), 2 * tiny, 1)
    return jnp.where(z.error <= 1, e * (1 + 2 * z.error), near)
