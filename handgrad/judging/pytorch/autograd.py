"""One call of a function of PyTorch, forward and backward, and what it does beside its result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from handgrad.data.findings import Finding
from handgrad.judging.form import FaultyFormError
from handgrad.judging.pytorch.arguments import CallArguments, Function, dtype_of
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import is_tensor, outputs_of, to_array, to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: How a cotangent lies in memory: of a tensor that is contiguous it makes one that is not.
Layout = Callable[[Any], Any]


def as_it_is(cotangent: Any) -> Any:
    """Return a cotangent as it is: contiguous."""
    return cotangent


def not_contiguous(cotangent: Any) -> Any:
    """Copy a cotangent so that none of its elements follow each other in memory.

    Its axes lie there in reversed order. PyTorch counts one of a single element as contiguous.
    """
    backwards = tuple(reversed(range(cotangent.ndim)))
    reversed_ = cotangent.permute(backwards)
    return torch.stack([reversed_, reversed_], dim=-1)[..., 0].permute(backwards)


def expanded(cotangent: Any) -> Any:
    """Return a cotangent whose elements are all the first, as one in memory, as of `.sum()`."""
    if not cotangent.numel():
        return cotangent
    return cotangent.reshape(-1)[0].clone().expand(cotangent.shape)


@dataclass(eq=False)
class Recorder:
    """The class of a derivative rule, and what its backward pass last returned."""

    rule: Any  #: a subclass of `torch.autograd.Function`
    answer: Any = None

    @property
    def recording(self) -> Any:
        """The same rule, whose backward pass is recorded before PyTorch converts its result."""
        name = "backward" if self.rule.backward is not Function.backward else "vjp"
        backward = getattr(self.rule, name)

        def recorded(ctx: Any, *cotangents: Any) -> Any:
            self.answer = None
            answer = backward(ctx, *cotangents)
            self.answer = answer if isinstance(answer, tuple) else (answer,)
            return answer

        return type(self.rule.__name__, (self.rule,), {name: staticmethod(recorded)})

    def faults(self, arguments: CallArguments, given: Sequence[Any]) -> list[Finding]:
        """Return what PyTorch refuses of the last result, if it does."""
        if self.answer is None:
            return []
        count, names = len(arguments.of_all), ", ".join(arguments.of_all)
        if len(self.answer) < count or any(g is not None for g in self.answer[count:]):
            n = len(self.answer)
            what = f"backward returned {n} gradient{'s' * (n != 1)}, expected {count}, one for each"
            return [Finding.of_form("structure", None, f"{what} argument of forward: {names}")]
        found = []
        for name, gradient, x in self._gradients(arguments, given):
            if x is None:
                what = f"backward returned a gradient for {name}, which is no tensor; expected None"
                found.append(Finding.of_form("structure", name, what))
            elif not is_tensor(gradient):
                what = f"got {type(gradient).__name__}, expected a tensor or None"
                found.append(Finding.of_form("structure", name, what))
            elif not _expandable(x.shape, gradient.shape):
                what = f"got shape {tuple(gradient.shape)}, expected {tuple(x.shape)}"
                found.append(Finding.of_form("shape", name, what))
        return found

    def conversions(self, arguments: CallArguments, given: Sequence[Any]) -> list[str]:
        """Return a note on each gradient of another dtype, which PyTorch has converted."""
        return [
            f"backward returned {dtype_of(gradient)} for {name}, which is {dtype_of(x)}: PyTorch "
            "converts it, and its digits are those of the first"
            for name, gradient, x in self._gradients(arguments, given)
            if is_tensor(gradient) and x is not None and gradient.dtype != x.dtype
        ]

    def _gradients(
        self, arguments: CallArguments, given: Sequence[Any]
    ) -> list[tuple[str, Any, Any]]:
        """Return each argument's name, its gradient, if there is one, and itself, if a tensor."""
        numbered = enumerate(zip(arguments.positions, given, strict=True))
        tensors = {position: x for k, (position, x) in numbered if not arguments.nested(k)}
        pairs = enumerate(zip(arguments.of_all, self.answer or (), strict=False))
        return [(name, g, tensors.get(i)) for i, (name, g) in pairs if g is not None]


def _expandable(shape: Sequence[int], to: Sequence[int]) -> bool:
    """Tell whether PyTorch sums a gradient of the other shape to this one."""
    if len(shape) > len(to):
        return False
    pairs = zip(reversed(shape), reversed(to), strict=False)
    return all(mine in (1, other) for mine, other in pairs)


@dataclass(frozen=True, eq=False)
class Run:
    """A function that was called on fresh tensors; its backward pass can be called once."""

    arguments: CallArguments
    judged: tuple[int, ...]  #: the numbers of the tensors that require grad
    leaves: list[Any]  #: those
    given: list[Any]  #: what the function got: of these, clones
    before: list[Any]  #: their values before
    nodes: list[Any]  #: their nodes in the graph before
    results: list[Any]  #: the outputs in order, without those that are None
    recorder: Recorder | None = None
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        arguments: CallArguments,
        judged: tuple[int, ...],
        arrays: Sequence[Any],
        recorder: Recorder | None = None,
    ) -> "Run":
        """Call a function on fresh tensors with these values.

        It gets clones of leaves, since it may write to them (`mark_dirty`).
        """
        with torch.inference_mode(False), torch.enable_grad():
            given, leaves = [], {}
            for k, (array, like) in enumerate(zip(arrays, arguments.tensors, strict=True)):
                x = _fresh(array, like)
                if k in judged:
                    leaves[k] = x.requires_grad_()
                    x = x.clone()
                given.append(x)
            before, nodes = [x.detach().clone() for x in given], [x.grad_fn for x in given]
            results = outputs_of(function(*arguments.together(given)))
        return cls(
            arguments, judged, [leaves[k] for k in judged], given, before, nodes, results, recorder
        )

    @property
    def differentiable(self) -> tuple[int, ...]:
        """The numbers of the outputs that have a gradient."""
        numbered = enumerate(self.results)
        return tuple(i for i, out in numbered if is_tensor(out) and out.requires_grad)

    def output_name(self, i: int) -> str:
        """Return what reports call an output."""
        return "output" if len(self.results) == 1 else f"output[{i}]"

    def backward(
        self,
        used: Sequence[int],
        cotangents: Sequence[Any],
        layout: Layout = as_it_is,
        passes: int = 1,
    ) -> list[np.ndarray | None]:
        """Return the gradients of Σ c·output over the outputs that are used; None as PyTorch does.

        Args:
            used: the numbers of the outputs.
            cotangents: one for each.
            layout: how they lie in memory.
            passes: how often to go back through the graph; the last one counts.

        Raises:
            FaultyFormError: what forward or backward wrote to, or returned in a wrong form.
            Exception: what the backward pass raises.
        """
        if written := self._written_by_forward():
            raise FaultyFormError(written)
        pairs = [(i, c) for i, c in zip(used, cotangents, strict=True)]
        pairs = [(i, c) for i, c in pairs if self.results[i].requires_grad]
        if not pairs:
            return [None] * len(self.leaves)
        outputs = [self.results[i] for i, _ in pairs]
        given = [layout(to_tensor(c).to(self.results[i].device)) for i, c in pairs]
        names = [self.output_name(i) for i, _ in pairs]
        of_cotangents = (name.replace("output", "cotangent") for name in names)
        tensors = [
            *zip(self.arguments.names, self.given, strict=True),
            *zip(names, outputs, strict=True),
            *zip(of_cotangents, given, strict=True),
        ]
        kept = [x.detach().clone() for _, x in tensors]
        options = {"allow_unused": True, "retain_graph": passes > 1}
        try:
            grad = partial(torch.autograd.grad, outputs, self.leaves, given, **options)
            found = [grad() for _ in range(passes)][-1]
        except (RuntimeError, TypeError):
            faults = self.recorder.faults(self.arguments, self.given) if self.recorder else []
            if faults:
                raise FaultyFormError(faults) from None
            raise
        changed = [name for (name, x), old in zip(tensors, kept, strict=True) if not _same(x, old)]
        if changed:
            what = "backward wrote to it, so that later uses of it get other numbers"
            raise FaultyFormError([Finding.of_form("mutation", name, what) for name in changed])
        if self.recorder:
            self.notes.extend(self.recorder.conversions(self.arguments, self.given))
        return [None if g is None else to_array(g) for g in found]

    def _written_by_forward(self) -> list[Finding]:
        """Report writes to tensors that require grad of which autograd was not told."""
        what = "forward wrote to it without ctx.mark_dirty, so autograd does not know of it"
        return [
            Finding.of_form("mutation", self.arguments.names[k], what)
            for k in self.judged
            if self.given[k].grad_fn is self.nodes[k]
            if not _same(self.given[k], self.before[k])
        ]


def _fresh(array: Any, like: Any) -> Any:
    """Return a new tensor with these values, which lies on the device of another and like it."""
    x = to_tensor(array).to(like.device)
    if like.layout is not torch.strided or like.shape != x.shape or 0 in like.stride():
        return x.clone()
    options = {"dtype": x.dtype, "device": x.device}
    return torch.empty_strided(like.shape, like.stride(), **options).copy_(x)


def _same(a: Any, b: Any) -> bool:
    a = a.detach()
    return bool(torch.equal(a, b) or ((a == b) | ((a != a) & (b != b))).all())
