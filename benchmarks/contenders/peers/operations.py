"""The problems' losses, written once in terms of a library's operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.problems.article import ArticleProblem
from benchmarks.problems.deviation import U
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Unavailable
from manual.article import Parameters, forward_lines
from manual.network import Network


@dataclass(frozen=True)
class Operations:
    """A library's operations for the networks here, on its own arrays."""

    affine: Callable[[Any, Any, Any], Any]  #: (x, w, b) to x @ w + b
    activations: Mapping[str, Callable[[Any], Any]]  #: by the names in a network's description
    losses: Mapping[str, Callable[[Any, Any], Any]]  #: (outputs, targets) to the loss
    takes_classes: bool = False  #: whether softmax-ce takes class indices, not one-hot rows


@dataclass(frozen=True)
class ArrayProblem:
    """A loss in a library's operations, with its parameters and inputs as NumPy arrays."""

    loss: Callable[..., Any]  #: (parameters, *inputs) to the loss, or the losses of many networks
    params: list[np.ndarray]
    inputs: list[np.ndarray]
    fewer_bits: bool = False  #: whether products may round their factors, as a GPU can


def of_article(problem: ArticleProblem, operations: Operations) -> ArrayProblem:
    """Convert the article's network, or many of them: nine parameters, two inputs, one target."""
    sigmoid = operations.activations["sigmoid"]

    def loss(params: Sequence[Any], x1: Any, x2: Any, y: Any) -> Any:
        error = y - forward_lines(Parameters(*params), x1, x2, sigmoid).ypred
        return error * error

    x1, x2 = (np.array(problem.x[..., at]) for at in range(2))
    return ArrayProblem(loss, list(problem.params), [x1, x2, problem.y])


def of_network(problem: NetworkProblem, operations: Operations) -> ArrayProblem:
    """Convert a network of any shape; the parameters are one list, w and b of each layer."""
    network = problem.network
    refuse_unknown(network, operations.activations, operations.losses)
    steps = [operations.activations[name] for name in network.activations]
    loss_of, affine = operations.losses[network.loss], operations.affine

    def loss(params: Sequence[Any], x: Any, y: Any) -> Any:
        for w, b, activation in zip(params[::2], params[1::2], steps, strict=True):
            x = activation(affine(x, w, b))
        return loss_of(x, y)

    y = problem.y
    if operations.takes_classes and network.loss == "softmax-ce":
        y = _classes(y)
    params = [array for layer in problem.params for array in layer]
    return ArrayProblem(loss, params, [problem.x, y], problem.product_unit > U)


def refuse_unknown(
    network: Network, activations: Mapping[str, Any], losses: Mapping[str, Any]
) -> None:
    """Refuse a network with operations that are not set up for a library."""
    for name, known in [*((a, activations) for a in network.activations), (network.loss, losses)]:
        if name not in known:
            raise Unavailable(f"asked for {', '.join(known)} only, not for {name}")
    if network.l2:
        raise Unavailable("asked for losses without L2 only")


def _classes(y: np.ndarray) -> np.ndarray:
    """Return the class of each one-hot row."""
    classes = y.argmax(axis=1)
    if not np.array_equal(y, np.eye(y.shape[1], dtype=y.dtype)[classes]):
        raise Unavailable("asked for targets of one class each only")
    return classes
