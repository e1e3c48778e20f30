"""Gated units: a tanh times a sigmoid, a linear unit times a relu; and a point at a kink."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import accumulates
from models.draws import affine, zero_or_one
from models.lines import (
    BIASES,
    MEANS,
    affine_backward,
    bias_backward,
    binary_cross_entropy_backward,
    examples,
    relu_backward,
    sigmoid,
    sigmoid_slope,
    squared_error_backward,
    tanh_slope,
    usual,
)
from models.model import Model

#: The learning rate of the weights that are updated too early.
RATE = 0.2

DECAY = 0.05

Params = dict[str, Any]


def tanh_loss(params: Params, x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 3), y of shape (n, 2)."""
    (w, b), (v, c) = params["unit"], params["gate"]
    unit = jnp.tanh(x @ w + b[None, :])
    gate = jax.nn.sigmoid(x @ v + c[None, :])
    out = (unit * gate) @ params["out"]
    return jnp.sum((out - y) ** 2, axis=1).mean()


def tanh_gradient(params: Params, x: Any, y: Any) -> Params:
    (w, b), (v, c), out = params["unit"], params["gate"], params["out"]
    unit = np.tanh(x @ w + b)
    sums = x @ v + c
    gate = sigmoid(sums)
    h = unit * gate
    # sum((h @ out - y) ** 2, axis=1).mean()
    dz = squared_error_backward(h @ out, y) / examples(y)
    # z = h @ out
    dout = h.T @ dz
    dh = dz @ out.T
    # h = unit * gate
    dunit, dgate = dh * gate, dh * unit
    # unit = tanh(x @ w + b), gate = sigmoid(x @ v + c)
    dw, db, _ = affine_backward(dunit * tanh_slope(unit), x, w)
    dv, dc, _ = affine_backward(dgate * sigmoid_slope(sums, gate), x, v)
    return {"unit": (dw, db), "gate": (dv, dc), "out": dout}


def draw_tanh(rng: np.random.Generator) -> Any:
    params = {"unit": affine(rng, 3, 5), "gate": affine(rng, 3, 5), "out": affine(rng, 5, 2)[0]}
    return params, rng.normal(size=(7, 3)), rng.normal(size=(7, 2))


def relu_loss(params: Params, x: Any, y: Any) -> Any:
    """Binary cross-entropy and a penalty: x of shape (n, 3), y of shape (n,)."""
    unit = x @ params["w"] + params["b"][None, :]
    h = unit * jax.nn.relu(x @ params["v"] + params["c"][None, :])
    z = h @ params["out"]
    losses = jax.nn.softplus(z) - y * z
    return losses.mean() + DECAY * (jnp.sum(params["w"] ** 2) + jnp.sum(params["v"] ** 2))


def relu_gradient(params: Params, x: Any, y: Any) -> Params:
    w, b, v, c, out = (params[name] for name in ("w", "b", "v", "c", "out"))
    unit = x @ w + b
    sums = x @ v + c
    gate = np.maximum(sums, 0)
    h = unit * gate
    # mean(softplus(z) - y * z)
    dz = binary_cross_entropy_backward(sigmoid(h @ out), y) / examples(y)
    # z = h @ out
    dout = h.T @ dz
    dh = np.outer(dz, out)
    # h = unit * gate, gate = relu(sums)
    dunit, dgate = dh * gate, dh * unit
    dsums = relu_backward(dgate, sums)
    # unit = x @ w + b, sums = x @ v + c, and the penalty of w and v
    dw = x.T @ dunit + 2 * DECAY * w
    dv = x.T @ dsums + 2 * DECAY * v
    db, dc = bias_backward(dunit), bias_backward(dsums)
    return {"w": dw, "b": db, "v": dv, "c": dc, "out": dout}


def draw_relu(rng: np.random.Generator) -> Any:
    (w, b), (v, c), (out, _) = affine(rng, 3, 5), affine(rng, 3, 5), affine(rng, 5, 1)
    params = {"w": w, "b": b, "v": v, "c": c, "out": out[:, 0]}
    return params, rng.normal(size=(5, 3)), zero_or_one(rng, 5)


def draw_relu_tie(rng: np.random.Generator) -> Any:
    """Draw one example of zeros, and a gate with bias 0: its pre-activation is exactly 0."""
    params, x, y = draw_relu(rng)
    x[4], params["c"][3] = 0.0, 0.0
    return params, x, y


MODELS = [
    Model(
        *("gated-tanh", tanh_loss, tanh_gradient, draw_tanh),
        {
            **usual("missing-square", "half-mse", *MEANS, "mean-over-outputs", "residual-sign"),
            **usual(*BIASES, "dw-transposed", "tanh-linear", "tanh-of-h", "sigmoid-of-z"),
            **usual("no-activation-derivative"),
            "update-before-use": ("dh = dz @ out.T", "dh = dz @ (out - RATE * dout).T"),
            "dropped-term": ("dh * gate, dh * unit", "dh * gate, 0 * dh"),
            "exchanged": ('(dw, db), "gate": (dv, dc)', '(dv, dc), "gate": (dw, db)'),
            "accumulates": accumulates,
        },
    ),
    Model(
        *("gated-relu", relu_loss, relu_gradient, draw_relu),
        {
            **usual(*MEANS, "residual-sign", *BIASES, "no-activation-derivative"),
            **usual("bce-extra-derivative", "ce-minus-missing"),
            "relu-mask": ("relu_backward(dgate, sums)", "dgate * (unit > 0)"),
            "update-before-use": ("np.outer(dz, out)", "np.outer(dz, out - RATE * dout)"),
            "decay-factor": [("2 * DECAY * w", "DECAY * w"), ("2 * DECAY * v", "DECAY * v")],
            "dropped-term": ("dh * gate, dh * unit", "dh * gate, dh"),
            "exchanged": ('"w": dw, "b": db, "v": dv', '"w": dv, "b": db, "v": dw'),
        },
    ),
    Model(
        *("gated-relu-tie", relu_loss, relu_gradient, draw_relu_tie),
        usual("relu-at-zero", "bias-unsummed", "bce-extra-derivative"),
    ),
]
