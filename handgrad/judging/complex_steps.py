"""Backward steps of complex arrays, as steps of their real and imaginary parts.

The cotangent of a complex output w = u + iv is the two derivatives by u and v in one number,
written as a gradient is: so c·u + d·v has the cotangent c - id in JAX's
convention, and c + id in PyTorch's.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import CONVENTIONS, in_pairs, is_complex, joined, written_back
from handgrad.data.names import Names
from handgrad.judging.case import Own
from handgrad.judging.complex_cases import parted

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What the only input is called in the gradient by it.
INPUT = Names("inputs[0]")


def step_in_real_arrays(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: tuple[Any, ...],
    convention: str,
    own: Own | None,
) -> tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...], Own]:
    """Return a backward step with pairs for complex arrays, its inputs, and what the caller gave.

    Args:
        forward, backward, inputs: the caller's, in arrays.
        convention: that of the cotangents.
        own: what the caller gave, if not arrays.
    """
    sign, pairs = CONVENTIONS[convention], in_pairs(inputs)
    single = len(pairs) == 1

    @wraps(forward)
    def passed(*args: Any) -> Any:
        whole = joined(args)
        with written_back(args, whole):
            result = forward(*whole)
        if not isinstance(result, tuple | list) or len(result) != 2:
            return result
        return in_pairs(result[0]), result[1]

    @wraps(backward)
    def went_back(cotangent: Any, cache: Any) -> Any:
        whole = joined(cotangent, sign)
        with written_back(cotangent, whole, sign):
            found = backward(whole, cache)
        if not isinstance(found, tuple | list):
            return parted(found, pairs[0], sign, INPUT) if single else in_pairs(found, sign)
        return parted(found, type(found)(pairs), sign, Names("inputs"))

    given = own or Own((forward, backward), lambda *args: args, of_torch=False)
    arguments = given.arguments
    written = None if arguments is None else lambda *args: arguments(*joined(args))
    return passed, went_back, pairs, replace(given, arguments=written)


def cotangent_in_pairs(cotangent: Any, output: Any, convention: str) -> Any:
    """Return the caller's cotangent of a complex output in pairs; its numbers may be real."""

    def alike(of: Any, c: Any) -> Any:
        alike = c is not None and is_complex(of) and np.shape(c) == np.shape(of)
        return np.asarray(c) + 0j if alike else c

    try:
        cotangent = jax.tree_util.tree_map(alike, output, cotangent)
    except ValueError:  # of another structure, which is said elsewhere
        return cotangent
    return in_pairs(cotangent, CONVENTIONS[convention])
