"""Arrays of recorded numbers, for the hand-written lines.

Sums and matrix products are computed term by term, each operation rounded once.
"""

from typing import Any

import numpy as np

from compare.recording.number import Number, recorded
from manual.objects import ObjectArray


class Array(ObjectArray):
    """Numbers in an array of any shape; operators and `@` as the standard has them."""

    dtype = np.dtype(np.float64)

    def __init__(self, numbers: Any):
        """Wrap an array or nested lists of numbers, recorded or plain."""
        super().__init__(np.frompyfunc(recorded, 1, 1)(np.asarray(numbers, dtype=object)))


def given(values: Any) -> Array:
    """Build an array of input numbers from values in an array or nested lists."""
    return Array(np.frompyfunc(Number, 1, 1)(np.asarray(values, dtype=np.float64).astype(object)))
