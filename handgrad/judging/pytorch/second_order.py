"""The derivative of a backward pass in PyTorch, held to the second derivative of forward.

As for rules of JAX (`handgrad.judging.rule_slopes`): with L = Σ c·f + ½·Σ d·f², the slope <v, ∇L>
by the backward pass is a function of the arguments, whose gradient in PyTorch, the double backward,
is judged. The right slope is JAX's of what forward computes when it is traced, and is held to
differences as there.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import holds_complex
from handgrad.data.frames import with_place
from handgrad.judging.outcome import Trial
from handgrad.judging.pytorch.arguments import CallArguments, name_of
from handgrad.judging.pytorch.subjects import Subject
from handgrad.judging.rule_slopes import SECOND, RuleSlope
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The class of the node that `once_differentiable` leaves in the graph.
ONCE = "Error"


def second_order(
    subject: Subject, cotangents: Sequence[np.ndarray], seed: int
) -> tuple[Subject, Callable[[Trial], bool | None]]:
    """Return the slope of first order as a function whose backward pass is judged, and `is_held`.

    The latter is that of `RuleSlope`.

    Raises:
        TypeError: PyTorch cannot differentiate the backward pass (`once_differentiable`), or
            tensors are complex.
    """
    arrays = subject.arrays
    if holds_complex((arrays, list(cotangents))):
        what = "a second derivative by complex numbers is not judged yet"
        raise TypeError(f"order: got 2 and complex tensors, expected order=1: {what}")
    along = RuleSlope.of([arrays[k] for k in subject.judged], cotangents, seed)
    apply = subject.recorder.rule.apply if subject.recorder else subject.f

    def slope(*args: Any) -> Any:
        arguments = CallArguments.of(args, subject.arguments.of_all)
        judged = [arguments.tensors[k] for k in subject.judged]
        # It may write to what it gets (`mark_dirty`).
        copies = arguments.together(x.clone() for x in arguments.tensors)
        results = jax.tree_util.tree_leaves(apply(*copies))
        outputs = [results[i] for i in subject.used]
        pairs = zip(outputs, cotangents, along.weights, strict=True)
        loss = sum(((_on(c, o) + _on(w, o) * o / 2) * o).sum() for o, c, w in pairs)
        gradients = torch.autograd.grad(loss, judged, create_graph=True, allow_unused=True)
        if any(type(getattr(g, "grad_fn", None)).__name__ == ONCE for g in gradients):
            # PyTorch's error is raised in some calls, and others get 0.
            what = f"backward of {name_of(subject.f)} is marked once_differentiable"
            raise TypeError(f"order: {what}, so that it has no derivative; expected order=1")
        terms = zip(gradients, along.direction, strict=True)
        found = sum((_on(v, g) * g).sum() for g, v in terms if g is not None)
        # Of a gradient that is a constant to PyTorch the derivative is 0.
        return found + sum(0 * x.sum() for x in judged)

    def exactly(given: Sequence[Any], judged: Sequence[Any]) -> list[Any]:
        places = dict(zip(subject.judged, judged, strict=True))
        return subject.exactly([places.get(k, x) for k, x in enumerate(given)])

    def right(_: Subject, given: Sequence[Any]) -> list[Any]:
        judged = [given[k] for k in subject.judged]
        return [along.right(judged, partial(exactly, given))]

    options = {"used": (0,), "outputs": {"slope": True}, "wrt": subject.wrt, "truth": right}
    made = Subject(slope, subject.arguments, subject.judged, **options, condition=SECOND)
    try:
        made.gradient(made.arrays, [np.ones((), cotangents[0].dtype)])
    except RuntimeError as error:
        what = f"order: PyTorch cannot differentiate the backward pass of {name_of(subject.f)}"
        raise TypeError(f"{what}: {with_place(error)}; expected order=1") from error
    return made, partial(along.is_held, outputs=partial(exactly, arrays))


def _on(array: np.ndarray, like: Any) -> Any:
    return to_tensor(array).to(like.device)
