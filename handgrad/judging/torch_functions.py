"""Cases for functions of PyTorch with a backward pass of their own: `torch.autograd.Function`.

"Yours" is what `torch.autograd.grad` makes of Σ c·output. The loss is the same sum, of what forward
computes when JAX traces it, where no derivative rule of PyTorch runs; or of a reference.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.findings import Finding
from handgrad.data.frames import near, own_frames
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at, shortly
from handgrad.judging.autograd import Layout, Recorder, Run, as_it_is
from handgrad.judging.case import OF_TORCH, Case, Own, TorchFunction, check_seed
from handgrad.judging.form import FaultyFormError
from handgrad.judging.ruling import Ruling
from handgrad.judging.torch_arguments import (
    Arguments,
    arguments_of,
    dtype_of,
    name_of,
    rule_of,
    signature_of,
)
from handgrad.judging.torch_cases import check_traced
from handgrad.program.aten.errors import UncoveredOperationError
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import is_module, is_tensor, to_array, to_tensor
from handgrad.program.aten.tracing import in_jax

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: What helps where a forward pass cannot be traced.
HELP = "give reference=, a function of the same arguments in PyTorch, JAX or NumPy"

#: (subject, the arrays of all tensors) -> the outputs that are used, as JAX's arrays.
Truth = Callable[["Subject", Sequence[Any]], list[Any]]


@dataclass(frozen=True, eq=False)
class Subject:
    """A function of PyTorch, its arguments, and what of them and of its results is judged."""

    f: Any  #: the caller's
    arguments: Arguments
    judged: tuple[int, ...]  #: the numbers of the tensors that require grad
    used: tuple[int, ...] = ()  #: the numbers of the outputs that have a cotangent
    outputs: Mapping[str, bool] = field(default_factory=dict)  #: differentiable, by their names
    layout: Layout = as_it_is  #: of the cotangents
    passes: int = 1  #: how often to go back through the graph; the last one counts
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
        return replace(self, arguments=Arguments.of(args, self.arguments.of_all))

    def run(self, arrays: Sequence[Any]) -> Run:
        """Call the function on fresh tensors with these values; of a module, a copy."""
        function = copy.deepcopy(self.function) if is_module(self.f) else self.function
        return Run.of(function, self.arguments, self.judged, arrays, self.recorder)

    def forward(self, arrays: Sequence[Any]) -> list[Any]:
        """Return the outputs that are used, as JAX's arrays, by the function's own code."""
        apply = self.recorder.rule.apply if self.recorder else self.f

        def outputs(*tensors: Any) -> list[Any]:
            results = jax.tree_util.tree_leaves(apply(*self.arguments.together(tensors)))
            return [results[i] for i in self.used]

        with _opaque():
            return in_jax(outputs)(*arrays)

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
        """Return the same, as JAX's arrays: its forward and its backward pass are traced."""
        if self.passes > 1 or self.layout is not as_it_is:
            raise TypeError("what is traced has no memory, and no second pass")

        def run(cotangents: Any, given: Any) -> list[Any]:
            with torch.enable_grad():
                leaves = {k: given[k].requires_grad_() for k in self.judged}
                clones = [leaves[k].clone() if k in leaves else x for k, x in enumerate(given)]
                together = self.arguments.together(clones)
                results = jax.tree_util.tree_leaves(self.function(*together))
                outputs = [results[i] for i in self.used]
                wanted = list(leaves.values())
                found = torch.autograd.grad(outputs, wanted, cotangents, allow_unused=True)
            pairs = zip(found, wanted, strict=True)
            return [torch.zeros_like(x) if g is None else g for g, x in pairs]

        return in_jax(run)(list(cotangents), list(arrays))


@contextmanager
def _opaque() -> Iterator[None]:
    """Say of a forward pass that runs, and cannot be traced, which line stopped it."""
    try:
        yield
    except (UncoveredOperationError, jax.errors.JAXTypeError):
        raise  # which say it themselves; on numbers that are not traced, JAX's are tried again
    except Exception as error:  # whatever a kernel raises on tensors without memory
        frames = own_frames(error.__traceback__)
        place, what = "", f"{type(error).__name__}: {error}".splitlines()[0]
        if frames:
            frame = frames[-1][1]
            place = f"{near(frame.filename)}, line {frame.lineno}: {frame.line}: "
        raise TypeError(
            f"forward: {place}this runs, but it cannot be traced ({what}); {HELP}"
        ) from error


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
    for i in run.differentiable:
        if run.results[i].is_complex():
            raise TypeError(
                f"{run.output_name(i)}: got {dtype_of(run.results[i])}, expected floats: a "
                "derivative of complex numbers is not judged yet; return their real and imaginary "
                "parts (torch.view_as_real)"
            )
    if not run.differentiable:
        names = ", ".join(arguments.names[k] for k in subject.judged)
        raise TypeError(
            f"F: no output of {name_of(f)} requires grad, expected one that depends on {names}"
        )
    outputs = {run.output_name(i): i in run.differentiable for i in range(len(run.results))}
    return replace(subject, used=run.differentiable, outputs=outputs)


def cotangents_of(subject: Subject, given: Any, seed: int) -> list[np.ndarray]:
    """Return the caller's cotangents, or random ones, as arrays: one for each output used.

    Raises:
        TypeError: the caller's are not shaped like the outputs.
    """
    like = subject.values(subject.arrays)
    if given is None:
        rng = np.random.default_rng(seed)
        return [np.asarray(rng.standard_normal(a.shape), dtype=a.dtype) for a in like]
    found = jax.tree_util.tree_leaves(given)
    arrays = [to_array(c) if is_tensor(c) else np.asarray(c) for c in found]
    if [a.shape for a in arrays] != [a.shape for a in like]:
        got = ", ".join(str(a.shape) for a in arrays) or shortly(given)
        wanted = ", ".join(str(a.shape) for a in like)
        raise TypeError(f"cotangent: got {got}, expected {wanted}, shaped like the outputs")
    if any(a.dtype.kind not in "fiubV" for a in arrays):
        raise TypeError(f"cotangent: got {arrays[0].dtype.name}, expected real numbers")
    return [np.array(a, dtype=b.dtype) for a, b in zip(arrays, like, strict=True)]


def function_case(
    subject: Subject,
    cotangents: Sequence[np.ndarray],
    seed: int = 0,
    referee: str = "auto",
    computed_in: Any = None,
) -> tuple[Case, Point]:
    """Build the case of a function's backward pass, and its point.

    Args:
        subject: the function.
        cotangents: one for each output that is used.
        seed, referee, computed_in: as for `handgrad.check_gradient`.
    """
    check_seed(seed)
    options = seed, referee, computed_in
    bare = len(cotangents) == 1

    def arguments(params: Any, _: Any, *others: Any) -> tuple[Any, ...]:
        return subject.arguments.together(map(to_tensor, subject.all_of(params, others)))

    def again(params: Any, inputs: Any) -> tuple[Case, Point]:
        other = subject.at(arguments(params, *inputs))
        return function_case(other, cotangents_of(other, None, seed), *options)

    own = Own((rule_of(subject.f) or subject.f,), arguments)
    part = TorchFunction(again, signature_of(subject.f), subject.wrt, subject.reference)

    def gradient(params: Any, cotangent: Any, *others: Any) -> Any:
        arrays = subject.all_of(params, others)
        cotangents = [cotangent] if bare else cotangent
        if _in_jax((arrays, cotangents)):
            return subject.gradient_in_jax(arrays, cotangents)
        found = _backward(subject, arrays, cotangents, part)
        none = [k for k, g in zip(subject.judged, found, strict=True) if g is None]
        part.remarks.update((subject.arguments.names[k], _of_none(subject, k)) for k in none)
        pairs = zip(found, params, strict=True)
        return [np.zeros_like(x) if g is None else g for g, x in pairs]

    def loss(params: Any, cotangent: Any, *others: Any) -> Any:
        outputs = subject.exactly(subject.all_of(params, others))
        pairs = zip([cotangent] if bare else cotangent, outputs, strict=True)
        return sum((c * o).sum() for c, o in pairs)

    names, arrays = subject.arguments.names, subject.arrays
    named = Names(
        "args",
        ("cotangent", *(names[k] for k in subject.others)),
        tuple(names[k] for k in subject.judged),
    )
    case = Case(
        gradient,
        loss,
        seed=seed,
        referee=referee,
        part=part,
        wording=OF_TORCH,
        own=own,
        condition=subject.condition,
        computed_in=computed_in,
    )
    inputs = (cotangents[0] if bare else list(cotangents), *(arrays[k] for k in subject.others))
    return case, point_at([arrays[k] for k in subject.judged], inputs, named)


def check_function_traced(
    subject: Subject, cotangents: Sequence[np.ndarray], ruling: Ruling | None
) -> None:
    """Check that the forward pass that was traced is the one that PyTorch runs.

    Raises:
        TypeError: it is not.
    """
    values = subject.values(subject.arrays)
    pairs = zip(cotangents, values, strict=True)
    terms = [c.astype(np.float64) * v.astype(np.float64) for c, v in pairs]
    size = sum(float(np.abs(term).sum()) for term in terms)
    check_traced("forward", sum(float(term.sum()) for term in terms), size, ruling)


def points_of_function(points: Any, subject: Subject, given: Point) -> Any:
    """Return points as those of the case; each of a list is a tuple of arguments.

    Raises:
        TypeError: one of a list is no tuple of such arguments.
    """
    if not isinstance(points, list | tuple):
        return points
    mine, found = subject.arguments, []
    for i, at in enumerate(points):
        other = Arguments.of(tuple(at), mine.of_all) if isinstance(at, tuple | list) else None
        if other is None or (other.tree, other.places) != (mine.tree, mine.places):
            what = f"expected a tuple of {', '.join(mine.of_all)}, as the given ones"
            raise TypeError(f"points[{i}]: got {shortly(at)}, {what}")
        arrays = [np.array(to_array(x)) for x in other.tensors]
        params, others = ([arrays[k] for k in ks] for ks in (subject.judged, subject.others))
        found.append((params, given.inputs[0], *others))
    return found


def _backward(subject: Subject, arrays: Any, cotangents: Any, part: TorchFunction) -> list[Any]:
    """Run both passes; under a condition, what the backward pass raises is a fault of its form."""
    try:
        run = subject.run(arrays)
        found = subject.backward(run, cotangents)
    except FaultyFormError:
        raise
    except Exception as error:  # whatever the caller's function raises
        if not subject.condition:
            raise
        frames = own_frames(error.__traceback__)
        place = f" ({near(frames[-1][1].filename)}, line {frames[-1][1].lineno})" if frames else ""
        what = f"backward raised {type(error).__name__}: {str(error).splitlines()[0]}{place}"
        raise FaultyFormError([Finding("structure", None, None, what, 1.0)]) from error
    part.said.update(dict.fromkeys(run.notes))
    return found


def _of_none(subject: Subject, k: int) -> str:
    """Say why a gradient is None, which PyTorch takes for 0."""
    name = subject.arguments.names[k]
    if subject.recorder and subject.arguments.nested(k):
        return (
            "an autograd.Function gets no gradients of tensors inside a list or dict; make "
            f"{name} an argument of its own"
        )
    return f"backward returned None for {name}; if that is meant, leave it out with wrt="


def _in_jax(tree: Any) -> bool:
    """Tell whether a function was called on JAX's arrays, to be traced or rerun by it."""
    return any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(tree))
