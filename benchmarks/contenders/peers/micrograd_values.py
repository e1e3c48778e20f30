"""micrograd, which differentiates Python floats one by one."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.contenders.peers.importing import module
from benchmarks.contenders.peers.operations import refuse_unknown
from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Leaves, Ready, Unavailable
from manual.article import Parameters, forward_lines

#: Beyond so many multiply-adds of the forward pass it is not timed: each is two Python objects.
MOST_PRODUCTS = 2000


def article(problem: ArticleProblem) -> Ready:
    """The article's network, or many of them one after the other.

    Raises:
        Unavailable: it is not installed, or not for this dtype or so much work.
    """
    value = module("micrograd.engine").Value
    _refuse(problem.dtype, products=6 * problem.networks)
    columns = [np.atleast_1d(array) for array in (*problem.params, *problem.x.T, problem.y)]
    rows = [[value(float(number)) for number in row] for row in zip(*columns, strict=True)]
    params = [number for row in rows for number in row[:9]]

    def run() -> Any:
        losses = [_squared_error(row) for row in rows]
        return _gradient(losses, params)

    return Ready(run, read=lambda answer: _by_parameter(answer, problem.y.shape))


def _squared_error(row: Sequence[Any]) -> Any:
    *params, x1, x2, y = row
    return (y - forward_lines(Parameters(*params), x1, x2, sigmoid).ypred) ** 2


def _by_parameter(answer: Any, shape: tuple[int, ...]) -> Leaves:
    losses, grads = answer
    return [
        np.array(numbers).reshape(shape) for numbers in (losses, *(grads[at::9] for at in range(9)))
    ]


def network(problem: NetworkProblem) -> Ready:
    """A network of any shape, example by example and unit by unit.

    Raises:
        Unavailable: it is not installed, or not for this dtype, this network or so much work.
    """
    value = module("micrograd.engine").Value
    description = problem.network
    refuse_unknown(description, ACTIVATIONS, LOSSES)
    _refuse(problem.dtype, len(problem.x) * sum(m * n for m, n in pairwise(description.sizes)))

    def values(array: np.ndarray) -> Any:
        return [values(part) if part.ndim else value(float(part)) for part in array]

    # Units in rows: the weights of one, and its bias.
    layers = [(values(w.T), values(b)) for w, b in problem.params]
    steps = [ACTIVATIONS[name] for name in description.activations]
    xs, ys = values(problem.x), values(problem.y)
    params = [p for units, biases in layers for unit in (*units, biases) for p in unit]

    def run() -> Any:
        losses = [
            LOSSES[description.loss](_outputs(layers, steps, x), y)
            for x, y in zip(xs, ys, strict=True)
        ]
        return _gradient([total(losses) / len(xs)], params)

    return Ready(run, read=lambda answer: _by_layer(answer, problem))


def _outputs(layers: Sequence[Any], steps: Sequence[Callable], x: Sequence[Any]) -> Sequence[Any]:
    for (units, biases), step in zip(layers, steps, strict=True):
        x = [
            step(total([w * a for w, a in zip(unit, x, strict=True)]) + b)
            for unit, b in zip(units, biases, strict=True)
        ]
    return x


def _by_layer(answer: Any, problem: NetworkProblem) -> Leaves:
    (loss,), grads = answer
    sizes = [size for w, b in problem.params for size in (w.size, b.size)]
    parts = iter(np.split(np.array(grads), np.cumsum(sizes)[:-1]))
    found = [np.array(loss)]
    for w, _ in problem.params:
        found += [next(parts).reshape(w.T.shape).T, next(parts)]
    return found


def _refuse(dtype: str, products: int) -> None:
    if dtype != "float64":
        raise Unavailable("it has Python floats, which are float64")
    if products > MOST_PRODUCTS:
        raise Unavailable(
            f"{products} multiply-adds, one Python object after the other; "
            f"timed up to {MOST_PRODUCTS}"
        )


def _gradient(losses: Sequence[Any], params: Sequence[Any]) -> Any:
    """The losses and their derivatives; it adds them to what is there, so that is set to 0.

    It walks through sets of objects, in the order of their addresses: sums of derivatives are
    rounded differently from call to call.
    """
    for parameter in params:
        parameter.grad = 0.0
    for loss in losses:
        loss.backward()
    return [loss.data for loss in losses], [parameter.grad for parameter in params]


def total(terms: Sequence[Any]) -> Any:
    """Their sum, in pairs: its backward pass calls itself once for each link of a chain."""
    while len(terms) > 1:
        pairs = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = [*pairs, terms[-1]] if len(terms) % 2 else pairs
    return terms[0]


def _step(value: Any, result: float, slope: float) -> Any:
    """An operation that micrograd lacks, in the way that its own are written."""
    out = type(value)(result, (value,))

    def backward() -> None:
        value.grad += slope * out.grad

    out._backward = backward
    return out


def sigmoid(z: Any) -> Any:
    """σ(z)."""
    f = 1 / (1 + math.exp(-z.data))
    return _step(z, f, f * (1 - f))


def tanh(z: Any) -> Any:
    """The hyperbolic tangent."""
    f = math.tanh(z.data)
    return _step(z, f, 1 - f * f)


def exp(z: Any) -> Any:
    """e^z."""
    f = math.exp(z.data)
    return _step(z, f, f)


def log(z: Any) -> Any:
    """The natural logarithm."""
    return _step(z, math.log(z.data), 1 / z.data)


def squared_error(a: Sequence[Any], y: Sequence[Any]) -> Any:
    """An example's, over its outputs."""
    return total([(ak - yk) ** 2 for ak, yk in zip(a, y, strict=True)])


def softmax_ce(z: Sequence[Any], y: Sequence[Any]) -> Any:
    """An example's softmax cross-entropy on logits."""
    largest = max(zk.data for zk in z)
    shifted = [zk - largest for zk in z]
    log_sum = log(total([exp(s) for s in shifted]))
    return total([yk * (log_sum - s) for yk, s in zip(y, shifted, strict=True)])


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda z: z.relu(),
    "identity": lambda z: z,
}

LOSSES: dict[str, Callable[[Sequence[Any], Sequence[Any]], Any]] = {
    "mse": squared_error,
    "softmax-ce": softmax_ce,
}
