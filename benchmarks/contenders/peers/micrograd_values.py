"""micrograd, which differentiates single Python floats; here in NumPy arrays of objects."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contenders.peers.importing import module
from benchmarks.contenders.peers.operations import ArrayProblem, Operations
from benchmarks.ready import Leaves, Ready, Unavailable

#: Most multiply-adds of the forward pass for which it is timed: each is two Python objects.
MOST_PRODUCTS = 2000


def operations() -> Operations:
    """Return its operators and `relu`, and the operations that it lacks."""
    module("micrograd.engine")
    return Operations(
        affine=lambda x, w, b: total(x.T[:, :, None] * w[:, None, :]) + b,
        activations={
            "sigmoid": _elementwise(_sigmoid),
            "tanh": _elementwise(_tanh),
            "relu": _elementwise(lambda z: z.relu()),
            "identity": lambda z: z,
        },
        losses={"mse": _mse, "softmax-ce": _softmax_ce},
    )


def value_and_gradient(problem: ArrayProblem) -> Ready:
    """Prepare `Value.backward` of each loss; derivatives accumulate, so they are reset to 0.

    It iterates over sets of objects in the order of their addresses, so sums of derivatives are
    rounded differently from call to call.
    """
    value = module("micrograd.engine").Value
    if problem.params[0].dtype != np.float64:
        raise Unavailable("it has Python floats, which are float64")
    if problem.products > MOST_PRODUCTS:
        raise Unavailable(
            f"{problem.products} multiply-adds, one Python object after the other; "
            f"timed up to {MOST_PRODUCTS}"
        )
    box = _elementwise(lambda number: value(float(number)))
    params, inputs = (
        [box(array) for array in arrays]  # of an array without axes, the number alone
        for arrays in (problem.params, problem.inputs)
    )
    numbers = [number for array in params for number in np.ravel(array)]

    def run() -> tuple[list[float], list[float]]:
        for number in numbers:
            number.grad = 0.0
        losses = np.ravel(problem.loss(params, *inputs))
        for loss in losses:
            loss.backward()
        return [loss.data for loss in losses], [number.grad for number in numbers]

    return Ready(run, read=lambda answer: _read(answer, problem))


def _read(answer: tuple[list[float], list[float]], problem: ArrayProblem) -> Leaves:
    losses, grads = np.array(answer[0]), np.array(answer[1])
    parts = np.split(grads, np.cumsum([array.size for array in problem.params])[:-1])
    shaped = [part.reshape(a.shape) for part, a in zip(parts, problem.params, strict=True)]
    # Many networks have a loss each, any other problem has one.
    return [losses if problem.params[0].ndim == 1 else losses[0], *shaped]


def _elementwise(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    of_array = np.frompyfunc(function, 1, 1)
    return lambda z: of_array(z) if isinstance(z, np.ndarray) else function(z)


def total(terms: np.ndarray) -> Any:
    """Sum over the first axis in pairs, as the backward pass recurses for each term of a chain."""
    while len(terms) > 1:
        even = len(terms) // 2 * 2
        terms = np.concatenate([terms[:even:2] + terms[1:even:2], terms[even:]])
    return terms[0]


def _step(value: Any, result: float, slope: float) -> Any:
    """Build an operation that micrograd lacks, in the style of its own."""
    out = type(value)(result, (value,))

    def backward() -> None:
        value.grad += slope * out.grad

    out._backward = backward
    return out


def _sigmoid(z: Any) -> Any:
    f = 1 / (1 + math.exp(-z.data))
    return _step(z, f, f * (1 - f))


def _tanh(z: Any) -> Any:
    f = math.tanh(z.data)
    return _step(z, f, 1 - f * f)


def _exp(z: Any) -> Any:
    f = math.exp(z.data)
    return _step(z, f, f)


def _mse(a: np.ndarray, y: np.ndarray) -> Any:
    return total(np.ravel((a - y) ** 2)) / len(y)


def _softmax_ce(z: np.ndarray, y: np.ndarray) -> Any:
    shifted = z - _elementwise(lambda number: number.data)(z).max(axis=1, keepdims=True)
    sums = total(_elementwise(_exp)(shifted).T)
    logs = _elementwise(lambda number: _step(number, math.log(number.data), 1 / number.data))(sums)
    return total(np.ravel(y * (logs[:, None] - shifted))) / len(y)
