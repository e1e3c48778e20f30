"""Tanh networks with squared error: with weight decay, and one that reproduces its input."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    decay,
    elements,
    examples,
    squared_error_backward,
    tanh_slope,
)
from benchmarks.checkers.subjects.planting import STEP, Accumulating, planted

DECAY = 0.03

Layers = list[tuple[Any, Any]]


def _outputs(params: Layers, x: Any) -> Any:
    *hidden, (w, b) = params
    for v, c in hidden:
        x = jnp.tanh(x @ v + c[None, :])
    return x @ w + b[None, :]


def _decayed(params: Layers, x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 3), y of shape (n, 2)."""
    errors = jnp.sum((_outputs(params, x) - y) ** 2, axis=1)
    return errors.mean() + DECAY * sum(jnp.sum(w**2) for w, _ in params)


def _decayed_gradient(params: Layers, x: Any, y: Any, mistake: str = "") -> Layers:
    hs, output = _forward(params, x)
    # L = mean(sum((z - y) ** 2, axis=1))
    dz = squared_error_backward(output, y, mistake) / examples(y, mistake)
    grads: Layers = []
    for i in reversed(range(len(params))):
        w, b = params[i]
        # z = h @ w + b, and the penalty of w
        dw, db, dh = affine_backward(dz, hs[i], w, mistake, penalty=DECAY)
        if mistake == "decay-factor":
            db = db + decay(b, DECAY)
        grads.insert(0, (dw, db))
        # h = tanh(z)
        dz = dh * tanh_slope(hs[i], mistake) if i else dh
    return grads


def _forward(params: Layers, x: Any) -> tuple[list[Any], Any]:
    """What goes into each layer, and what the last one puts out."""
    inputs, z = [x], x
    for i, (w, b) in enumerate(params):
        if i:
            inputs.append(np.tanh(z))
        z = inputs[-1] @ w + b
    return inputs, z


def _reproduced(params: Layers, x: Any) -> Any:
    """The mean over everything of what is not reproduced: x of shape (n, 5)."""
    return jnp.mean(jnp.square(_outputs(params, x) - x))


def _reproduced_gradient(params: Layers, x: Any, mistake: str = "") -> Layers:
    if mistake == "update-before-use":
        return _layer_after_layer(params, x)
    (w1, _), (w2, _) = params
    (_, h), z2 = _forward(params, x)
    # L = mean((z2 - x) ** 2)
    dz2 = squared_error_backward(z2, x, mistake) / elements(x, mistake)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, w2, mistake)
    if mistake == "dropped-term":
        dh[:, 2] = 0.0
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h, mistake)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, h if mistake == "dw-after-activation" else x, w1, mistake)
    if mistake == "exchanged":
        return [(dw2, db2), (dw1, db1)]
    return [(dw1, db1), (dw2, db2)]


def _layer_after_layer(params: Layers, x: Any) -> Layers:
    """The last layer is updated, and the first one's derivative is taken of the new network."""
    first, (w, b) = params
    _, (dw, db) = _reproduced_gradient(params, x)
    dfirst, _ = _reproduced_gradient([first, (w - STEP * dw, b - STEP * db)], x)
    return [dfirst, (dw, db)]


def _draw_decayed(rng: np.random.Generator) -> tuple[Any, ...]:
    return layers(rng, 3, 7, 5, 2), rng.normal(size=(11, 3)), rng.normal(size=(11, 2))


def _draw_reproduced(rng: np.random.Generator) -> tuple[Any, ...]:
    return layers(rng, 5, 5, 5), rng.normal(size=(5, 5))


_COMMON = (
    "missing-square",
    "half-mse",
    "missing-mean",
    "double-mean",
    "mean-over-outputs",
    "residual-sign",
    "bias-mean",
    "bias-unsummed",
    "bias-wrong-axis",
    "tanh-linear",
    "tanh-of-h",
    "no-activation-derivative",
    "update-before-use",
)

SUBJECTS = [
    Subject(
        "tanh-mlp-decayed",
        _decayed,
        _decayed_gradient,
        _draw_decayed,
        planted(_decayed_gradient, *_COMMON, "decay-factor")
        | {"accumulates": Accumulating(_decayed_gradient)},
    ),
    Subject(
        "autoencoder",
        _reproduced,
        _reproduced_gradient,
        _draw_reproduced,
        planted(
            _reproduced_gradient,
            *_COMMON,
            "dw-transposed",
            "dx-untransposed",
            "dw-after-activation",
            "dropped-term",
            "exchanged",
        ),
    ),
]
