"""How much arithmetic an operation of a program is, counted and not timed.

A number in one direction takes from half a microsecond (a sum) to some (a root). Functions that are
dearer, as the digamma function, are so once: each further direction is a product.
"""

import math
from typing import Any

import numpy as np

#: Operations that go through a matrix once for each of its rows.
_BY_ROWS = frozenset(
    {
        "cholesky",
        "lu",
        "triangular_solve",
        "tridiagonal_solve",
        "eigh",
        "svd",
        "qr",
        "householder_product",
    }
)


def elements(eqn: Any) -> int:
    """About how many numbers an equation computes or goes through, in one direction."""
    name, most = eqn.primitive.name, max(map(_size, (*eqn.invars, *eqn.outvars)), default=0)
    if name == "dot_general":
        (contracted, _), _ = eqn.params["dimension_numbers"]
        return _size(eqn.outvars[0]) * math.prod(eqn.invars[0].aval.shape[i] for i in contracted)
    if name == "conv_general_dilated":
        kernel, where = eqn.invars[1], eqn.params["dimension_numbers"].rhs_spec[0]
        return _size(eqn.outvars[0]) * _size(kernel) // max(kernel.aval.shape[where], 1)
    if "window_dimensions" in eqn.params:
        return _size(eqn.outvars[0]) * math.prod(eqn.params["window_dimensions"])
    if name in _BY_ROWS:
        return most * max(eqn.invars[0].aval.shape[-1:], default=1)
    return most


def _size(atom: Any) -> int:
    return int(np.prod(getattr(atom.aval, "shape", ()), dtype=np.int64))
