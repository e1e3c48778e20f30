"""Gated units: a tanh times a sigmoid, a sum times a relu; and where a sum is 0."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, zero_or_one
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    bias_backward,
    binary_cross_entropy_backward,
    decay,
    examples,
    relu_backward,
    sigmoid,
    sigmoid_slope,
    squared_error_backward,
    tanh_slope,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted

#: The learning rate of the weights that are updated too early.
RATE = 0.2

DECAY = 0.05

Params = dict[str, Any]


def _tanh(params: Params, x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 3), y of shape (n, 2)."""
    (w, b), (v, c) = params["unit"], params["gate"]
    unit = jnp.tanh(x @ w + b[None, :])
    gate = jax.nn.sigmoid(x @ v + c[None, :])
    out = (unit * gate) @ params["out"]
    return jnp.sum((out - y) ** 2, axis=1).mean()


def _tanh_gradient(params: Params, x: Any, y: Any, mistake: str = "") -> Params:
    (w, b), (v, c), out = params["unit"], params["gate"], params["out"]
    unit = np.tanh(x @ w + b)
    sums = x @ v + c
    gate = sigmoid(sums)
    h = unit * gate
    # sum((h @ out - y) ** 2, axis=1).mean()
    dz = squared_error_backward(h @ out, y, mistake) / examples(y, mistake)
    # z = h @ out
    dout = h.T @ dz
    dh = dz @ (out - RATE * dout if mistake == "update-before-use" else out).T
    # h = unit * gate
    dunit, dgate = dh * gate, dh * unit
    if mistake == "dropped-term":
        dgate = np.zeros_like(dgate)
    # unit = tanh(x @ w + b), gate = sigmoid(x @ v + c)
    dw, db, _ = affine_backward(dunit * tanh_slope(unit, mistake), x, w, mistake)
    dv, dc, _ = affine_backward(dgate * sigmoid_slope(sums, gate, mistake), x, v, mistake)
    if mistake == "exchanged":
        dw, db, dv, dc = dv, dc, dw, db
    return {"unit": (dw, db), "gate": (dv, dc), "out": dout}


def _relu(params: Params, x: Any, y: Any) -> Any:
    """Binary cross-entropy and a penalty: x of shape (n, 3), y of shape (n,)."""
    unit = x @ params["w"] + params["b"][None, :]
    h = unit * jax.nn.relu(x @ params["v"] + params["c"][None, :])
    z = h @ params["out"]
    losses = jax.nn.softplus(z) - y * z
    return losses.mean() + DECAY * (jnp.sum(params["w"] ** 2) + jnp.sum(params["v"] ** 2))


def _relu_gradient(params: Params, x: Any, y: Any, mistake: str = "") -> Params:
    w, b, v, c, out = (params[name] for name in ("w", "b", "v", "c", "out"))
    unit = x @ w + b
    sums = x @ v + c
    gate = np.maximum(sums, 0)
    h = unit * gate
    # mean(softplus(z) - y * z)
    dz = binary_cross_entropy_backward(sigmoid(h @ out), y, mistake) / examples(y, mistake)
    # z = h @ out
    dout = h.T @ dz
    dh = np.outer(dz, out - RATE * dout if mistake == "update-before-use" else out)
    # h = unit * gate, gate = relu(sums)
    dunit = dh * gate
    dgate = dh if mistake == "dropped-term" else dh * unit
    dsums = dgate * (unit > 0) if mistake == "relu-mask" else relu_backward(dgate, sums, mistake)
    # unit = x @ w + b, sums = x @ v + c, and the penalty of w and v
    dw = x.T @ dunit + decay(w, DECAY, mistake)
    dv = x.T @ dsums + decay(v, DECAY, mistake)
    if mistake == "exchanged":
        dw, dv = dv, dw
    db, dc = bias_backward(dunit, mistake), bias_backward(dsums, mistake)
    return {"w": dw, "b": db, "v": dv, "c": dc, "out": dout}


def _draw_tanh(rng: np.random.Generator) -> tuple[Any, ...]:
    params = {"unit": affine(rng, 3, 5), "gate": affine(rng, 3, 5), "out": affine(rng, 5, 2)[0]}
    return params, rng.normal(size=(7, 3)), rng.normal(size=(7, 2))


def _draw_relu(rng: np.random.Generator) -> tuple[Any, ...]:
    (w, b), (v, c), (out, _) = affine(rng, 3, 5), affine(rng, 3, 5), affine(rng, 5, 1)
    params = {"w": w, "b": b, "v": v, "c": c, "out": out[:, 0]}
    return params, rng.normal(size=(5, 3)), zero_or_one(rng, 5)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """One example of zeros, and a gate without a bias: its sum is exactly 0."""
    params, x, y = _draw_relu(rng)
    x[4], params["c"][3] = 0.0, 0.0
    return params, x, y


SUBJECTS = [
    Subject(
        "gated-tanh",
        _tanh,
        _tanh_gradient,
        _draw_tanh,
        planted(
            _tanh_gradient,
            "missing-square",
            "half-mse",
            "missing-mean",
            "double-mean",
            "mean-over-outputs",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
            "tanh-linear",
            "tanh-of-h",
            "sigmoid-of-z",
            "no-activation-derivative",
            "update-before-use",
            "dropped-term",
            "exchanged",
        )
        | {"accumulates": Accumulating(_tanh_gradient)},
    ),
    Subject(
        "gated-relu",
        _relu,
        _relu_gradient,
        _draw_relu,
        planted(
            _relu_gradient,
            "missing-mean",
            "double-mean",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "no-activation-derivative",
            "bce-extra-derivative",
            "ce-minus-missing",
            "relu-mask",
            "update-before-use",
            "decay-factor",
            "dropped-term",
            "exchanged",
        ),
    ),
    Subject(
        "gated-relu-tie",
        _relu,
        _relu_gradient,
        _draw_tie,
        planted(_relu_gradient, "relu-at-zero", "bias-unsummed", "bce-extra-derivative"),
    ),
]
