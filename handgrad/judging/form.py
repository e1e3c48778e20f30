"""Check the form of a gradient before any number is compared, since broadcasting would hide it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import jax
import numpy as np

from handgrad.data import formats
from handgrad.data.complex_pairs import is_pair
from handgrad.data.findings import Finding
from handgrad.data.point import Point
from handgrad.data.pytrees import is_real
from handgrad.judging.case import OF_GRADIENT, Case, Wording
from handgrad.judging.untraceable import calling
from handgrad.program.ending import LoopError, before_loops, calls_compiled
from handgrad.program.trace import run_to_end

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The leaves of a gradient, in their own dtypes.
Answer = list[np.ndarray]


class FaultyFormError(Exception):
    """What an adapted function of another library found in the form of the caller's gradient."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.detail for finding in findings))
        self.findings = findings


def answer(
    grads: Any, given: Point, wording: Wording = OF_GRADIENT
) -> tuple[Answer, list[Finding]]:
    """Return the leaves of a gradient in the order of the parameters, or the faults of its form."""
    found, _ = jax.tree_util.tree_flatten_with_path(grads)
    by_key = {jax.tree_util.keystr(path): leaf for path, leaf in found}
    places = list(zip(given.keys, given.paths, given.leaves, strict=True))
    missing = [path for key, path, _ in places if key not in by_key]
    surplus = [key for key in by_key if key not in given.keys]
    if missing or surplus:
        return [], [_structure(grads, given, missing, surplus, wording)]
    # That of a number which leaves the dtype to arrays may come in theirs.
    pairs = [
        (path, _as_floats(by_key[key], leaf) if weak else by_key[key], leaf)
        for (key, path, leaf), weak in zip(places, given.weak, strict=True)
    ]
    findings = [f for p, got, leaf in pairs if (f := _format(p, got, leaf, given, wording))]
    return [] if findings else [_native(got) for _, got, _ in pairs], findings


def _as_floats(got: Any, leaf: np.ndarray) -> Any:
    floats = formats.is_floating(np.asarray(got).dtype)
    return np.asarray(got).astype(leaf.dtype) if floats else got


def _native(got: Any) -> np.ndarray:
    """Copy a leaf to an array in the byte order of this machine."""
    array = np.array(got)
    return array.astype(formats.native(array.dtype), copy=False)


def _structure(
    grads: Any, given: Point, missing: list[str], surplus: list[str], wording: Wording
) -> Finding:
    """Describe a gradient whose pytree is not that of the parameters."""
    root = given.names.params
    params = f"{root} is {_kind(given.params)}"
    if grads is None:
        what = f"{wording.gradient} returned None; is its return statement missing?"
        return Finding.of_form("structure", None, what)
    if isinstance(grads, float | np.generic | jax.Array) and np.ndim(grads) == 0:
        what = f"{wording.gradient} returned a single number; {params}"
        what += wording.single
        return Finding.of_form("structure", None, what)
    parts = []
    if missing:
        parts.append(f"no gradient of {_some(missing)}")
    if surplus:
        parts.append(f"something at {_some([f'grads{key}' for key in surplus])}")
    what = f"{wording.gradient} returned {_kind(grads)} with {' and '.join(parts)}; {params}"
    if isinstance(grads, tuple | list) and _are_of_arguments(grads, given):
        several = ", ".join(given.names.of_all(len(grads) - 1))
        what += f"; only the first argument counts: for more, make them one, ({several})"
    elif isinstance(grads, tuple) and len(grads) == 2:
        what += wording.two
    return Finding.of_form("structure", [*missing, *(root + key for key in surplus)][0], what)


def _are_of_arguments(grads: Sequence[Any], given: Point) -> bool:
    """Tell whether these may be the gradients with respect to the first arguments, one for each."""
    arguments = (given.params, *given.inputs)[: len(grads)]
    if not 1 < len(grads) == len(arguments):
        return False
    pairs = zip(grads, arguments, strict=True)
    return all(is_real(argument) and np.shape(g) == argument.shape for g, argument in pairs)


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:4]) + (f" and {len(paths) - 4} more" if len(paths) > 4 else "")


def _kind(tree: Any) -> str:
    """Describe a pytree in a few words."""
    if isinstance(tree, dict):
        return f"a dict of {', '.join(map(repr, list(tree)[:6]))}" if tree else "an empty dict"
    if type(tree) in (list, tuple):
        return f"a {type(tree).__name__} of {len(tree)}"
    if is_pair(tree):
        return f"a complex array of shape {np.shape(tree.real)}"
    shape = getattr(tree, "shape", None)
    return f"a {type(tree).__name__}" if shape is None else f"an array of shape {tuple(shape)}"


def _format(
    path: str, got: Any, leaf: np.ndarray, given: Point, wording: Wording
) -> Finding | None:
    if not isinstance(got, np.ndarray | np.generic | jax.Array | float):
        return Finding.of_form("structure", path, f"got {type(got).__name__}, expected an array")
    array = np.asarray(got)
    if array.shape != leaf.shape:
        hint = wording.single if array.shape == () and leaf.size > 1 else ""
        shape = array.shape
        others = [i for i, it in enumerate(given.inputs) if getattr(it, "shape", ()) == shape != ()]
        if others and is_real(given.params):  # all parameters in one array
            other = given.names.of_input(others[0])
            hint = f", that of the first argument; yours is that of {other}"
        what = f"got shape {array.shape}, expected {leaf.shape}{hint}"
        return Finding.of_form("shape", path, what)
    return None if _is_shorter(array, leaf) else _dtype(path, array, leaf)


def shorter(leaves: Answer, given: Point) -> list[Finding]:
    """Return a finding for each leaf in float32 for parameters in float64; it is judged, too."""
    pairs = zip(given.paths, leaves, given.leaves, strict=True)
    return [f for path, got, leaf in pairs if (f := _dtype(path, got, leaf)) is not None]


def _is_shorter(got: np.ndarray, leaf: np.ndarray) -> bool:
    return (formats.native(got.dtype), leaf.dtype) == (np.float32, np.float64)


def _dtype(path: str, got: np.ndarray, leaf: np.ndarray) -> Finding | None:
    if formats.native(got.dtype) == leaf.dtype:
        return None
    return Finding.of_form("dtype", path, f"got {got.dtype.name}, expected {leaf.dtype.name}")


#: What a call of a gradient gave: the loss, if it returns it, the leaves, the faults of its form.
Called = tuple[Any, Answer, list[Finding]]


def called(case: Case, given: Point) -> tuple[Any, list[str]]:
    """Call the gradient; if it has loops of JAX's, once its program has come to an end.

    Returns what it returned, and the paths of arguments that it has changed.

    Raises:
        OutOfTimeError: a loop has not ended in time.
    """
    if given.form not in case.programs and not calls_compiled(case.gradient):
        with suppress(LoopError), before_loops():
            return given.call(case.gradient)
    run_to_end(case.program(given), given)
    return given.call(case.gradient)


def call_gradient(case: Case, given: Point) -> Called:
    """Call the gradient of a case; return (value, leaves, findings).

    The value is None unless the gradient returns it. Errors are raised as `calling` explains them.
    """
    with calling(case.wording.gradient):
        try:
            result, changed = called(case, given)
        except FaultyFormError as error:
            return None, [], error.findings
    value, grads, findings = None, result, []
    if case.has_value:
        if not isinstance(result, tuple | list) or len(result) != 2:
            says = f"as {case.wording.has_value} says"
            what = f"got {type(result).__name__}, expected (loss, grads), {says}"
            return None, [], [Finding.of_form("structure", None, what)]
        value, grads = result
        if np.shape(value) != ():
            what = f"got a loss of shape {np.shape(value)}, expected a scalar"
            return None, [], [Finding.of_form("shape", None, what)]
        value = np.asarray(value)[()]
    leaves, findings = answer(grads, given, case.wording)
    name, passes = case.wording.gradient, case.claim.passes
    if changed and passes and given.call(passes[0])[1]:
        name = "forward"
    what = f"{name} wrote to its argument; the caller's data would be spoilt"
    findings += [Finding.of_form("mutation", path, what) for path in changed]
    return value, leaves, findings
