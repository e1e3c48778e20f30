"""Cases for functions of PyTorch with a backward pass of their own: `torch.autograd.Function`.

"Yours" is what `torch.autograd.grad` makes of Σ c·output. The loss is the same sum, of what forward
computes when JAX traces it, where no derivative rule of PyTorch runs; or of a reference.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import raise_internal
from handgrad.data.complex_pairs import (
    holds_complex,
    in_pairs,
    is_complex,
    joined,
    names_of_parts,
)
from handgrad.data.findings import Finding
from handgrad.data.frames import with_place
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at, shortly
from handgrad.judging.case import OF_TORCH, Case, Own
from handgrad.judging.claim import Check, Claim
from handgrad.judging.form import FaultyFormError
from handgrad.judging.options import DEFAULT, Options
from handgrad.judging.pytorch.arguments import CallArguments, rule_of, signature_of
from handgrad.judging.pytorch.autograd import Run
from handgrad.judging.pytorch.cases import in_jax_arrays
from handgrad.judging.pytorch.subjects import Subject
from handgrad.judging.repeatability import CALLS_OF_KERNEL
from handgrad.program.aten.tensors import is_tensor, outputs_of, to_array, to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class TorchRule(Claim):
    """The backward pass of a function of PyTorch's, which is linear in its cotangent."""

    is_gradient = False
    contracted_with = "cotangent"
    is_held = True  # element by element, by `handgrad.judging.pytorch.values`
    chooses_convention = False
    subject: Subject
    together: Callable[..., tuple[Any, ...]]  #: (params, *inputs) -> the arguments
    #: Remarks on leaves, for the case that they are wrong, by their names.
    remarks: dict[str, str] = field(default_factory=dict)
    said: dict[str, None] = field(default_factory=dict)  #: warnings, in order

    def notes(self) -> tuple[str, ...]:
        """Return the warnings for the report."""
        return tuple(self.said)

    def remark(self, path: str) -> str:
        """Return the remark on a leaf, for the case that it is wrong."""
        return self.remarks.get(path, "")

    def check(self, case: Case) -> Check:
        """Return the check that gives a case again."""
        (f,) = case.own.functions if case.own else (None,)
        wrt, reference = self.subject.wrt, self.subject.reference
        return Check(
            "assert_function",
            ((f, "F"),),
            signature_of(self.subject.f),
            derivative=None,
            options={"wrt": repr(list(wrt))} if wrt else {},
            by_name=() if reference is None else ((reference, "reference"),),
            home="handgrad.torch",
        )

    def again(self, case: Case, given: Point) -> tuple[Case, Point]:
        """Return the case at other arguments, with cotangents of its own, and its point."""
        subject = self.subject.at(self.together(given.params, *given.inputs))
        return function_case(subject, cotangents_of(subject, None, case.seed), case)


def cotangents_of(subject: Subject, given: Any, seed: int) -> list[np.ndarray]:
    """Return the caller's cotangents, or random ones, as arrays: one for each output used.

    Raises:
        TypeError: the caller's are not shaped like the outputs.
    """
    like = subject.values(subject.arrays)
    if given is None:
        rng = np.random.default_rng(seed)
        return [_drawn(rng, a) for a in like]
    found = outputs_of(given)
    arrays = [to_array(c) if is_tensor(c) else np.asarray(c) for c in found]
    if [a.shape for a in arrays] != [a.shape for a in like]:
        got = ", ".join(str(a.shape) for a in arrays) or shortly(given)
        wanted = ", ".join(str(a.shape) for a in like)
        raise TypeError(f"cotangent: got {got}, expected {wanted}, shaped like the outputs")
    for a, b in zip(arrays, like, strict=True):
        if a.dtype.kind not in "fiubV" + b.dtype.kind:
            raise TypeError(f"cotangent: got {a.dtype.name}, expected numbers of {b.dtype.name}")
    return [np.array(a, dtype=b.dtype) for a, b in zip(arrays, like, strict=True)]


def _drawn(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    drawn = rng.standard_normal(like.shape)
    if is_complex(like):
        drawn = drawn + 1j * rng.standard_normal(like.shape)
    return np.asarray(drawn, dtype=like.dtype)


def function_case(
    subject: Subject,
    cotangents: Sequence[np.ndarray],
    options: Options = DEFAULT,
) -> tuple[Case, Point]:
    """Build the case of a function's backward pass, and its point.

    Complex tensors are pairs of arrays in it, and a gradient by one has the derivatives by both.

    Args:
        subject: the function.
        cotangents: one for each output that is used.
        options: of the check.
    """
    bare = len(cotangents) == 1
    dtypes = [x.dtype for x in subject.arrays]

    def arguments(params: Any, _: Any, *others: Any) -> tuple[Any, ...]:
        return subject.arguments.together(map(to_tensor, tensors_of(params, others)))

    def tensors_of(params: Any, others: Any) -> list[Any]:
        return subject.all_of(joined(params), joined(others))

    own = Own((rule_of(subject.f) or subject.f,), arguments)
    claim = TorchRule(subject, arguments)

    def gradient(params: Any, cotangent: Any, *others: Any) -> Any:
        arrays = tensors_of(params, others)
        cotangents = joined([cotangent] if bare else cotangent)
        if in_jax_arrays((arrays, cotangents)):
            return in_pairs(subject.gradient_in_jax(arrays, cotangents))
        run, found = _backward(subject, arrays, cotangents)
        if [x.dtype for x in arrays] == dtypes:  # not a run in a longer format
            claim.said.update(dict.fromkeys(run.notes))
        none = [k for k, g in zip(subject.judged, found, strict=True) if g is None]
        claim.remarks.update((subject.arguments.names[k], _of_none(subject, k)) for k in none)
        pairs = zip(found, joined(params), strict=True)
        return in_pairs([np.zeros_like(x) if g is None else g for g, x in pairs])

    def loss(params: Any, cotangent: Any, *others: Any) -> Any:
        outputs = in_pairs(subject.exactly(tensors_of(params, others)))
        leaves = map(jax.tree_util.tree_leaves, (cotangent, outputs))
        return sum((c * o).sum() for c, o in zip(*leaves, strict=True))

    names, arrays = subject.arguments.names, in_pairs(subject.arrays)
    params = [arrays[k] for k in subject.judged]
    named = Names(
        "args",
        ("cotangent", *(names[k] for k in subject.others)),
        names_of_parts([names[k] for k in subject.judged], params),
    )
    case = Case(
        gradient,
        loss,
        **options.handed_on(),
        claim=claim,
        wording=OF_TORCH,
        own=own,
        condition=subject.condition,
        calls=CALLS_OF_KERNEL,
        written_as="torch" if holds_complex((subject.arrays, list(cotangents))) else None,
    )
    given = in_pairs(cotangents[0] if bare else list(cotangents))
    return case, point_at(params, (given, *(arrays[k] for k in subject.others)), named)


def points_of_function(points: Any, subject: Subject, given: Point) -> Any:
    """Return points as those of the case; each of a list is a tuple of arguments.

    Raises:
        TypeError: one of a list is no tuple of such arguments.
    """
    if not isinstance(points, list | tuple):
        return points
    mine, found = subject.arguments, []
    for i, at in enumerate(points):
        other = CallArguments.of(tuple(at), mine.of_all) if isinstance(at, tuple | list) else None
        if other is None or (other.tree, other.places) != (mine.tree, mine.places):
            what = f"expected a tuple of {', '.join(mine.of_all)}, as the given ones"
            raise TypeError(f"points[{i}]: got {shortly(at)}, {what}")
        arrays = in_pairs([np.array(to_array(x)) for x in other.tensors])
        params, others = ([arrays[k] for k in ks] for ks in (subject.judged, subject.others))
        found.append((params, given.inputs[0], *others))
    return found


def _backward(subject: Subject, arrays: Any, cotangents: Any) -> tuple[Run, list[Any]]:
    """Run both passes; under a condition, what the backward pass raises is a fault of its form."""
    try:
        run = subject.run(arrays)
        found = subject.backward(run, cotangents)
    except FaultyFormError:
        raise
    except Exception as error:  # whatever the caller's function raises
        raise_internal(error)
        if not subject.condition:
            raise
        what = f"backward raised {with_place(error)}"
        raise FaultyFormError([Finding.of_form("structure", None, what)]) from error
    return run, found


def _of_none(subject: Subject, k: int) -> str:
    """Say why a gradient is None, which PyTorch takes for 0."""
    name = subject.arguments.names[k]
    if subject.recorder and subject.arguments.nested(k):
        return (
            "an autograd.Function gets no gradients of tensors inside a list or dict; make "
            f"{name} an argument of its own"
        )
    return f"backward returned None for {name}; if that is meant, leave it out with wrt="
