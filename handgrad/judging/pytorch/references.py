"""A function that stands for a forward pass which cannot be traced: in PyTorch, JAX or NumPy."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import raise_internal
from handgrad.data.point import shortly
from handgrad.judging.pytorch.subjects import Subject
from handgrad.program.aten.tensors import outputs_of
from handgrad.program.aten.tracing import in_jax

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


class _OtherOutputsError(TypeError):
    """A reference whose results are not those of the function."""


def with_reference(subject: Subject, reference: Any) -> Subject:
    """Return a subject whose derivative is held to that of a reference, a function.

    In which library it is written is found out by calling it: with tensors, under JAX, and with
    NumPy's arrays.

    Raises:
        TypeError: it is no function, or has other outputs than the function that is judged.
        Exception: what it raises on tensors, if it runs on nothing else either.
    """
    if not callable(reference):
        raise TypeError(f"reference: got {shortly(reference)}, expected a function")

    def on_tensors(subject: Subject, arrays: Sequence[Any]) -> list[Any]:
        def outputs(*tensors: Any) -> list[Any]:
            return _selected(subject, reference(*subject.arguments.together(tensors)))

        return in_jax(outputs)(*arrays)

    def on_arrays(subject: Subject, arrays: Sequence[Any]) -> list[Any]:
        return _selected(subject, reference(*subject.arguments.together(arrays)))

    plainly: Callable[..., list[Any]] = lambda called, arrays: called(arrays)  # noqa: E731
    ways = (on_tensors, jax.eval_shape), (on_arrays, jax.eval_shape), (on_arrays, plainly)
    first: Exception | None = None
    for truth, call in ways:
        try:
            with jax.enable_x64(True):
                found = call(partial(truth, subject), subject.arrays)
        except _OtherOutputsError:
            raise
        except Exception as error:  # whatever it raises on arrays that it was not written for
            raise_internal(error, TypeError)
            first = first or error
        else:
            _check_shapes(subject, found)
            return replace(subject, reference=reference, truth=truth)
    raise first or AssertionError("it was called")


def _selected(subject: Subject, result: Any) -> list[Any]:
    """Return the outputs of a reference that are used: it may leave out those without gradient."""
    found, outputs = outputs_of(result), subject.outputs
    if len(found) == len(outputs):
        return [found[i] for i in subject.used]
    differentiable = [i for i, has_gradient in enumerate(outputs.values()) if has_gradient]
    if len(found) == len(differentiable):
        return [found[differentiable.index(i)] for i in subject.used]
    raise _OtherOutputsError(
        f"reference: got {len(found)} outputs, expected {len(outputs)}, as many as of the function"
    )


def _check_shapes(subject: Subject, found: Sequence[Any]) -> None:
    names, mine = list(subject.outputs), subject.values(subject.arrays)
    for i, a, b in zip(subject.used, mine, found, strict=True):
        if a.shape != np.shape(b):
            got = f"got shape {np.shape(b)} for {names[i]}"
            raise _OtherOutputsError(f"reference: {got}, expected {a.shape} as of the function")
