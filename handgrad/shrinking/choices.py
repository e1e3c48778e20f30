"""Simpler replacements of an array, which keep its properties; a new property is a row.

A right gradient may rely on properties of its inputs: labels that sum to one, a positive definite
matrix, counts. They are only known from the arrays themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from handgrad.data.domains.named import BY_NAME

#: Numbers to try, the simplest first.
SHORT = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, 0.25, 0.75, 1.5)

#: The most whole numbers of a range to try.
MOST_WHOLE = 6

#: Arrays of more elements are replaced as a whole: a search has only hundreds of tries.
MANY = 64

#: Rows sum to one up to this error: divisions in float32 leave 6e-8 in each element.
NEAR_ONE = 1e-5


class Property(NamedTuple):
    """A property of arrays, and how to simplify an array that has it."""

    fits: Callable[[np.ndarray], bool]
    simpler: Callable[[np.ndarray, np.ndarray], list[np.ndarray]]  #: (mended, given) -> simpler
    #: Restores the property of a part of an array.
    mended: Callable[[np.ndarray], np.ndarray] = lambda part: part
    whole: bool = True  #: whether it concerns all elements together, not each by itself


def filled(like: np.ndarray, numbers: Sequence[float]) -> list[np.ndarray]:
    """Return arrays, each filled with one of the numbers."""
    return [np.full(like.shape, number) for number in numbers]


def rounded(array: np.ndarray) -> list[np.ndarray]:
    """Round an array to one and to two digits."""
    with np.errstate(all="ignore"):
        sizes = np.floor(np.log10(np.abs(array.astype(np.float64))))
    units = 10.0 ** np.where(np.isfinite(sizes), sizes, 0.0)
    return [np.round(array / units, digits) * units for digits in (0, 1)]


def _floats(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and array.size > 0


# Rows that sum to one.


def _rows_sum_to_one(array: np.ndarray) -> bool:
    if not _floats(array) or array.ndim == 0 or array.shape[-1] < 2:
        return False
    sums = array.astype(np.float64).sum(axis=-1)
    return bool((array >= 0).all() and (np.abs(sums - 1) < NEAR_ONE).all())


def _summing_to_one(array: np.ndarray) -> np.ndarray:
    sums = array.sum(axis=-1, keepdims=True)
    first = np.zeros_like(array)
    first[..., 0] = 1
    with np.errstate(all="ignore"):
        # Rows that still sum to one are not changed, not even by rounding.
        scaled = np.where(np.abs(sums - 1) < NEAR_ONE, array, array / sums)
    return np.where(sums > 0, scaled, first)


def _simpler_rows(array: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    width, rows = array.shape[-1], array.size // array.shape[-1]
    first, in_turn = np.zeros(rows, dtype=int), np.arange(rows) % width
    one_hot = [np.eye(width)[which].reshape(array.shape) for which in (first, in_turn)]
    even = np.full(array.shape, 1 / width)
    if (given > 0).all():
        uneven = np.full(array.shape, 0.25 / max(width - 1, 1))
        uneven[..., 0] = 0.75 if width > 1 else 1
        return [even, uneven]
    return one_hot if np.isin(given, (0, 1)).all() else [*one_hot, even]


# Matrices.


def _square(array: np.ndarray) -> bool:
    return _floats(array) and array.ndim >= 2 and array.shape[-1] == array.shape[-2] > 1


def _in_domain(name: str) -> Callable[[np.ndarray], bool]:
    return lambda array: _square(array) and bool(BY_NAME[name].inside(array).all())


def _triangular(array: np.ndarray) -> bool:
    return _square(array) and any(np.array_equal(array, t(array)) for t in (np.tril, np.triu))


def _simpler_triangles(array: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    ones = np.ones_like(array)
    lower = np.array_equal(given, np.tril(given))
    return [_eye(array), np.tril(ones) if lower else np.triu(ones)]


def _eye(array: np.ndarray) -> np.ndarray:
    # An input need not be square any more where its lengths are cut.
    return np.broadcast_to(np.eye(*array.shape[-2:]), array.shape)


# Sequences.


def _ascending(array: np.ndarray) -> bool:
    # Three numbers ascend by chance too often.
    return array.ndim == 1 and array.size > 3 and bool((array[1:] >= array[:-1]).all())


def _simpler_sequences(array: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    steps = np.arange(array.size)
    strictly = (given[1:] > given[:-1]).all()
    ascending = [steps, steps + 1] if strictly else [np.zeros(array.size), np.ones(array.size)]
    return [found for found in ascending if given.min() <= found[0] and found[-1] <= given.max()]


def _permutation(array: np.ndarray) -> bool:
    whole = array.ndim == 1 and array.size > 2 and array.dtype.kind in "iu"
    return whole and np.array_equal(np.sort(array), np.arange(array.size))


def _ranks(array: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(array)).astype(array.dtype)


# Single numbers.


def _whole_numbers(array: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    lowest, highest = int(given.min()), int(given.max())
    nearest = sorted(range(lowest, min(highest, lowest + MOST_WHOLE) + 1), key=abs)
    return filled(array, nearest)


def _numbers(array: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
    """Return short numbers that satisfy the restraints that the given ones satisfy."""
    tries = [*filled(array, SHORT), *rounded(array)]
    return [found for found in tries if all(r(found) for r in RESTRAINTS if r(given))]


#: Properties of single numbers, kept if all of the given ones have them.
RESTRAINTS: tuple[Callable[[np.ndarray], bool], ...] = (
    lambda a: bool((a >= 0).all()),
    lambda a: bool((a > 0).all()),
    lambda a: bool((a <= 0).all()),
    lambda a: bool((a < 0).all()),
    lambda a: bool(((a >= 0) & (a <= 1)).all()),
    lambda a: bool(((a >= -1) & (a <= 1)).all()),
    lambda a: bool(((a > 0) & (a < 1)).all()),
    lambda a: bool((a == np.round(a)).all()),
    lambda a: bool(np.isin(a, (0, 1)).all()),
    lambda a: bool(np.isin(a, (-1, 1)).all()),
)


#: The properties; the first that fits an array is kept.
PROPERTIES: tuple[Property, ...] = (
    Property(_rows_sum_to_one, _simpler_rows, _summing_to_one),
    Property(_in_domain("positive definite"), lambda a, _: [_eye(a), _eye(a) + 1]),
    Property(_in_domain("symmetric"), lambda a, _: [0 * a, _eye(a), _eye(a) + 1]),
    Property(_triangular, _simpler_triangles),
    Property(_permutation, lambda a, _: [np.arange(a.size)], _ranks),
    Property(_ascending, _simpler_sequences),
    Property(lambda a: a.dtype.kind in "iu" and a.size > 0, _whole_numbers, whole=False),
    Property(lambda a: _floats(a) and bool(np.isfinite(a).all()), _numbers, whole=False),
    # Boolean masks, NaN for missing values, text: their meaning is unknown.
    Property(lambda _: True, lambda *_: []),
)


@dataclass(frozen=True, eq=False)
class Choices:
    """Arrays of one shape, the simplest first, to take whole or to take each element from."""

    arrays: tuple[np.ndarray, ...]
    whole: bool

    @property
    def count(self) -> int:
        """The number of choices to make: one, or one for each element."""
        return 1 if self.whole else self.arrays[0].size

    def chosen(self, which: Sequence[int]) -> np.ndarray:
        """Return the array of these choices."""
        if self.whole:
            return self.arrays[which[0]]
        table = np.stack([array.reshape(-1) for array in self.arrays])
        elements = table[np.asarray(which, dtype=int), np.arange(table.shape[1])]
        return elements.reshape(self.arrays[0].shape)


def choices(given: np.ndarray, cut: np.ndarray, below: int | None) -> Choices:
    """Return replacements of an input that was cut to a part, which is the last of them.

    They have the property of the given array, and the shape and dtype of the part. Integers stay
    `below` the length of what they index; None if they index nothing.
    """
    kept = next(known for known in PROPERTIES if known.fits(given))
    mended = kept.mended(cut if below is None else np.minimum(cut, below - 1).astype(cut.dtype))
    simpler = [
        array for array in kept.simpler(mended, given) if below is None or _fits(array, below)
    ]
    return _choices([*simpler, mended], kept.whole)


def free_choices(base: np.ndarray) -> Choices:
    """Return replacements of a parameter: any numbers, its own last."""
    return _choices([*filled(base, SHORT), *rounded(base), base], whole=False)


def _choices(arrays: list[np.ndarray], whole: bool) -> Choices:
    shape, dtype = arrays[-1].shape, arrays[-1].dtype
    alike = [np.asarray(array, dtype=dtype).reshape(shape) for array in arrays]
    if not whole and arrays[-1].size > MANY:
        return Choices((*alike[:3], *alike[-3:]), whole=True)
    return Choices(tuple(alike), whole)


def _fits(array: np.ndarray, below: int) -> bool:
    return array.size == 0 or int(np.max(array)) < below
