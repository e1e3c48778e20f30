"""MyGrad, which records NumPy operations on its tensors."""

from typing import Any

from benchmarks.contenders.peers.importing import module
from benchmarks.contenders.peers.operations import ArrayProblem, Operations
from benchmarks.ready import Ready


def operations() -> Operations:
    """Return the functions of `mygrad` and `mygrad.nnet`."""
    mygrad, nnet = module("mygrad"), module("mygrad.nnet")

    def mse(a: Any, y: Any) -> Any:
        error = a - y
        # A Python number would turn float32 into float64 here.
        return mygrad.sum(error * error) / y.dtype.type(len(y))

    return Operations(
        affine=lambda x, w, b: x @ w + b,
        activations={
            "sigmoid": nnet.sigmoid,
            "tanh": mygrad.tanh,
            "relu": nnet.relu,
            "identity": lambda z: z,
        },
        losses={"mse": mse, "softmax-ce": nnet.softmax_crossentropy},
        takes_classes=True,
    )


def value_and_gradient(problem: ArrayProblem) -> Ready:
    """Prepare `Tensor.backward`; a new loss clears the gradients of its tensors.

    Its memory guard is off, as its manual recommends for speed.
    """
    mygrad = module("mygrad")
    mygrad.turn_memory_guarding_off()
    params = [mygrad.tensor(array, constant=False) for array in problem.params]
    inputs = [mygrad.tensor(array, constant=True) for array in problem.inputs]

    def run() -> Any:
        value = problem.loss(params, *inputs)
        value.backward()
        return value.data, [tensor.grad for tensor in params]

    return Ready(run)
