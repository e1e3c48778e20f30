"""HIPS autograd, which traces NumPy's functions."""

from typing import Any

import numpy as np

from benchmarks.contenders.peers.operations import ArrayProblem, Operations
from benchmarks.ready import Ready, module


def operations() -> Operations:
    """Return autograd's versions of NumPy's and SciPy's functions."""
    anp, special = module("autograd.numpy"), module("autograd.scipy.special")

    def mse(a: Any, y: Any) -> Any:
        error = a - y
        return anp.sum(error * error) / len(y)

    def softmax_ce(z: Any, y: Any) -> Any:
        return anp.sum(y * (special.logsumexp(z, axis=1, keepdims=True) - z)) / len(y)

    return Operations(
        affine=lambda x, w, b: anp.dot(x, w) + b,
        activations={
            "sigmoid": special.expit,
            "tanh": anp.tanh,
            # The derivatives of its maximum and where are float64 for any dtype.
            "relu": lambda z: z * (z > 0),
            "identity": lambda z: z,
        },
        losses={"mse": mse, "softmax-ce": softmax_ce},
    )


def value_and_gradient(problem: ArrayProblem) -> Ready:
    """Prepare `autograd.make_vjp`, which unlike `value_and_grad` takes losses that are arrays."""
    differentiated = module("autograd").make_vjp(problem.loss)
    params = [array[()] for array in problem.params]
    inputs = [array[()] for array in problem.inputs]
    ones = np.ones_like(problem.loss(params, *inputs))[()]

    def run() -> Any:
        pull_back, value = differentiated(params, *inputs)
        return value, pull_back(ones)

    return Ready(run)
