"""The base class of arrays of objects: shape, transpose, indexing."""

from typing import Any, Self


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
