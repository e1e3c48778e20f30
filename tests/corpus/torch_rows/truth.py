"""What a verdict must be where tensors are given: that of the same case of arrays."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from tests.corpus.case import Case
from tests.corpus.truth import truth
from tests.torch_installed import torch


def of_tensors(tree: Any) -> Any:
    """Return arrays in place of tensors."""

    def array(x: Any) -> Any:
        return x.numpy(force=True) if isinstance(x, torch.Tensor) else x

    return jax.tree.map(array, tree)


def of_arrays(tree: Any) -> Any:
    """Return tensors, which require grad, in place of arrays."""
    return jax.tree.map(lambda x: torch.tensor(np.asarray(x)).requires_grad_(), tree)


def due(case: Case) -> str | None:
    """Return the verdict of differences, of a backward pass or of a gradient."""
    if case.verb == "function":
        return truth(_of_tensors_alone(case))
    called = {"function": _called(case.function), "answer": _called(case.answer)}
    options = {"convention": "torch", **case.options}
    return truth(replace(case, given=of_tensors(case.at), options=options, **called))


def _of_tensors_alone(case: Case) -> Case:
    """Return the case of autograd as a backward pass, from the outputs that require grad."""
    f = getattr(case.answer, "apply", case.answer)

    def outputs(tensors: Any) -> Any:
        given = iter(tensors)
        made = f(*[next(given) if isinstance(x, torch.Tensor) else x for x in case.at])
        return [out for out in jax.tree.leaves(made) if getattr(out, "requires_grad", False)]

    def forward(*arrays: Any) -> Any:
        return of_tensors(outputs(of_arrays(arrays))), arrays

    def backward(cotangents: Any, arrays: Any) -> Any:
        tensors, weighed = of_arrays(arrays), map(torch.tensor, cotangents)
        found = torch.autograd.grad(
            outputs(tensors), tensors, list(weighed), materialize_grads=True
        )
        return of_tensors(found)

    at = tuple(of_tensors([x for x in case.at if isinstance(x, torch.Tensor)]))
    options = {**case.options, "convention": "torch"}
    return replace(
        case, verb="backward", function=forward, answer=backward, given=at, options=options
    )


def _called(function: Any) -> Any:
    return lambda *arrays: of_tensors(function(*of_arrays(arrays)))
