"""Find the array library that numbers belong to.

The hand-written lines take `exp` and `where` from their argument's own namespace, so that the same
lines run on NumPy arrays, on JAX arrays under `jit`, on anything else that follows the
Python array API standard (https://data-apis.org/array-api/), and on arrays of objects: balls,
symbols, recorded numbers (see `manual.objects`).
"""

import importlib
from typing import Any

import array_api_compat
import array_api_compat.numpy
import numpy

from manual.objects import Namespace

#: Anything the hand lines run on: a number, or an array of a library of the array API standard.
#: The standard has no common base class to annotate with, hence Any.
Array = Any


def as_array(value: Array) -> Array:
    """Turn numbers and (nested) lists or tuples of numbers into NumPy float64; pass arrays through.

    Raises:
        ValueError: the lists are ragged or hold something that is not a number.
    """
    # NumPy's float64 is a float as well.
    if not isinstance(value, numpy.generic) and isinstance(value, (bool, int, float, list, tuple)):
        return numpy.asarray(value, dtype=numpy.float64)[()]
    return value


def namespace(value: Array) -> Any:
    """Return the array API namespace of `value`: `numpy`, `jax.numpy`, and so on.

    Raises:
        TypeError: `value` belongs to no library of the standard.
    """
    if isinstance(value, numpy.floating):  # for which asking takes longer than computing
        return array_api_compat.numpy
    if isinstance(value, numpy.ndarray) and value.dtype.hasobject:
        return Namespace()
    return array_api_compat.array_namespace(value)


def erfc(z: Array) -> Array:
    """The complementary error function, (2/√π) ∫ from z to ∞ of e^-t² dt, element by element.

    The standard lacks it; most libraries have it in a namespace `scipy.special`.

    Raises:
        TypeError: the library of `z` has no `erfc`.
    """
    xp = namespace(z)
    if hasattr(xp, "erfc"):
        return xp.erfc(z)
    library = type(z).__module__.partition(".")[0]
    if array_api_compat.is_numpy_array(z):
        where = "scipy.special"
    elif array_api_compat.is_jax_array(z):
        where = "jax.scipy.special"
    else:
        raise TypeError(f"erfc: got an array of {library}, expected one of NumPy or JAX")
    # Imported here, so that only the array's own library is loaded.
    return importlib.import_module(where).erfc(z)
