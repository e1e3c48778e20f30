"""Squared error on the probabilities of a softmax, Brier's score: after a tanh, after a sigmoid."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers, one_hot
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    elements,
    examples,
    sigmoid,
    sigmoid_slope,
    softmax,
    softmax_backward,
    squared_error_backward,
    tanh_slope,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted


def _tanh(params: Any, x: Any, y: Any) -> Any:
    """The mean over examples: x of shape (n, 3), y of shape (n, 5)."""
    (w1, b1), (w2, b2) = params
    p = jax.nn.softmax(jnp.tanh(x @ w1 + b1[None, :]) @ w2 + b2[None, :])
    return jnp.mean(jnp.sum(jnp.square(p - y), axis=-1))


def _tanh_gradient(params: Any, x: Any, y: Any, mistake: str = "") -> Any:
    (w1, b1), (w2, b2) = params
    h = np.tanh(x @ w1 + b1)
    p = softmax(h @ w2 + b2, mistake)
    # mean(sum((p - y) ** 2, axis=-1)), p = softmax(z2)
    dz2 = _logits_backward(p, y, mistake) / examples(y, mistake)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, w2, mistake)
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h, mistake)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, w1, mistake)
    return ((dw1, db1), (dw2, db2))


def _logits_backward(p: Any, y: Any, mistake: str) -> Any:
    if mistake == "softmax-shortcut":
        return p - y
    # (p - y) ** 2
    dp = squared_error_backward(p, y, mistake)
    # p = softmax(z2)
    return softmax_backward(dp, p, mistake)


class Square(NamedTuple):
    """Two layers as wide as the input."""

    hidden: Any
    hidden_bias: Any
    output: Any
    output_bias: Any


def _sigmoid(net: Square, x: Any, y: Any) -> Any:
    """The mean over examples and classes: x and y of shape (3, 3)."""
    h = jax.nn.sigmoid(jnp.dot(x, net.hidden) + net.hidden_bias[None, :])
    z = jnp.dot(h, net.output) + net.output_bias[None, :]
    p = jnp.exp(z - jax.nn.logsumexp(z, axis=1, keepdims=True))
    return ((y - p) ** 2).mean()


def _sigmoid_gradient(net: Square, x: Any, y: Any, mistake: str = "") -> Square:
    z1 = np.dot(x, net.hidden) + net.hidden_bias
    h = sigmoid(z1)
    p = softmax(np.dot(h, net.output) + net.output_bias, mistake)
    # mean((y - p) ** 2), p = softmax(z2)
    dz2 = _logits_backward(p, y, mistake) / elements(y, mistake)
    # z2 = h @ output + output_bias
    doutput, doutput_bias, dh = affine_backward(dz2, h, net.output, mistake)
    # h = sigmoid(z1)
    dz1 = dh * sigmoid_slope(z1, h, mistake)
    # z1 = x @ hidden + hidden_bias
    layer_input = h if mistake == "dw-after-activation" else x
    dhidden, dhidden_bias, _ = affine_backward(dz1, layer_input, net.hidden, mistake)
    if mistake == "exchanged":
        dhidden_bias, doutput_bias = doutput_bias, dhidden_bias
    return Square(dhidden, dhidden_bias, doutput, doutput_bias)


def _draw_tanh(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(layers(rng, 3, 7, 5)), rng.normal(size=(11, 3)), one_hot(rng, 11, 5)


def _draw_sigmoid(rng: np.random.Generator) -> tuple[Any, ...]:
    (w1, b1), (w2, b2) = layers(rng, 3, 3, 3)
    return Square(w1, b1, 1.5 * w2, b2), rng.normal(size=(3, 3)), one_hot(rng, 3, 3)


_COMMON = (
    "half-mse",
    "missing-mean",
    "double-mean",
    "mean-over-outputs",
    "residual-sign",
    "bias-mean",
    "bias-unsummed",
    "bias-wrong-axis",
    "dw-transposed",
    "no-activation-derivative",
    "softmax-diagonal",
    "softmax-shortcut",
    "softmax-wrong-axis",
    "update-before-use",
)

SUBJECTS = [
    Subject(
        "brier-tanh",
        _tanh,
        _tanh_gradient,
        _draw_tanh,
        planted(_tanh_gradient, *_COMMON, "tanh-linear", "tanh-of-h")
        | {"accumulates": Accumulating(_tanh_gradient)},
    ),
    Subject(
        "brier-sigmoid",
        _sigmoid,
        _sigmoid_gradient,
        _draw_sigmoid,
        planted(
            _sigmoid_gradient,
            *_COMMON,
            "sigmoid-of-z",
            "dx-untransposed",
            "dw-after-activation",
            "exchanged",
        ),
    ),
]
