"""PyTorch, eager and compiled; on the GPU if JAX uses one."""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.contenders.peers.operations import ArrayProblem, Operations
from benchmarks.machine import usable
from benchmarks.ready import Ready, Unavailable, error_line, module


def operations() -> Operations:
    """Return the functions of `torch.nn.functional`."""
    torch = module("torch")
    functional = torch.nn.functional

    def mse(a: Any, y: Any) -> Any:
        return functional.mse_loss(a, y, reduction="sum") / len(y)

    return Operations(
        affine=lambda x, w, b: torch.addmm(b, x, w),
        activations={
            "sigmoid": torch.sigmoid,
            "tanh": torch.tanh,
            "relu": torch.relu,
            "identity": lambda z: z,
        },
        losses={"mse": mse, "softmax-ce": functional.cross_entropy},
        takes_classes=True,
    )


def eager(problem: ArrayProblem) -> Ready:
    """Prepare `torch.autograd.grad` of the loss, which accumulates nothing."""
    torch, (params, inputs) = _begun(problem)
    for tensor in params:
        tensor.requires_grad_()
    ones = torch.ones_like(problem.loss(params, *inputs))

    def run() -> Any:
        value = problem.loss(params, *inputs)
        return value, torch.autograd.grad(value, params, ones)

    return Ready(_awaited(torch, run), read=_read)


def compiled(problem: ArrayProblem) -> Ready:
    """Prepare `torch.compile` of `torch.func.grad`: forward and backward pass in one program.

    Compiling only the loss and differentiating it by autograd took five times as long for the
    article's network: the backward pass is then a second program, called by autograd.
    """
    torch, (params, inputs) = _begun(problem)

    def total(params: Any, *inputs: Any) -> Any:
        values = problem.loss(params, *inputs)
        return values.sum(), values

    def value_and_gradient(params: Any, *inputs: Any) -> Any:
        grads, values = torch.func.grad(total, has_aux=True)(params, *inputs)
        return values, grads

    # It caches eight programs by their source lines, which are the same for every problem.
    torch.compiler.reset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch against parts of itself
            program = torch.compile(value_and_gradient, fullgraph=True, dynamic=False)
            program(params, *inputs)
    except Exception as error:  # its back ends raise many types; there is no program then
        raise Unavailable(f"torch.compile failed: {error_line(error)}") from error
    return Ready(_awaited(torch, lambda: program(params, *inputs)), read=_read)


def _begun(problem: ArrayProblem) -> tuple[Any, Any]:
    """Set PyTorch's threads to this process's limit; return it and the tensors."""
    torch = module("torch")
    torch.set_num_threads(usable())
    torch.set_float32_matmul_precision("high" if problem.fewer_bits else "highest")
    device = "cuda" if _on_gpu(torch) else "cpu"
    tensors = [
        [torch.tensor(array, device=device) for array in arrays]
        for arrays in (problem.params, problem.inputs)
    ]
    return torch, tensors


def _on_gpu(torch: Any) -> bool:
    return torch.cuda.is_available() and jax.default_backend() == "gpu"


def _awaited(torch: Any, run: Callable[[], Any]) -> Callable[[], Any]:
    if not _on_gpu(torch):
        return run

    def awaited() -> Any:
        answer = run()
        torch.cuda.synchronize()
        return answer

    return awaited


def _read(answer: Any) -> list[np.ndarray]:
    value, grads = answer
    return [tensor.detach().cpu().numpy() for tensor in (value, *grads)]
