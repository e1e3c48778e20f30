"""Versions of one gradient in several libraries: each gets tensors or arrays, as it takes them."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.data.point import copied
from handgrad.judging.case import Case
from handgrad.judging.pytorch.cases import CaseArguments, holds_torch, in_arrays
from handgrad.judging.pytorch.leaves import arrays_of
from handgrad.program.aten.tensors import to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def in_its_kind(case: Case, at: tuple[Any, ...], points: Any) -> tuple[Case, Any, Any]:
    """Return the case of a version, its arguments and points, so that it gets what it takes.

    It is called with the arguments as the caller gave them, tensors or arrays. If it raises, it is
    called with the other kind, and if it does not raise then, it is judged with that.
    """
    if "torch" not in sys.modules:
        return case, at, points
    if not holds_torch(at):
        return replace(case, gradient=_on_arrays(case, at)), at, points
    arguments = CaseArguments(at)
    if _result(case.gradient, arguments.tensors(arguments.arrays)):
        return case, at, points
    if not _result(case.gradient, arguments.arrays):
        return case, at, points
    _, arrays, _, points = in_arrays(case, at, points)
    gradient, loss = _on_arrays(case, arrays), arguments.loss(case.loss)
    return replace(case, gradient=gradient, loss=loss), arrays, points


def _on_arrays(case: Case, at: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a version as a function of arrays, which gives arrays."""
    gradient = case.gradient
    if result := _result(gradient, copied(at)):
        of_tensors = wraps(gradient)(lambda *args: arrays_of(gradient(*args)))
        return of_tensors if holds_torch(result) else gradient
    tensors = jax.tree_util.tree_map(_tensor, at)
    if not _result(gradient, tensors):
        return gradient
    return CaseArguments(tensors).gradient(gradient, case.has_value)


def _result(gradient: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, ...]:
    """Return what a version gives of arguments, in a tuple; an empty one if it raises."""
    with best_effort():  # it may raise anything on arguments that it was not written for
        return (gradient(*args),)
    return ()


def _tensor(leaf: Any) -> Any:
    return to_tensor(np.array(leaf)) if isinstance(leaf, np.ndarray | jax.Array) else leaf
