"""Which library do these numbers belong to?

The hand-written lines take `exp` and `where` from their argument's own namespace, so that the
very same lines run on NumPy arrays, on JAX arrays under `jit`, and on anything else that follows
the Python array API standard (https://data-apis.org/array-api/).
"""

from typing import Any

import array_api_compat
import numpy

#: Anything the hand lines run on: a number, or an array of a library of the array API standard.
#: The standard has no common base class to annotate with, hence Any.
Array = Any


def as_array(value: Array) -> Array:
    """Turn numbers and (nested) lists or tuples of numbers into NumPy float64; pass arrays through.

    Raises:
        ValueError: the lists are ragged or hold something that is not a number.
    """
    if isinstance(value, bool | int | float | list | tuple):
        return numpy.asarray(value, dtype=numpy.float64)[()]
    return value


def namespace(value: Array) -> Any:
    """The array API namespace of `value`: `numpy` for NumPy, `jax.numpy` for JAX, and so on.

    Raises:
        TypeError: `value` belongs to no library of the standard.
    """
    return array_api_compat.array_namespace(value)
