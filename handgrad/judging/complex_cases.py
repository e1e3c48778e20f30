"""Cases of complex arrays, as cases of their real and imaginary parts.

The caller's functions get complex arrays, and the gradient returns some; all else sees real ones.
"""

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
    own = case.own or Own((gradient, loss), lambda *args: args, of_torch=False)
    with_value = case.has_value

    @wraps(loss)
    def of_pairs(*args: Any) -> Any:
        whole = joined(args)
        with written_back(args, whole):
            return loss(*whole)

    @wraps(gradient)
    def gradient_of_pairs(*args: Any) -> Any:
        whole = joined(args)
        with written_back(args, whole):
            found = gradient(*whole)
        if not with_value:
            return parted(found, args[0], sign, names)
        if isinstance(found, tuple | list) and len(found) == 2:
            return found[0], parted(found[1], args[0], sign, names)
        return found

    arguments = own.arguments
    written = None if arguments is None else lambda *args: arguments(*joined(args))
    return replace(
        case,
        gradient=gradient_of_pairs,
        loss=of_pairs,
        own=replace(own, arguments=written),
        written_as=convention,
    )


def parted(found: Any, params: Any, sign: int, names: Names) -> Any:
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
