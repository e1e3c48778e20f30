"""The cost of an operation, as a count of operations on numbers, by the shapes in its equation.

It is counted and not timed, so that decisions are the same on every machine. One number in one
direction takes from half a microsecond (a sum) to a few (a root). Expensive functions such as
digamma are evaluated once; each direction then costs a product.
"""

import math
from typing import Any


def largest(eqn: Any) -> float:
    """Return the size of the largest operand or result."""
    return max(map(size, (*eqn.invars, *eqn.outvars)))


def products(eqn: Any) -> float:
    """Return the number of all terms of the sums in the first result."""
    return size(eqn.outvars[0]) * terms(eqn)


def factorisation(eqn: Any) -> float:
    """Return the cost of a factorisation: the size of a matrix times its rows."""
    return largest(eqn) * eqn.invars[0].aval.shape[-1]


def terms(eqn: Any) -> float:
    """Return the number of terms of a sum, on average over its results."""
    name = eqn.primitive.name
    shapes = [v.aval.shape for v in eqn.invars]
    if name == "dot_general":
        return float(math.prod(shapes[0][i] for i in eqn.params["dimension_numbers"][0][0]))
    if name == "cumsum":
        return float(shapes[0][eqn.params["axis"]])
    if _windows(eqn):
        return float(math.prod(eqn.params["window_dimensions"]))
    if name == "conv_general_dilated":
        channels = shapes[1][eqn.params["dimension_numbers"].rhs_spec[0]]
        return float(math.prod(shapes[1])) / max(1, channels)
    return max(1.0, sum(map(size, eqn.invars)) / max(1, size(eqn.outvars[0])))


def size(v: Any) -> int:
    """Return the number of elements of a variable."""
    return math.prod(v.aval.shape)


def _windows(eqn: Any) -> bool:
    return "window_dimensions" in eqn.params
