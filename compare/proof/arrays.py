"""Arrays of `Number`s, for the hand-written lines.

A single number is an array of shape (), so that it has a namespace as well.
"""

from typing import Any, Self

import numpy as np

from compare.proof.number import InexactError, Number
from manual.objects import ObjectArray


class Array(ObjectArray):
    """Numbers in an array of any shape."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if dtype not in (None, object):
            raise InexactError("exact numbers turned into floats")
        return self.numbers.copy() if copy else self.numbers

    def __float__(self) -> float:
        raise InexactError("exact numbers turned into floats")

    def __bool__(self) -> bool:
        raise InexactError("an if or a Boolean operation on a number that may be anything")

    @property
    def number(self) -> Number:
        """The single number of an array of shape ()."""
        return self.numbers[()]

    def astype(self, dtype: Any) -> Self:
        """Return the array itself: Booleans are the numbers 0 and 1 here.

        Raises:
            InexactError: the dtype cannot represent the numbers exactly.
        """
        if dtype != self.dtype and not (np.dtype(dtype).kind == "f" and self._are_booleans()):
            raise InexactError(f"exact numbers turned into {np.dtype(dtype)}")
        return self

    def _are_booleans(self) -> bool:
        return all(number.is_boolean for number in self.numbers.flat)
