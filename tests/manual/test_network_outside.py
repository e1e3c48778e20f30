"""Scikit-learn's multilayer perceptrons, which share no line with anybody here, as a witness.

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
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.network import Network, draw_parameters

NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu", "identity": "identity"}

#: So large that p is small beside η g; a power of 2, so that η g is exact.
RATE = 2.0**20
U = 2.0**-53

CASES = [
    (sizes, n, activation, loss, alpha)
    for activation in NAMES
    for sizes, n, loss, alpha in (
        ((5, 7, 3), 11, "softmax-ce", 0.5),
        ((3, 5, 2, 7), 13, "softmax-ce", 0.0),
        ((5, 3, 1), 7, "bce", 0.0),
        ((2, 5, 3, 1), 11, "bce", 0.5),
        ((5, 7, 3), 2, "mse", 0.5),
        ((2, 3, 5, 7), 11, "mse", 0.0),
    )
]


def problem(sizes: Any, n: int, loss: str, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, outputs = rng.standard_normal((n, sizes[0])), sizes[-1]
    if loss == "softmax-ce":
        return x, np.eye(outputs)[np.arange(n) % outputs]
    return x, (np.arange(n) % 2 * 1.0)[:, None] if loss == "bce" else rng.random((n, outputs))


def by_scikit_learn(
    net: Network, alpha: float, params: list[Layer], x: np.ndarray, y: np.ndarray
) -> tuple[list[Layer], list[Layer]]:
    """Its gradient, and how far the rounding of p - η g and of p - p' can put that off."""
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
    ends = [Layer(w, b) for w, b in zip(model.coefs_, model.intercepts_, strict=True)]
    grads, rounding = [], []
    for start, end in zip(params, ends, strict=True):
        steps = [np.subtract(a, b) for a, b in zip(start, end, strict=True)]
        grads.append(Layer(*(step / RATE for step in steps)))
        # η g, p - η g and p - p': half a unit each, of numbers below |p| + η |g|.
        sizes = (abs(a) + abs(step) for a, step in zip(start, steps, strict=True))
        rounding.append(Layer(*(4 * U * size / RATE for size in sizes)))
    return grads, rounding


def rounding_of(net: Network, params: list[Layer], x: np.ndarray, y: np.ndarray) -> list[Layer]:
    """How far rounding can put off one gradient in float64, to first order, operation by operation.

    `e_v` bounds the error of v. A product sum of k terms adds (k + 1) U Σ |terms| (Higham, section
    3.1). Activations have slopes up to 1 and second derivatives up to 1, and they and their slopes
    are computed to 8 U in any form; so are sigmoid and softmax, which move by no more than z does.
    """
    a, e_a, kept = x, 0 * x, []
    for (w, b), name in zip(params, net.activations, strict=True):
        z = a @ w + b
        e_z = e_a @ abs(w) + (len(w) + 2) * U * (abs(a) @ abs(w) + abs(b))
        kept.append((a, e_a, z, e_z))
        a, _ = ACTIVATIONS[name].forward(z)
        e_a = e_z + 8 * U * (1 + abs(a))
    n = len(x)
    da = LOSS_SLOPES[net.loss](a, y) / n
    e_da = (e_a.max(axis=1, keepdims=True) + (y.shape[1] + 10) * U * (1 + abs(a))) / n
    e_da = e_da * (2 if net.loss == "mse" else 1) + 2 * U * abs(da)
    bounds = []
    layers = zip(params, net.activations, kept, strict=True)
    for (w, _), name, (a, e_a, z, e_z) in reversed(list(layers)):
        slope = ACTIVATIONS[name].backward(np.ones_like(z), z)
        e_slope = (e_z + 8 * U) * (name in ("sigmoid", "tanh"))
        dz, e_dz = da * slope, e_da * abs(slope) + abs(da) * e_slope + 2 * U * abs(da * slope)
        e_w = abs(a).T @ e_dz + e_a.T @ abs(dz) + (n + 2) * U * (abs(a).T @ abs(dz))
        e_w += 4 * U * (abs(a.T @ dz) + 4 * net.l2 * abs(w))
        bounds.append(Layer(e_w, e_dz.sum(axis=0) + (n + 2) * U * abs(dz).sum(axis=0)))
        da = dz @ w.T
        e_da = e_dz @ abs(w).T + (w.shape[1] + 1) * U * (abs(dz) @ abs(w).T)
    return bounds[::-1]


LOSS_SLOPES = {
    "mse": lambda a, y: 2 * (a - y),
    "bce": lambda z, y: manual.network.sigmoid(z) - y,
    "softmax-ce": lambda z, y: manual.network.softmax(z) - y,
}


def differences(
    net: Network, alpha: float, x: np.ndarray, y: np.ndarray, ours: Any = manual.network.gradient
) -> list[float]:
    """For each array of the gradient, the gap in units of what rounding explains: 1 is the bound.

    Both witnesses round, and 1 % is there for the products of two errors.
    """
    params = [Layer(w, w[0] / 4) for w, _ in draw_parameters(net, 3)]
    theirs, of_step = by_scikit_learn(net, alpha, params, x, y)
    factor = 2 if net.loss == "mse" else 1
    allowed = rounding_of(net, params, x, y)
    found = []
    for mine, its, step, bound in zip(
        ours(net, params, x, y), theirs, of_step, allowed, strict=True
    ):
        for g, h, s, e in zip(mine, its, step, bound, strict=True):
            assert g.shape == h.shape
            found.append(float((abs(g - factor * h) / (1.01 * (2 * e + factor * s))).max()))
    return found


def network_of(sizes: Any, n: int, activation: str, loss: str, alpha: float) -> Network:
    l2 = alpha / (2 * n) * (2 if loss == "mse" else 1)
    return Network(sizes, activation, loss=loss, l2=l2)


@pytest.mark.parametrize(("sizes", "n", "activation", "loss", "alpha"), CASES)
def test_scikit_learn_has_the_same_gradient(
    sizes: Any, n: int, activation: str, loss: str, alpha: float
) -> None:
    net = network_of(sizes, n, activation, loss, alpha)
    assert max(differences(net, alpha, *problem(sizes, n, loss))) <= 1


@pytest.mark.parametrize(("sizes", "n", "activation", "loss", "alpha"), CASES[::5])
def test_a_gradient_off_by_a_hundred_billionth_is_caught(
    sizes: Any, n: int, activation: str, loss: str, alpha: float
) -> None:
    def wrong(*arguments: Any) -> list[Layer]:
        right = manual.network.gradient(*arguments)
        return [Layer(w * (1 + 1e-11), b * (1 - 1e-11)) for w, b in right]

    net = network_of(sizes, n, activation, loss, alpha)
    assert min(differences(net, alpha, *problem(sizes, n, loss), wrong)) > 1


def test_another_decay_is_caught() -> None:
    sizes, n = (5, 7, 3), 11
    net = network_of(sizes, n, "tanh", "softmax-ce", 0.5)
    found = differences(net, 0.25, *problem(sizes, n, "softmax-ce"))
    assert min(found[::2]) > 1 >= max(found[1::2])  # weights, and biases, which do not decay
