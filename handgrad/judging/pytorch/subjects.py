"""A function of PyTorch that is judged: its arguments, its outputs, and how it is run."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.advised import AdvisedError, UntraceableError
from handgrad.data.attempts import best_effort
from handgrad.data.frames import in_one_line, near, own_frames
from handgrad.judging.pytorch.arguments import (
    CallArguments,
    arguments_of,
    name_of,
    rule_of,
)
from handgrad.judging.pytorch.autograd import Layout, Recorder, Run, as_it_is
from handgrad.program.aten.installed import torch
from handgrad.program.aten.modules import filled
from handgrad.program.aten.tensors import is_module, outputs_of, to_array
from handgrad.program.aten.tracing import in_jax

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What helps where a forward pass cannot be traced.
HELP = "give reference=, a function of the same arguments in PyTorch, JAX or NumPy"

#: (subject, the arrays of all tensors) -> the outputs that are used, as JAX's arrays.
Truth = Callable[["Subject", Sequence[Any]], list[Any]]


class NotTracedError(TypeError):
    """A call of a function that JAX has no program of."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A function of PyTorch, its arguments, and what of them and of its results is judged."""

    f: Any  #: the caller's
    arguments: CallArguments
    judged: tuple[int, ...]  #: the numbers of the tensors that require grad
    used: tuple[int, ...] = ()  #: the numbers of the outputs that have a cotangent
    outputs: Mapping[str, bool] = field(default_factory=dict)  #: differentiable, by their names
    layout: Layout = as_it_is  #: of the cotangents
    passes: int = 1  #: how often to go back through the graph; the last one counts
    called_again: bool = False  #: at other values, before going back
    wrt: tuple[str, ...] | None = None  #: the names of what the caller has judged, if not all
    reference: Any = None  #: the caller's function whose derivative is right, if not its own
    truth: Truth | None = None  #: the same, run by JAX or NumPy
    condition: str = ""  #: where the backward pass is judged, if not as usual

    @cached_property
    def recorder(self) -> Recorder | None:
        """What records the results of the backward pass, if its class is known."""
        rule = rule_of(self.f)
        return Recorder(rule) if rule else None

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function to call, whose backward pass is recorded."""
        return self.recorder.recording.apply if self.recorder else self.f

    @property
    def others(self) -> tuple[int, ...]:
        """The numbers of the tensors that are not judged."""
        return tuple(k for k in range(len(self.arguments.places)) if k not in self.judged)

    @property
    def arrays(self) -> list[np.ndarray]:
        """The values of the caller's tensors, copied."""
        return [np.array(to_array(x)) for x in self.arguments.tensors]

    def all_of(self, params: Sequence[Any], others: Sequence[Any]) -> list[Any]:
        """Return the values of all tensors, in the order of the arguments."""
        found = dict(zip(self.judged, params, strict=True))
        found |= zip(self.others, others, strict=True)
        return [found[k] for k in range(len(found))]

    def at(self, args: tuple[Any, ...]) -> "Subject":
        """Return the same at other arguments."""
        return replace(self, arguments=CallArguments.of(args, self.arguments.of_all))

    def run(self, arrays: Sequence[Any]) -> Run:
        """Call the function on fresh tensors with these values; of a module, a copy."""
        function = copy.deepcopy(self.function) if is_module(self.f) else self.function
        run = Run.of(function, self.arguments, self.judged, arrays, self.recorder)
        if self.called_again:
            moved = self._moved(arrays)
            with best_effort():  # whatever it raises where it was not asked for
                Run.of(function, self.arguments, self.judged, moved)
        return run

    def _moved(self, arrays: Sequence[Any]) -> list[Any]:
        """Return other values of the tensors that are judged: in reversed order, towards 0.

        Functions of positive numbers, or of positive definite matrices, are defined there, too.
        """
        return [
            np.asarray(np.flip(x) * x.dtype.type(0.75), x.dtype) if k in self.judged else x
            for k, x in enumerate(arrays)
        ]

    def forward(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the outputs that are used, as JAX's arrays, by the function's own code."""
        apply = self.recorder.rule.apply if self.recorder else self.f

        def outputs(*tensors: Any) -> list[Any]:
            results = outputs_of(apply(*self.arguments.together(tensors)))
            return [results[i] for i in self.used]

        with _opaque(), self._as_it_was():
            return in_jax(outputs)(*arrays)

    def _as_it_was(self) -> AbstractContextManager[None]:
        """Leave nothing of a trace in the attributes of the caller's module."""
        return filled(self.f, {}) if is_module(self.f) else nullcontext()

    def exactly(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the outputs that are used as those of the function whose derivative is right."""
        return self.truth(self, arrays) if self.truth else self.forward(arrays)

    def values(self, arrays: Sequence[Any]) -> list[np.ndarray]:
        """Return the outputs that are used, as PyTorch computes them."""
        run = self.run(arrays)
        return [np.array(to_array(run.results[i])) for i in self.used]

    def gradient(self, arrays: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Return the gradients of Σ c·output; None as PyTorch does."""
        return self.backward(self.run(arrays), cotangents)

    def backward(self, run: Run, cotangents: Sequence[Any]) -> list[Any]:
        """Return the same, of a function that was called."""
        return run.backward(self.used, cotangents, self.layout, self.passes)

    def gradient_in_jax(self, arrays: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
        """Return the same, as JAX's arrays: its forward and its backward pass are traced.

        Raises:
            NotTracedError: its result depends on more than the numbers.
        """
        if self.passes > 1 or self.called_again or self.layout is not as_it_is:
            raise NotTracedError("what is traced has no memory, and no second pass")

        def run(cotangents: Any, given: Any) -> list[Any]:
            with torch.enable_grad():
                leaves = {k: given[k].requires_grad_() for k in self.judged}
                clones = [leaves[k].clone() if k in leaves else x for k, x in enumerate(given)]
                together = self.arguments.together(clones)
                results = outputs_of(self.function(*together))
                outputs = [results[i] for i in self.used]
                wanted = list(leaves.values())
                found = torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True)
            pairs = zip(found, wanted, strict=True)
            return [torch.zeros_like(x) if g is None else g for g, x in pairs]

        with self._as_it_was():
            return in_jax(run)(list(cotangents), list(arrays))


@contextmanager
def _opaque() -> Iterator[None]:
    """Say of a forward pass that runs, and cannot be traced, which line stopped it."""
    try:
        yield
    except (AdvisedError, jax.errors.JAXTypeError):
        raise  # which say it themselves; on numbers that are not traced, JAX's are tried again
    except Exception as error:  # whatever a kernel raises on tensors without memory
        frames, place = own_frames(error.__traceback__), ""
        if frames:
            frame = frames[-1][1]
            place = f"{near(frame.filename)}, line {frame.lineno}: {frame.line}: "
        what = f"forward: {place}this runs, but it cannot be traced ({in_one_line(error)})"
        raise UntraceableError(what, HELP) from error


def subject_of(
    f: Any, args: tuple[Any, ...], wrt: Any = None, requiring_grad: bool = False
) -> Subject:
    """Take a call of a function apart, and find out which of its outputs are differentiable.

    Judged are its tensors of floats, or those of `wrt`; if wanted, only what requires grad.

    Raises:
        TypeError: f is no function, no tensor can be judged, or no output is differentiable.
        ValueError: `wrt` names no tensor.
        Exception: what the function raises.
    """
    arguments = arguments_of(f, args)
    chosen = arguments.chosen(wrt, requiring_grad)
    names = None if chosen == arguments.floating else tuple(arguments.names[k] for k in chosen)
    subject = Subject(f, arguments, chosen, wrt=names)
    run = subject.run(subject.arrays)
    if not run.differentiable:
        names = ", ".join(arguments.names[k] for k in subject.judged)
        raise TypeError(
            f"F: no output of {name_of(f)} requires grad, expected one that depends on {names}"
        )
    outputs = {run.output_name(i): i in run.differentiable for i in range(len(run.results))}
    return replace(subject, used=run.differentiable, outputs=outputs)
