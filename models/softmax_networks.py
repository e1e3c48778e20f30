"""Softmax classifiers, with cross-entropy and with the squared error of probabilities (Brier)."""

from collections import namedtuple
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from models.helpers import (
    BIASES,
    MEANS,
    accumulates,
    affine,
    affine_backward,
    also,
    elements,
    examples,
    labels,
    layers,
    one_hot_rows,
    relu_backward,
    sigmoid,
    sigmoid_slope,
    softmax,
    softmax_backward,
    softmax_cross_entropy_backward,
    squared_error_backward,
    tanh_slope,
    usual,
)
from models.model import of_loss

DECAY = 0.05


def tanh_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """One hidden layer: x of shape (n, 5), y of shape (n, 3) with rows that sum to one."""
    hidden, output = params["hidden"], params["output"]
    h = jnp.tanh(x @ hidden["w"] + hidden["b"][None, :])
    logits = h @ output["w"] + output["b"][None, :]
    return optax.softmax_cross_entropy(logits, y).mean()


def tanh_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    hidden, output = params["hidden"], params["output"]
    h = np.tanh(x @ hidden["w"] + hidden["b"])
    p = softmax(h @ output["w"] + output["b"])
    # softmax_cross_entropy(logits, y).mean()
    dlogits = softmax_cross_entropy_backward(p, y) / examples(y)
    # logits = h @ w + b
    dw2, db2, dh = affine_backward(dlogits, h, output["w"])
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h)
    # z1 = x @ w + b
    dw1, db1, _ = affine_backward(dz1, x, hidden["w"])
    return {"hidden": {"w": dw1, "b": db1}, "output": {"w": dw2, "b": db2}}


def draw_tanh(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 5, 7, 3)
    params = {"hidden": {"w": w1, "b": b1}, "output": {"w": w2, "b": b2}}
    return params, rng.normal(size=(11, 5)), one_hot_rows(rng, 11, 3)


def regression_loss(w: Any, x: Any, y: Any) -> Any:
    """w of shape (7, 3), its last row for the ones in x of shape (n, 7); y of shape (n, 3)."""
    p = jnp.exp(x @ w) / jnp.sum(jnp.exp(x @ w), axis=1, keepdims=True)
    return -jnp.mean(jnp.sum(y * jnp.log(p), axis=1)) + DECAY * jnp.sum(w[:-1] ** 2)


def regression_gradient(w: Any, x: Any, y: Any) -> Any:
    p = softmax(x @ w)
    # -mean(sum(y * log(p), axis=1))
    dz = softmax_cross_entropy_backward(p, y) / examples(y)
    # z = x @ w
    dw = x.T @ dz
    # + DECAY * sum(w ** 2), without the last row
    dw[:-1] += 2 * DECAY * w[:-1]
    return dw


def draw_regression(rng: np.random.Generator) -> Any:
    w, b = affine(rng, 6, 3)
    x = np.append(rng.normal(size=(11, 6)), np.ones((11, 1)), axis=1)
    return np.append(w, b[None, :], axis=0), x, one_hot_rows(rng, 11, 3)


def relu_loss(params: Any, x: Any, classes: Any) -> Any:
    """Two hidden layers: x of shape (n, 5), n class numbers."""
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b[None, :])
    w, b = params[-1]
    logp = jax.nn.log_softmax(x @ w + b[None, :])
    picked = jnp.take_along_axis(logp, classes[:, None], axis=1)
    return -picked.mean()


def relu_gradient(params: Any, x: Any, classes: Any) -> Any:
    (w1, b1), (w2, b2), (w3, b3) = params
    z1 = x @ w1 + b1
    h1 = z1 * (z1 > 0)
    z2 = h1 @ w2 + b2
    h2 = z2 * (z2 > 0)
    p = softmax(h2 @ w3 + b3)
    # -log_softmax(z3)[arange(n), classes].mean()
    y = np.eye(p.shape[1])[classes]
    dz3 = softmax_cross_entropy_backward(p, y) / examples(y)
    # z3 = h2 @ w3 + b3
    dw3 = h2.T @ dz3
    db3 = dz3.sum(axis=0)
    dh2 = dz3 @ w3.T
    # h2 = relu(z2)
    dz2 = dh2 * (z2 > 0)
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = affine_backward(dz2, h1, w2)
    # h1 = relu(z1)
    dz1 = relu_backward(dh1, z1)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, w1)
    return [(dw1, db1), (dw2, db2), (dw3, db3)]


def draw_relu(rng: np.random.Generator) -> Any:
    return layers(rng, 5, 5, 5, 3), rng.normal(size=(5, 5)), labels(rng, 5, 3)


def draw_relu_tie(rng: np.random.Generator) -> Any:
    """Draw one example of zeros, and one unit with bias 0: its pre-activation is exactly 0."""
    params, x, classes = draw_relu(rng)
    x[2], params[0][1][3] = 0.0, 0.0
    return params, x, classes


def brier_tanh_loss(params: Any, x: Any, y: Any) -> Any:
    """The mean over examples: x of shape (n, 3), y of shape (n, 5)."""
    (w1, b1), (w2, b2) = params
    p = jax.nn.softmax(jnp.tanh(x @ w1 + b1[None, :]) @ w2 + b2[None, :])
    return jnp.mean(jnp.sum(jnp.square(p - y), axis=-1))


def brier_backward(p: Any, y: Any) -> Any:
    """The derivative by the logits, before any mean."""
    # (p - y) ** 2
    dp = squared_error_backward(p, y)
    # p = softmax(z)
    return softmax_backward(dp, p)


def brier_tanh_gradient(params: Any, x: Any, y: Any) -> Any:
    (w1, b1), (w2, b2) = params
    h = np.tanh(x @ w1 + b1)
    p = softmax(h @ w2 + b2)
    # mean(sum((p - y) ** 2, axis=-1)), p = softmax(z2)
    dz2 = brier_backward(p, y) / examples(y)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, w2)
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, w1)
    return ((dw1, db1), (dw2, db2))


#: Two layers as wide as the input.
Square = namedtuple("Square", "hidden hidden_bias output output_bias")


def brier_sigmoid_loss(net: Square, x: Any, y: Any) -> Any:
    """The mean over examples and classes: x and y of shape (3, 3)."""
    h = jax.nn.sigmoid(jnp.dot(x, net.hidden) + net.hidden_bias[None, :])
    z = jnp.dot(h, net.output) + net.output_bias[None, :]
    p = jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))
    return ((y - p) ** 2).mean()


def brier_sigmoid_gradient(net: Square, x: Any, y: Any) -> Square:
    z1 = np.dot(x, net.hidden) + net.hidden_bias
    h = sigmoid(z1)
    p = softmax(np.dot(h, net.output) + net.output_bias)
    # mean((y - p) ** 2), p = softmax(z2)
    dz2 = brier_backward(p, y) / elements(y)
    # z2 = h @ output + output_bias
    doutput, doutput_bias, dh = affine_backward(dz2, h, net.output)
    # h = sigmoid(z1)
    dz1 = dh * sigmoid_slope(z1, h)
    # z1 = x @ hidden + hidden_bias
    dhidden, dhidden_bias, _ = affine_backward(dz1, x, net.hidden)
    return Square(dhidden, dhidden_bias, doutput, doutput_bias)


def draw_brier_sigmoid(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 3, 3)
    return Square(w1, b1, 1.5 * w2, b2), rng.normal(size=(3, 3)), one_hot_rows(rng, 3, 3)


ENTROPY = usual(
    *(*MEANS, "residual-sign", "softmax-diagonal", "softmax-shortcut", "softmax-wrong-axis"),
    "ce-minus-missing",
)
LAYERS = usual("dw-transposed", *BIASES, "no-activation-derivative")
BRIER = {
    **usual("half-mse", *MEANS, "mean-over-outputs", "residual-sign", *BIASES, "dw-transposed"),
    **usual("no-activation-derivative", "softmax-diagonal"),
    "softmax-shortcut": ("return softmax_backward(dp, p)", "return p - y"),
    **usual("softmax-wrong-axis", "update-before-use"),
}

MODELS = [
    of_loss(
        *("softmax-tanh", tanh_loss, tanh_gradient, draw_tanh),
        {
            **ENTROPY,
            **LAYERS,
            **usual("tanh-linear", "tanh-of-h", "update-before-use"),
            "accumulates": partial(accumulates, only=(0, 1)),
        },
    ),
    of_loss(
        *("softmax-regression", regression_loss, regression_gradient, draw_regression),
        {
            **ENTROPY,
            "decay-factor": ("2 * DECAY", "DECAY"),
            "dropped-term": ("return dw", "dw[2, 0] = 0.0\nreturn dw"),
            "exchanged": ("return dw", "dw[0, 1], dw[1, 0] = dw[1, 0], dw[0, 1]\nreturn dw"),
        },
    ),
    of_loss(
        *("softmax-relu", relu_loss, relu_gradient, draw_relu),
        {
            **ENTROPY,
            **LAYERS,
            "relu-mask": ["dz2 = dh2 * (z1 > 0)", "dz1 = relu_backward(dh1, z2)"],
            **usual("dx-untransposed"),
            "dw-after-activation": "dw1, db1, _ = affine_backward(dz1, h1, w1)",
            **also("update-before-use", ("dz3 @ w3.T", "dz3 @ (w3 - STEP * dw3).T")),
            "dropped-term": ("    return [", "    db3[1] = 0.0\n    return ["),
            "exchanged": ("[(dw1, db1), (dw2, db2),", "[(dw2, db2), (dw1, db1),"),
        },
    ),
    of_loss(
        *("softmax-relu-tie", relu_loss, relu_gradient, draw_relu_tie),
        usual("relu-at-zero", "ce-minus-missing", "bias-mean"),
    ),
    of_loss(
        *("brier-tanh", brier_tanh_loss, brier_tanh_gradient),
        lambda rng: (
            tuple(layers(rng, 3, 7, 5)),
            rng.normal(size=(11, 3)),
            one_hot_rows(rng, 11, 5),
        ),
        {**BRIER, **usual("tanh-linear", "tanh-of-h"), "accumulates": accumulates},
    ),
    of_loss(
        *("brier-sigmoid", brier_sigmoid_loss, brier_sigmoid_gradient, draw_brier_sigmoid),
        {
            **BRIER,
            **usual("sigmoid-of-z", "dx-untransposed"),
            "dw-after-activation": ("affine_backward(dz1, x,", "affine_backward(dz1, h,"),
            "exchanged": (
                "dhidden_bias, doutput, doutput_bias)",
                "doutput_bias, doutput, dhidden_bias)",
            ),
        },
    ),
]
