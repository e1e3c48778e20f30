"""The tally of a sweep: counts and largest values, which can be merged in any order."""

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from compare.sweep.cases import LANES, ROWS
from compare.sweep.distributions import Floats
from compare.sweep.subject import Compared, Kept

#: The lower ends of the histogram's bins, in ulps: 0 alone, above 0, then powers of two.
ENDS = (0.0, 0.0, *(2.0**k for k in range(8)), *(2.0**k for k in range(8, 49, 8)))
BINS = len(ENDS)

#: Counts of the parameters of one case take 4 bits each, those of a block's rows 8.
_MOST_AT_ONCE = 15

#: Marks a case whose bound is not finite, in place of its ratio.
_OVERFLOWED = -1
#: The positions of the 8-bit fields in a word.
_SHIFTS = np.arange(0, 64, 8)

assert BINS == 16
assert _MOST_AT_ONCE * ROWS < 256


class Tally(NamedTuple):
    """Counts and largest values of the cases so far, by lane."""

    disagreements: Any  #: cases with an element further apart than its bound; int64, (LANES,)
    overflowed: Any  #: cases with a bound that is not finite; int64, (LANES,)
    judged: Any  #: elements larger than their bound; int64, (parameters, LANES)
    histogram: Any  #: elements by their distance in ulps; int64, (BINS, LANES)
    ulps: Any  #: the largest distance of each parameter; (parameters, LANES)
    ratio: Any  #: the largest distance over its bound, infinite for NaN, below 0
    #: where there is no case, or every case overflowed; (LANES,)
    case: Any  #: the first case with that ratio; int64, (LANES,)


def empty(parameters: int, floats: Floats) -> Tally:
    """Return the tally of no case."""
    counts = jnp.zeros(LANES, jnp.int64)
    return Tally(
        disagreements=counts,
        overflowed=counts,
        judged=jnp.zeros((parameters, LANES), jnp.int64),
        histogram=jnp.zeros((BINS, LANES), jnp.int64),
        ulps=jnp.zeros((parameters, LANES), floats.dtype),
        ratio=jnp.full(LANES, -1, floats.dtype),
        case=jnp.zeros(LANES, jnp.int64),
    )


def joined(a: Tally, b: Tally) -> Tally:
    """Merge two tallies; for equal ratios, the case with the smaller number is kept."""
    first = (a.ratio > b.ratio) | ((a.ratio == b.ratio) & (a.case <= b.case))
    return Tally(
        a.disagreements + b.disagreements,
        a.overflowed + b.overflowed,
        a.judged + b.judged,
        a.histogram + b.histogram,
        jnp.maximum(a.ulps, b.ulps),
        jnp.where(first, a.ratio, b.ratio),
        jnp.where(first, a.case, b.case),
    )


def of_block(compared: Compared, cases: Any, is_case: Any, floats: Floats, kept: Kept) -> Tally:
    """Tally the cases of a block.

    Args:
        compared: their gradients.
        cases, is_case: the result of `compare.sweep.cases.of_block`.
        floats: their format.
        kept: see `compare.sweep.subject.in_memory`.
    """
    distances, ratios, gaps, allowed = [], [], [], []
    # Stored, because a recomputed number may be rounded differently.
    for by_hand, by_autodiff, most in zip(*kept(tuple(compared)), strict=True):
        apart = abs(by_hand - by_autodiff)
        larger = jnp.maximum(abs(by_hand), abs(by_autodiff))
        is_judged = (larger > most) & jnp.broadcast_to(is_case, larger.shape)
        distances.append(_marked(_in_ulps(apart, larger, floats), is_judged, floats))
        ratios.append(_over(jnp.max, apart / most))
        gaps.append(_over(jnp.sum, apart))
        allowed.append(_over(jnp.sum, most))
    # Sums detect NaN; whether `max` propagates NaN depends on the compiler.
    is_number, is_finite = sum(gaps) < jnp.inf, sum(allowed) < jnp.inf
    ratio = jnp.where(is_number, reduce(jnp.maximum, ratios), jnp.inf)
    distances, ratio = kept((distances, jnp.where(is_finite, ratio, _OVERFLOWED)))
    largest = ratio.max(axis=0)
    return Tally(
        _counted(~(ratio <= 1) & is_case),
        _counted((ratio == _OVERFLOWED) & is_case),
        jnp.concatenate([jnp.atleast_2d(_counted(d < _mark(floats))) for d in distances]),
        _histogram(distances, is_case, floats, kept),
        _largest_of_rows(distances, floats),
        largest,
        jnp.where(ratio == largest[None, :], cases, jnp.iinfo(jnp.int64).max).min(axis=0),
    )


def _over(take: Callable[..., Any], array: Any) -> Any:
    """Reduce over the parameters of each case, if there are several."""
    return array if array.ndim == 2 else take(array, axis=0)


def _counted(which: Any) -> Any:
    """Count by lane; the last axes are rows and lanes."""
    return which.astype(jnp.int64).sum(axis=-2)


def _marked(distance: Any, is_judged: Any, floats: Floats) -> Any:
    """Return a distance's bits; the sign bit marks an element that is not judged."""
    return _without_mark(_bits(distance, floats), floats) | jnp.where(is_judged, 0, _mark(floats))


def _mark(floats: Floats) -> Any:
    return floats.bits(1) << floats.bits(8 * floats.bits(0).itemsize - 1)


def _without_mark(bits: Any, floats: Floats) -> Any:
    return bits & (_mark(floats) - floats.bits(1))


def _largest_of_rows(distances: list[Any], floats: Floats) -> Any:
    """Reduce distances to (parameters, LANES), comparing bits, for which NaN is largest."""
    rows = [jnp.atleast_2d(_without_mark(d, floats).max(axis=-2)) for d in distances]
    numbers = jax.lax.bitcast_convert_type(jnp.concatenate(rows), floats.dtype)
    return jnp.where(numbers < jnp.inf, numbers, jnp.inf)


def _in_ulps(apart: Any, of: Any, floats: Floats) -> Any:
    """Convert distances to ulps of positive numbers, at least of the smallest normal number."""
    size = floats.bits
    exponent = _bits(of, floats) & size((2 * floats.bias + 1) << floats.mantissa)
    # The inverse of the very largest would be subnormal; NaN counts as infinitely far.
    exponent = jnp.minimum(exponent, size((2 * floats.bias - 1) << floats.mantissa))
    # The bits of 1 / 2^e, computed from those of 2^e.
    inverse = jax.lax.bitcast_convert_type(
        size((2 * floats.bias) << floats.mantissa) - exponent, floats.dtype
    )
    return apart * floats.dtype(2.0**floats.mantissa) * inverse


def _bits(of: Any, floats: Floats) -> Any:
    return jax.lax.bitcast_convert_type(of, floats.bits)


def _histogram(distances: list[Any], is_case: Any, floats: Floats, kept: Kept) -> Any:
    """Count distances by bin and lane.

    A distance adds 1 to one of sixteen 4-bit fields of a word, by its power of two. A sum of such
    words over parameters counts up to 15 in each field; the sum over rows takes every other field,
    which leaves 8 bits for each.
    """
    counts = jnp.zeros((BINS, LANES), jnp.int64)
    for words in kept(_summed([_field(d, floats) for d in distances])):
        found = jnp.where(is_case, words, 0)
        every_other = np.int64(0x0F0F0F0F0F0F0F0F)
        halves = jnp.stack([(found >> np.int64(4 * k) & every_other).sum(axis=0) for k in (0, 1)])
        # Bin 2 f + k is field f of half k.
        fields = halves[None] >> _SHIFTS[:, None, None] & np.int64(0xFF)
        counts = counts + fields.reshape(BINS, LANES)
    return counts


def _field(distance: Any, floats: Floats) -> Any:
    bits = _without_mark(distance, floats)
    exponent = jnp.right_shift(bits, floats.bits(floats.mantissa))
    power = exponent.astype(jnp.int64) - np.int64(floats.bias)
    by_one = jnp.clip(power, -1, 8) + np.int64(2)
    by_eight = jnp.maximum(power - np.int64(8), 0) >> np.int64(3)
    filled = jnp.minimum(by_one + by_eight, BINS - 1)
    return np.int64(1) << (np.int64(4) * jnp.where(bits == 0, 0, filled))


def _summed(words: list[Any]) -> list[Any]:
    """Sum words over parameters, at most `_MOST_AT_ONCE` at a time."""
    if words[0].ndim == 3:
        return [word.sum(axis=0) for word in words]
    starts = range(0, len(words), _MOST_AT_ONCE)
    return [sum(words[at : at + _MOST_AT_ONCE]) for at in starts]
