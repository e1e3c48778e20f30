"""The derivative of a backward pass in PyTorch, held to the second derivative of forward.

As for rules of JAX (`handgrad.judging.second_order`): with L = Σ c·f + ½·Σ d·f², the slope <v, ∇L>
by the backward pass is a function of the arguments, whose gradient in PyTorch, the double backward,
is judged. The right slope is JAX's of what forward computes when it is traced.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from handgrad.data.complex_pairs import holds_complex
from handgrad.data.frames import with_place
from handgrad.data.pytrees import weighed
from handgrad.judging.pytorch.arguments import CallArguments, name_of
from handgrad.judging.pytorch.subjects import Subject
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The class of the node that `once_differentiable` leaves in the graph.
ONCE = "Error"


def second_order(subject: Subject, cotangents: Sequence[np.ndarray], seed: int) -> Subject:
    """Return the slope of first order as a function whose backward pass is judged.

    Raises:
        TypeError: PyTorch cannot differentiate the backward pass (`once_differentiable`), or
            tensors are complex.
    """
    rng = np.random.default_rng(seed + 1)

    def drawn(like: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(rng.standard_normal(a.shape), a.dtype) for a in like]

    arrays = subject.arrays
    if holds_complex((arrays, list(cotangents))):
        what = "a second derivative by complex numbers is not judged yet"
        raise TypeError(f"order: got 2 and complex tensors, expected order=1: {what}")
    direction, weights = drawn([arrays[k] for k in subject.judged]), drawn(cotangents)
    apply = subject.recorder.rule.apply if subject.recorder else subject.f

    def slope(*args: Any) -> Any:
        tensors = CallArguments.of(args, subject.arguments.of_all).tensors
        judged = [tensors[k] for k in subject.judged]
        results = jax.tree_util.tree_leaves(apply(*args))
        outputs = [results[i] for i in subject.used]
        pairs = zip(outputs, cotangents, weights, strict=True)
        loss = sum(((_on(c, o) + _on(w, o) * o / 2) * o).sum() for o, c, w in pairs)
        found = torch.autograd.grad(loss, judged, create_graph=True, allow_unused=True)
        if any(type(getattr(g, "grad_fn", None)).__name__ == ONCE for g in found):
            # PyTorch's error is raised in some calls, and others get 0.
            what = f"backward of {name_of(subject.f)} is marked once_differentiable"
            raise TypeError(f"order: {what}, so that it has no derivative; expected order=1")
        terms = zip(found, direction, strict=True)
        along = sum((_on(v, g) * g).sum() for g, v in terms if g is not None)
        # Of a gradient that is a constant to PyTorch the derivative is 0.
        return along + sum(0 * x.sum() for x in judged)

    def right(_: Subject, given: Sequence[Any]) -> list[Any]:
        def loss(judged: Sequence[Any]) -> Any:
            places = dict(zip(subject.judged, judged, strict=True))
            outputs = subject.exactly([places.get(k, x) for k, x in enumerate(given)])
            halves = [o * o / 2 for o in outputs]
            return weighed(outputs, cotangents) + weighed(halves, weights)

        judged = [given[k] for k in subject.judged]
        return [jax.jvp(loss, (judged,), (direction,))[1]]

    options = {"used": (0,), "outputs": {"slope": True}, "wrt": subject.wrt, "truth": right}
    made = Subject(slope, subject.arguments, subject.judged, **options, condition="at second order")
    try:
        made.gradient(made.arrays, [np.ones((), cotangents[0].dtype)])
    except RuntimeError as error:
        what = f"order: PyTorch cannot differentiate the backward pass of {name_of(subject.f)}"
        raise TypeError(f"{what}: {with_place(error)}; expected order=1") from error
    return made


def _on(array: np.ndarray, like: Any) -> Any:
    return to_tensor(array).to(like.device)
