"""Scikit-learn's multilayer perceptrons, which share no line with this project, as a reference.

One step of plain gradient descent on all rows, by `partial_fit` with learning rate η, takes the
parameters p to p - η g; so g = (p - p') / η. Its losses are ours up to a factor:

    MLPClassifier, three classes or more    softmax-ce
    MLPClassifier, two classes              bce of one output
    MLPRegressor                            half of mse: mean over rows of ½ Σ_j (ŷ_j - y_j)²
                                            (the `loss_` that it prints averages over j besides)
    alpha                                   alpha/(2n) Σ w², so λ = alpha/(2n)
"""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import manual.network
from manual.affine import Layer
from manual.network import Network
from tests.network_strategies import Described, draw_point

pytestmark = pytest.mark.slow

NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity"}

#: So large that p is small beside η g; a power of 2, so that η g is exact.
RATE = 2.0**20

CASES = [
    (activation, *case)
    for activation in NAMES
    for case in (
        ((5, 7, 3), "softmax-ce", 0.5),
        ((2, 5, 3, 1), "bce", 0.5),
        ((2, 3, 5, 7), "mse", 0.0),
    )
]


def by_scikit_learn(
    net: Network, alpha: float, params: list[Layer], x: np.ndarray, y: np.ndarray
) -> list[Layer]:
    # Its stubs have batch_size as a str; it takes numbers as well.
    kind: Any = MLPRegressor if net.loss == "mse" else MLPClassifier
    model = kind(
        hidden_layer_sizes=net.sizes[1:-1],
        activation=NAMES[net.activation],
        solver="sgd",
        alpha=alpha,
        batch_size=len(x),
        learning_rate_init=RATE,
        momentum=0.0,
        shuffle=False,
    )
    labels = {"softmax-ce": y.argmax(axis=1), "bce": y[:, 0].astype(int)}.get(net.loss, y)
    classes = {} if net.loss == "mse" else {"classes": np.unique(labels)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.partial_fit(x, labels, **classes)  # it draws parameters of its own
        model.coefs_ = [layer.w.copy() for layer in params]
        model.intercepts_ = [layer.b.copy() for layer in params]
        model.partial_fit(x, labels)
    ends = zip(params, model.coefs_, model.intercepts_, strict=True)
    return [Layer((layer.w - w) / RATE, (layer.b - b) / RATE) for layer, w, b in ends]


@pytest.mark.parametrize(("activation", "sizes", "loss", "alpha"), CASES)
def test_scikit_learn_has_the_same_gradient(
    activation: str, sizes: Any, loss: str, alpha: float
) -> None:
    """Up to 1e-12 of the largest element of each array: some thousand roundings of its size."""
    factor, n = 2 if loss == "mse" else 1, 11
    net = Network(sizes, activation, loss=loss, l2=factor * alpha / (2 * n))
    params, x, y = draw_point(Described(net, n), 1)
    theirs = by_scikit_learn(net, alpha, params, x, y)
    for mine, its in zip(manual.network.gradient(net, params, x, y), theirs, strict=True):
        for g, h in zip(mine, its, strict=True):
            np.testing.assert_allclose(g, factor * h, rtol=0, atol=1e-12 * np.abs(g).max())
