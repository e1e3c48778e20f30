"""Simpler replacements of an array: a few numbers for each element, the simplest first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handgrad.shrinking.array_properties import PROPERTIES, SHORT, filled, rounded

#: Arrays of more elements are replaced as a whole: a search has only hundreds of tries.
MANY = 64


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
