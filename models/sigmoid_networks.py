"""Sigmoid networks with binary cross-entropy: by its textbook formula, and of logits for labels."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from models.answers import accumulates
from models.draws import layers, zero_or_one
from models.lines import (
    BIASES,
    MEANS,
    affine_backward,
    also,
    binary_cross_entropy_backward,
    decayed_backward,
    examples,
    sigmoid,
    sigmoid_slope,
    sigmoid_slope_twice,
    usual,
)
from models.model import Model

DECAY = 0.02


class Net(NamedTuple):
    """Two layers."""

    w1: Any
    b1: Any
    w2: Any
    b2: Any


def literal_loss(net: Net, x: Any, y: Any) -> Any:
    """One output: x of shape (n, 3), y of shape (n, 1)."""
    h = 1 / (1 + jnp.exp(-(x @ net.w1 + net.b1[None, :])))
    p = 1 / (1 + jnp.exp(-(h @ net.w2 + net.b2[None, :])))
    return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def literal_gradient(net: Net, x: Any, y: Any) -> Net:
    z1 = x @ net.w1 + net.b1
    h = sigmoid(z1)
    p = sigmoid(h @ net.w2 + net.b2)
    # loss = -mean(y * log(p) + (1 - y) * log(1 - p)), p = sigmoid(z2)
    dz2 = binary_cross_entropy_backward(p, y) / examples(y)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, net.w2)
    # h = sigmoid(z1)
    dz1 = dh * sigmoid_slope_twice(z1, h)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, net.w1)
    return Net(dw1, db1, dw2, db2)


def draw_literal(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 1)
    return Net(w1, b1, w2, b2), rng.normal(size=(7, 3)), zero_or_one(rng, 7, 1)


def labels_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels: x of shape (n, 5), y of shape (n, 3)."""
    h1 = jax.nn.sigmoid(x @ params["w1"] + params["b1"][None, :])
    h2 = jax.nn.sigmoid(h1 @ params["w2"] + params["b2"][None, :])
    logits = h2 @ params["w3"] + params["b3"][None, :]
    losses = optax.sigmoid_binary_cross_entropy(logits, y).sum(axis=-1)
    weights = sum(jnp.sum(params[name] ** 2) for name in ("w1", "w2", "w3"))
    return losses.mean() + DECAY * weights


def labels_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    z1 = x @ w1 + params["b1"]
    h1 = sigmoid(z1)
    h2 = sigmoid(h1 @ w2 + params["b2"])
    p = sigmoid(h2 @ w3 + params["b3"])
    # losses = sigmoid_binary_cross_entropy(z3, y).sum(axis=-1), their mean
    dz3 = binary_cross_entropy_backward(p, y) / examples(y)
    # z3 = h2 @ w3 + b3, and in every layer the penalty of w
    dw3 = h2.T @ dz3 + 2 * DECAY * w3
    db3 = dz3.sum(axis=0)
    dh2 = dz3 @ w3.T
    # h2 = sigmoid(z2)
    dz2 = dh2 * (h2 * (1 - h2))
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = decayed_backward(dz2, h1, w2, DECAY)
    # h1 = sigmoid(z1)
    dz1 = dh1 * sigmoid_slope(z1, h1)
    # z1 = x @ w1 + b1
    dw1, db1, _ = decayed_backward(dz1, x, w1, DECAY)
    return {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2, "w3": dw3, "b3": db3}


def draw_labels(rng: np.random.Generator) -> Any:
    params = {}
    for i, (w, b) in enumerate(layers(rng, 5, 5, 5, 3), 1):
        params |= {f"w{i}": w, f"b{i}": b}
    return params, rng.normal(size=(5, 5)), zero_or_one(rng, 5, 3)


COMMON = usual(
    *(*MEANS, "residual-sign", *BIASES, "dw-transposed", "sigmoid-of-z"),
    *("no-activation-derivative", "bce-extra-derivative", "ce-minus-missing", "update-before-use"),
)

MODELS = [
    Model(
        *("sigmoid-bce-literal", literal_loss, literal_gradient, draw_literal),
        {**COMMON, "dropped-term": ("return Net(", "dw1[0, 1] = 0.0\nreturn Net(")},
    ),
    Model(
        *("sigmoid-labels", labels_loss, labels_gradient, draw_labels),
        {
            **COMMON,
            **also("update-before-use", ("dz3 @ w3.T", "dz3 @ (w3 - STEP * dw3).T")),
            **usual("mean-over-outputs", "dx-untransposed"),
            "dw-after-activation": ("backward(dz1, x,", "backward(dz1, h1,"),
            **also("decay-factor", ("2 * DECAY * w3", "DECAY * w3")),
            "exchanged": ('{"w1": dw1, "b1": db1, "w2": dw2', '{"w1": dw2, "b1": db1, "w2": dw1'),
            "accumulates": accumulates,
        },
    ),
]
