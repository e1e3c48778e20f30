"""The base class of arrays of objects: shape, transpose, indexing, folding along an axis."""

from collections.abc import Callable
from sys import modules
from typing import Any, Self

import numpy as np


class Shaped:
    """An array of any shape over a NumPy array of objects, `numbers`."""

    numbers: Any  #: of dtype object; NumPy cannot annotate the element type

    def __init__(self, numbers: Any):
        self.numbers = numbers

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of its axes."""
        return self.numbers.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.numbers.ndim

    @property
    def T(self) -> Self:  # noqa: N802 (the standard's name)
        """The transpose."""
        return type(self)(self.numbers.T)

    def __getitem__(self, key: Any) -> Self:
        return type(self)(self.numbers[key])

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return modules[type(self).__module__]

    def along(self, fold: Callable[[Any], Any], axis: int | None, keepdims: bool) -> Self:
        """Fold the numbers along an axis, or all of them, from first to last."""
        if axis is None:
            return type(self)(fold(self.numbers.ravel()))
        moved = np.moveaxis(self.numbers, axis, -1)
        folded = np.empty(moved.shape[:-1], dtype=object)
        for at in np.ndindex(folded.shape):
            folded[at] = fold(moved[at])
        return type(self)(np.expand_dims(folded, axis) if keepdims else folded)
