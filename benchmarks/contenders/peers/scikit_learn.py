"""scikit-learn's multi-layer perceptron: the method that its solvers call for loss and gradient.

That is `_backprop`, a private method; it runs on an unfitted estimator with the attributes it
reads.
"""

from typing import Any

import numpy as np

from benchmarks.contenders.peers.operations import refuse_unknown
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Leaves, Ready, Unavailable, error_line, module
from manual.network import Network

#: Its names of the hidden layers' activations.
ACTIVATIONS = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity"}

#: Estimators and their output activations, by the loss.
LOSSES = {"softmax-ce": ("MLPClassifier", "softmax"), "mse": ("MLPRegressor", "identity")}

NO_SUCH_OUTPUT = "its outputs are softmax for cross-entropy and identity for squared errors only"


def network(problem: NetworkProblem) -> Ready:
    """Prepare one call of `_backprop`, without L2."""
    estimator, layers = _estimator(problem), len(problem.params)
    x, y = problem.x, problem.y

    def run() -> Any:
        # It fills these lists, so each call needs new ones.
        activations = [x, *[None] * layers]
        deltas, to_w, to_b = ([None] * layers for _ in range(3))
        return estimator._backprop(x, y, None, activations, deltas, to_w, to_b)

    try:
        run()
    except (AttributeError, TypeError) as error:
        raise Unavailable(
            f"its _backprop is not that of 1.7 and later: {error_line(error)}"
        ) from error
    return Ready(run, read=lambda answer: _read(answer, problem.network))


def _estimator(problem: NetworkProblem) -> Any:
    """Build an estimator with only the attributes that `_backprop` reads."""
    described = problem.network
    library = module("sklearn.neural_network")
    refuse_unknown(described, ACTIVATIONS, LOSSES)
    kind, output = LOSSES[described.loss]
    if described.output != "identity":
        raise Unavailable(NO_SUCH_OUTPUT)
    estimator = getattr(library, kind)(activation=ACTIVATIONS[described.activation], alpha=0)
    estimator.n_layers_ = len(described.sizes)
    estimator.out_activation_ = output
    estimator.coefs_ = [w for w, _ in problem.params]
    estimator.intercepts_ = [b for _, b in problem.params]
    return estimator


def _read(answer: Any, described: Network) -> Leaves:
    """Convert the result to the scale of our loss.

    Its gradient is that of half the squared error summed over the outputs, but the loss that it
    returns is also divided by the number of outputs.
    """
    loss, to_w, to_b = answer
    of_loss, of_gradient = (2 * described.sizes[-1], 2) if described.loss == "mse" else (1, 1)
    grads = [array * of_gradient for layer in zip(to_w, to_b, strict=True) for array in layer]
    return [np.asarray(loss * of_loss), *grads]
