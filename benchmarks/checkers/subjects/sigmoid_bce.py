"""Sigmoid networks with binary cross-entropy: its literal formula, and several labels on logits."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers, zero_or_one
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    binary_cross_entropy_backward,
    examples,
    sigmoid,
    sigmoid_slope,
    sigmoid_slope_twice,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted

DECAY = 0.02


class Net(NamedTuple):
    """Two layers."""

    w1: Any
    b1: Any
    w2: Any
    b2: Any


def _literal(net: Net, x: Any, y: Any) -> Any:
    """One output: x of shape (n, 3), y of shape (n, 1)."""
    h = 1 / (1 + jnp.exp(-(x @ net.w1 + net.b1[None, :])))
    p = 1 / (1 + jnp.exp(-(h @ net.w2 + net.b2[None, :])))
    return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))


def _literal_gradient(net: Net, x: Any, y: Any, mistake: str = "") -> Net:
    z1 = x @ net.w1 + net.b1
    h = sigmoid(z1)
    p = sigmoid(h @ net.w2 + net.b2)
    # loss = -mean(y * log(p) + (1 - y) * log(1 - p)), p = sigmoid(z2)
    dz2 = binary_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, net.w2, mistake)
    # h = sigmoid(z1)
    dz1 = dh * sigmoid_slope_twice(z1, h, mistake)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, net.w1, mistake)
    if mistake == "dropped-term":
        dw1[0, 1] = 0.0
    return Net(dw1, db1, dw2, db2)


def _labels(params: dict[str, Any], x: Any, y: Any) -> Any:
    """The mean over examples of the sum over labels: x of shape (n, 5), y of shape (n, 3)."""
    h1 = jax.nn.sigmoid(x @ params["w1"] + params["b1"][None, :])
    h2 = jax.nn.sigmoid(h1 @ params["w2"] + params["b2"][None, :])
    logits = h2 @ params["w3"] + params["b3"][None, :]
    losses = optax.sigmoid_binary_cross_entropy(logits, y).sum(axis=-1)
    weights = sum(jnp.sum(params[name] ** 2) for name in ("w1", "w2", "w3"))
    return losses.mean() + DECAY * weights


def _labels_gradient(params: dict[str, Any], x: Any, y: Any, mistake: str = "") -> Any:
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    z1 = x @ w1 + params["b1"]
    h1 = sigmoid(z1)
    z2 = h1 @ w2 + params["b2"]
    h2 = sigmoid(z2)
    p = sigmoid(h2 @ w3 + params["b3"])
    # losses = sigmoid_binary_cross_entropy(z3, y).sum(axis=-1), their mean
    dz3 = binary_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # z3 = h2 @ w3 + b3, and in every layer the penalty of w
    updated = mistake if mistake in ("update-before-use", "decay-factor") else ""
    dw3, db3, dh2 = affine_backward(dz3, h2, w3, updated, penalty=DECAY)
    # h2 = sigmoid(z2)
    dz2 = dh2 * sigmoid_slope(z2, h2)
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = affine_backward(dz2, h1, w2, mistake, penalty=DECAY)
    # h1 = sigmoid(z1)
    dz1 = dh1 * sigmoid_slope(z1, h1, mistake)
    # z1 = x @ w1 + b1
    layer_input = h1 if mistake == "dw-after-activation" else x
    dw1, db1, _ = affine_backward(dz1, layer_input, w1, mistake, penalty=DECAY)
    if mistake == "exchanged":
        dw1, dw2 = dw2, dw1
    return {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2, "w3": dw3, "b3": db3}


def _draw_literal(rng: np.random.Generator) -> tuple[Any, ...]:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 1)
    return Net(w1, b1, w2, b2), rng.normal(size=(7, 3)), zero_or_one(rng, 7, 1)


def _draw_labels(rng: np.random.Generator) -> tuple[Any, ...]:
    params = {}
    for i, (w, b) in enumerate(layers(rng, 5, 5, 5, 3), 1):
        params |= {f"w{i}": w, f"b{i}": b}
    return params, rng.normal(size=(5, 5)), zero_or_one(rng, 5, 3)


_COMMON = (
    "double-mean",
    "missing-mean",
    "residual-sign",
    "bias-mean",
    "bias-unsummed",
    "bias-wrong-axis",
    "dw-transposed",
    "sigmoid-of-z",
    "no-activation-derivative",
    "bce-extra-derivative",
    "ce-minus-missing",
    "update-before-use",
)

SUBJECTS = [
    Subject(
        "sigmoid-bce-literal",
        _literal,
        _literal_gradient,
        _draw_literal,
        planted(_literal_gradient, *_COMMON, "dropped-term"),
    ),
    Subject(
        "sigmoid-labels",
        _labels,
        _labels_gradient,
        _draw_labels,
        planted(
            _labels_gradient,
            *_COMMON,
            "mean-over-outputs",
            "dx-untransposed",
            "dw-after-activation",
            "decay-factor",
            "exchanged",
        )
        | {"accumulates": Accumulating(_labels_gradient)},
    ),
]
