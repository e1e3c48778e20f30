"""Cases of complex arrays, as cases of their real and imaginary parts.

The caller's functions get complex arrays, and the gradient returns some; all else sees real ones.
The cotangent of a complex output w = u + iv is the two derivatives by u and v in one number,
written as a gradient is: so c·u + d·v has the cotangent c - id in JAX's convention, and c + id in
PyTorch's.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import (
    CONVENTIONS,
    Pair,
    check_convention,
    holds_complex,
    in_pairs,
    is_complex,
    is_pair,
    joined,
    names_of_parts,
    written_back,
)
from handgrad.data.findings import Finding
from handgrad.data.names import Names
from handgrad.judging.case import Case, Own
from handgrad.judging.form import FaultyFormError
from handgrad.judging.pytorch.cases import holds_torch, in_arrays

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What the only input of a step is called in the gradient by it.
INPUT = Names("inputs[0]")


def in_real_arrays(
    case: Case, at: tuple[Any, ...], points: Any = 0
) -> tuple[Case, tuple[Any, ...], Names, Any]:
    """Return a case, its arguments, their names and points with real arrays alone.

    Arrays stand for tensors, and pairs for complex arrays.

    Raises:
        ValueError: there is no convention of that name.
        TypeError: as `in_arrays`.
    """
    check_convention(case.convention)
    usual = "torch" if holds_torch(at) else "jax"
    case, at, names, points = in_arrays(case, at, points)
    if not holds_complex(at):
        return case, at, names, points
    pairs = in_pairs(at)
    if isinstance(points, list | tuple):
        points = [in_pairs(p) if isinstance(p, list | tuple) else p for p in points]
    named = replace(names, leaves=_names_of_parts(names, pairs[0]))
    return _on_pairs(case, named, case.convention or usual), pairs, named, points


def _names_of_parts(names: Names, params: Any) -> tuple[str, ...] | None:
    """Return the names of the leaves, if they have names of their own; those of parts by both."""
    leaves = jax.tree_util.tree_leaves(params, is_leaf=is_pair)
    if names.leaves is None or len(names.leaves) != len(leaves):
        return names.leaves
    return names_of_parts(names.leaves, leaves)


def _on_pairs(case: Case, names: Names, convention: str) -> Case:
    """Return a case whose functions take pairs, and whose gradient returns some."""
    gradient, loss, sign = case.gradient, case.loss, CONVENTIONS[convention]
    with_value = case.has_value

    @wraps(loss)
    def of_pairs(*args: Any) -> Any:
        return _called(loss, args)

    @wraps(gradient)
    def gradient_of_pairs(*args: Any) -> Any:
        found = _called(gradient, args)
        if not with_value:
            return _parted(found, args[0], sign, names)
        if isinstance(found, tuple | list) and len(found) == 2:
            return found[0], _parted(found[1], args[0], sign, names)
        return found

    own = _own(case.own, gradient, loss)
    made = {"gradient": gradient_of_pairs, "loss": of_pairs, "own": own}
    return replace(case, **made, written_as=convention)


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
        result = _called(forward, args)
        if not isinstance(result, tuple | list) or len(result) != 2:
            return result
        return in_pairs(result[0]), result[1]

    @wraps(backward)
    def went_back(cotangent: Any, cache: Any) -> Any:
        found = _called(lambda c: backward(c, cache), (cotangent,), sign)
        if not isinstance(found, tuple | list):
            return _parted(found, pairs[0], sign, INPUT) if single else in_pairs(found, sign)
        return _parted(found, type(found)(pairs), sign, Names("inputs"))

    return passed, went_back, pairs, _own(own, forward, backward)


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


def _called(function: Callable[..., Any], args: tuple[Any, ...], sign: int = 1) -> Any:
    """Call the caller's function with complex arrays for pairs; or their conjugates."""
    whole = joined(args, sign)
    with written_back(args, whole, sign):
        return function(*whole)


def _own(own: Own | None, *functions: Callable[..., Any]) -> Own:
    """Return what the caller gave, of functions in arrays if nothing else is known."""
    own = own or Own(functions, lambda *args: args, of_torch=False)
    arguments = own.arguments
    written = None if arguments is None else lambda *args: arguments(*joined(args))
    return replace(own, arguments=written)


def _parted(found: Any, params: Any, sign: int, names: Names) -> Any:
    """Return a gradient as pairs of the derivatives by real and by imaginary parts.

    Args:
        found: what the caller's function returned.
        params: the parameters, with pairs in them.
        sign: that of the imaginary part in the caller's convention.
        names: of the parameters.

    Raises:
        FaultyFormError: the gradient by a complex array is no array, or has another shape.
    """
    places, tree = jax.tree_util.tree_flatten_with_path(params, is_leaf=is_pair)
    try:
        leaves = tree.flatten_up_to(found)
    except ValueError:  # of another form, which is said elsewhere
        return in_pairs(found, sign)
    faults = []
    for (path, at), leaf in zip(places, leaves, strict=True):
        if is_pair(at) and isinstance(leaf, np.ndarray | np.generic | jax.Array | complex | float):
            faults += _faults(names.params + jax.tree_util.keystr(path), leaf, at)
    if faults:
        raise FaultyFormError(faults)
    # A complex gradient by a real array stays one, which is a fault.
    pairs = [
        in_pairs(leaf, sign) if is_pair(at) else leaf
        for (_, at), leaf in zip(places, leaves, strict=True)
    ]
    return jax.tree_util.tree_unflatten(tree, pairs)


def _faults(path: str, leaf: Any, at: Pair) -> list[Finding]:
    got, expected = np.shape(leaf), np.shape(at.real)
    if got != expected:
        return [Finding.of_form("shape", path, f"got shape {got}, expected {expected}")]
    if not is_complex(leaf):
        dtype = np.result_type(getattr(at.real, "dtype", np.float64), np.complex64)
        what = f"got {np.asarray(leaf).dtype.name}, expected {dtype.name}"
        return [Finding.of_form("dtype", path, what)]
    return []
