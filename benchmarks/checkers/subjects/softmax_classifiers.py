"""Softmax classifiers: with a tanh layer, with one array for all, with numbers of classes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, labels, layers, one_hot
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    decay,
    examples,
    relu_backward,
    softmax,
    softmax_cross_entropy_backward,
    tanh_slope,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted

DECAY = 0.05


def _tanh(params: dict[str, Any], x: Any, y: Any) -> Any:
    """One hidden layer: x of shape (n, 5), y of shape (n, 3) with rows that sum to one."""
    hidden, output = params["hidden"], params["output"]
    h = jnp.tanh(x @ hidden["w"] + hidden["b"][None, :])
    logits = h @ output["w"] + output["b"][None, :]
    return optax.softmax_cross_entropy(logits, y).mean()


def _tanh_gradient(params: dict[str, Any], x: Any, y: Any, mistake: str = "") -> Any:
    hidden, output = params["hidden"], params["output"]
    h = np.tanh(x @ hidden["w"] + hidden["b"])
    p = softmax(h @ output["w"] + output["b"], mistake)
    # softmax_cross_entropy(logits, y).mean()
    dlogits = softmax_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # logits = h @ w + b
    dw2, db2, dh = affine_backward(dlogits, h, output["w"], mistake)
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h, mistake)
    # z1 = x @ w + b
    dw1, db1, _ = affine_backward(dz1, x, hidden["w"], mistake)
    return {"hidden": {"w": dw1, "b": db1}, "output": {"w": dw2, "b": db2}}


def _regression(w: Any, x: Any, y: Any) -> Any:
    """w of shape (7, 3), its last row for the ones in x of shape (n, 7); y of shape (n, 3)."""
    p = jnp.exp(x @ w) / jnp.sum(jnp.exp(x @ w), axis=1, keepdims=True)
    return -jnp.mean(jnp.sum(y * jnp.log(p), axis=1)) + DECAY * jnp.sum(w[:-1] ** 2)


def _regression_gradient(w: Any, x: Any, y: Any, mistake: str = "") -> Any:
    p = softmax(x @ w, mistake)
    # -mean(sum(y * log(p), axis=1))
    dz = softmax_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # z = x @ w
    dw = x.T @ dz
    # + DECAY * sum(w ** 2), without the last row
    dw[:-1] += decay(w[:-1], DECAY, mistake)
    if mistake == "dropped-term":
        dw[2, 0] = 0.0
    if mistake == "exchanged":
        dw[0, 1], dw[1, 0] = dw[1, 0], dw[0, 1]
    return dw


def _relu(params: Any, x: Any, classes: Any) -> Any:
    """Two hidden layers: x of shape (n, 5), n numbers of classes."""
    for w, b in params[:-1]:
        x = jax.nn.relu(x @ w + b[None, :])
    w, b = params[-1]
    logp = jax.nn.log_softmax(x @ w + b[None, :])
    picked = jnp.take_along_axis(logp, classes[:, None], axis=1)
    return -picked.mean()


def _relu_gradient(params: Any, x: Any, classes: Any, mistake: str = "") -> Any:
    (w1, b1), (w2, b2), (w3, b3) = params
    z1 = x @ w1 + b1
    h1 = z1 * (z1 > 0)
    z2 = h1 @ w2 + b2
    h2 = z2 * (z2 > 0)
    p = softmax(h2 @ w3 + b3, mistake)
    # -log_softmax(z3)[arange(n), classes].mean()
    y = np.eye(p.shape[1])[classes]
    dz3 = softmax_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # z3 = h2 @ w3 + b3
    early = mistake if mistake == "update-before-use" else ""
    dw3, db3, dh2 = affine_backward(dz3, h2, w3, early)
    # h2 = relu(z2)
    dz2 = relu_backward(dh2, z1 if mistake == "relu-mask" else z2)
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = affine_backward(dz2, h1, w2, mistake)
    # h1 = relu(z1)
    dz1 = relu_backward(dh1, z2 if mistake == "relu-mask" else z1, _unless(mistake, "relu-mask"))
    # z1 = x @ w1 + b1
    layer_input = h1 if mistake == "dw-after-activation" else x
    dw1, db1, _ = affine_backward(dz1, layer_input, w1, mistake)
    if mistake == "dropped-term":
        db3[1] = 0.0
    grads = [(dw1, db1), (dw2, db2), (dw3, db3)]
    return [grads[1], grads[0], grads[2]] if mistake == "exchanged" else grads


def _unless(mistake: str, other: str) -> str:
    return "" if mistake == other else mistake


def _draw_tanh(rng: np.random.Generator) -> tuple[Any, ...]:
    (w1, b1), (w2, b2) = layers(rng, 5, 7, 3)
    params = {"hidden": {"w": w1, "b": b1}, "output": {"w": w2, "b": b2}}
    return params, rng.normal(size=(11, 5)), one_hot(rng, 11, 3)


def _draw_regression(rng: np.random.Generator) -> tuple[Any, ...]:
    w, b = affine(rng, 6, 3)
    x = np.append(rng.normal(size=(11, 6)), np.ones((11, 1)), axis=1)
    return np.append(w, b[None, :], axis=0), x, one_hot(rng, 11, 3)


def _draw_relu(rng: np.random.Generator) -> tuple[Any, ...]:
    return layers(rng, 5, 5, 5, 3), rng.normal(size=(5, 5)), labels(rng, 5, 3)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """One example of zeros and one unit without a bias: its sum is exactly 0."""
    params, x, classes = _draw_relu(rng)
    x[2], params[0][1][3] = 0.0, 0.0
    return params, x, classes


_COMMON = (
    "missing-mean",
    "double-mean",
    "residual-sign",
    "softmax-diagonal",
    "softmax-shortcut",
    "softmax-wrong-axis",
    "ce-minus-missing",
)
_LAYERS = (
    "dw-transposed",
    "bias-mean",
    "bias-unsummed",
    "bias-wrong-axis",
    "no-activation-derivative",
)

SUBJECTS = [
    Subject(
        "softmax-tanh",
        _tanh,
        _tanh_gradient,
        _draw_tanh,
        planted(_tanh_gradient, *_COMMON, *_LAYERS, "tanh-linear", "tanh-of-h", "update-before-use")
        | {"accumulates": Accumulating(_tanh_gradient, only=(0, 1))},
    ),
    Subject(
        "softmax-regression",
        _regression,
        _regression_gradient,
        _draw_regression,
        planted(_regression_gradient, *_COMMON, "decay-factor", "dropped-term", "exchanged"),
    ),
    Subject(
        "softmax-relu",
        _relu,
        _relu_gradient,
        _draw_relu,
        planted(
            _relu_gradient,
            *_COMMON,
            *_LAYERS,
            "relu-mask",
            "dx-untransposed",
            "dw-after-activation",
            "update-before-use",
            "dropped-term",
            "exchanged",
        ),
    ),
    Subject(
        "softmax-relu-tie",
        _relu,
        _relu_gradient,
        _draw_tie,
        planted(_relu_gradient, "relu-at-zero", "ce-minus-missing", "bias-mean"),
    ),
]
