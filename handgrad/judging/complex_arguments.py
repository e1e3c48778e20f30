"""Functions of complex arrays as functions of their real and imaginary parts.

The caller's functions get complex arrays; all else sees pairs of real ones.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.data.complex_pairs import (
    CONVENTIONS,
    holds_complex,
    in_pairs,
    is_complex,
    joined,
    written_back,
)
from handgrad.data.names import Names
from handgrad.judging.case import Case, Own
from handgrad.judging.complex_cases import parted
from handgrad.judging.vectors.functions import OWN

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class Call(NamedTuple):
    """The derivative, the function, and the arguments of a check."""

    derivative: Callable[..., Any]
    function: Callable[..., Any]
    at: tuple[Any, ...]
    points: Any


def in_parts(
    derivative: Callable[..., Any], function: Callable[..., Any], at: tuple[Any, ...], points: Any
) -> Call:
    """Return a call with pairs in place of complex arrays; unchanged if there are none."""
    if not holds_complex(at):
        return Call(derivative, function, at, points)
    if isinstance(points, list | tuple):
        points = [in_pairs(p) if isinstance(p, list | tuple) else p for p in points]
    return Call(_of_parts(derivative), _of_parts(function), in_pairs(at), points)


def _of_parts(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of pairs, which are joined to complex arrays for the caller's."""
    if not callable(function):
        return function  # which is said elsewhere

    @wraps(function, assigned=OWN)
    def of_parts(*args: Any) -> Any:
        whole = joined(args)
        with written_back(args, whole):
            return function(*whole)

    return of_parts


def like_complex(v: Any, x: Any) -> Any:
    """Return a vector with complex numbers for real ones where x has complex ones."""

    def alike(of: Any, leaf: Any) -> Any:
        numbers = is_complex(of) and np.asarray(leaf).dtype.kind in "fiu"
        return np.asarray(leaf) + 0j if numbers else leaf

    try:
        return jax.tree_util.tree_map(alike, x, v)
    except ValueError:  # of another structure, which is said elsewhere
        return v


def refuse_complex(x: Any, name: str) -> None:
    """Raise TypeError if a Hessian is by complex numbers, of which there is no single one."""
    if holds_complex(x):
        raise TypeError(
            f"{name}: got complex numbers, by which there are several Hessians; expected floats, "
            "or check_hvp, or check_jacobian of the gradient"
        )


def with_gradient_in_parts(
    case: Case, own: tuple[Any, Any], names: Names, convention: str | None
) -> Case:
    """Return the case of a product by complex numbers, which is written as a gradient is.

    Args:
        case: the product's.
        own: the caller's functions.
        names: of the arguments.
        convention: that of the product; JAX's by default.
    """
    convention, returned = convention or "jax", case.gradient

    @wraps(returned)
    def in_pairs_of(x: Any, *args: Any) -> Any:
        return parted(returned(x, *args), x, CONVENTIONS[convention], names)

    whole = Own(own, lambda *args: joined(args), of_torch=False)
    return replace(case, gradient=in_pairs_of, own=whole, written_as=convention)
