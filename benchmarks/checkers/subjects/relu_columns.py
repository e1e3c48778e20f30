"""A relu network with examples in columns and squared errors; and at points where a sum is 0."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers
from benchmarks.checkers.subjects.lines import relu_backward
from benchmarks.checkers.subjects.planting import Accumulating, planted

#: The learning rate of the weights that are updated too early.
RATE = 0.5


def _loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """Squared error: x of shape (3, m), y of shape (2, m), weights (out, in), biases (out, 1)."""
    z1 = params["W1"] @ x + params["b1"]
    a1 = jnp.where(z1 > 0, z1, 0.0)
    a2 = params["W2"] @ a1 + params["b2"]
    return jnp.sum((a2 - y) ** 2) / x.shape[1]


def _gradient(params: dict[str, Any], x: Any, y: Any, mistake: str = "") -> Any:
    w1, b1, w2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    m = x.shape[1]
    z1 = w1 @ x + b1
    a1 = np.where(z1 > 0, z1, 0.0)
    a2 = w2 @ a1 + b2
    # sum((a2 - y) ** 2) / m
    outer = {"missing-mean": 1, "mean-over-outputs": y.size}.get(mistake, m)
    dz2 = (a2 - y if mistake == "half-mse" else 2 * (a2 - y)) / outer
    dz2 = np.full_like(dz2, 1 / m) if mistake == "missing-square" else dz2
    dz2 = -dz2 if mistake == "residual-sign" else dz2
    # a2 = W2 @ a1 + b2
    dw2, db2 = _column_layer(dz2, a1, mistake)
    da1 = (w2 - RATE * dw2 if mistake == "update-before-use" else w2).T @ dz2
    # a1 = where(z1 > 0, z1, 0)
    dz1 = relu_backward(da1, z1, mistake)
    # z1 = W1 @ x + b1
    dw1, db1 = _column_layer(dz1, x, mistake)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


def _column_layer(dz: Any, a: Any, mistake: str) -> tuple[Any, Any]:
    # z = W @ a + b
    m = dz.shape[1]
    dw = a @ dz.T if mistake == "dw-transposed" else dz @ a.T
    db = dz.sum(axis=0 if mistake == "bias-wrong-axis" else 1, keepdims=True)
    if mistake == "double-mean":
        # dz has the mean in it already.
        return dw / m, db / m
    if mistake == "bias-mean":
        db = db / m
    return dw, dz if mistake == "bias-unsummed" else db


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 2)
    params = {"W1": w1.T.copy(), "b1": b1[:, None], "W2": w2.T.copy(), "b2": b2[:, None]}
    return params, rng.normal(size=(3, 7)), rng.normal(size=(2, 7))


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """One example of zeros, and two units without a bias: two sums are exactly 0."""
    params, x, y = _draw(rng)
    x[:, 4], params["b1"][:2] = 0.0, 0.0
    return params, x, y


SUBJECTS = [
    Subject(
        "relu-columns",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "missing-square",
            "half-mse",
            "mean-over-outputs",
            "missing-mean",
            "double-mean",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
            "no-activation-derivative",
            "relu-mask",
            "update-before-use",
        )
        | {"accumulates": Accumulating(_gradient)},
    ),
    Subject(
        "relu-columns-tie",
        _loss,
        _gradient,
        _draw_tie,
        planted(_gradient, "relu-at-zero", "half-mse", "dw-transposed"),
    ),
]
