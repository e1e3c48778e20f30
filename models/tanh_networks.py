"""Tanh networks with squared error: one with weight decay, and an autoencoder."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.answers import accumulates
from models.draws import layers
from models.lines import (
    BIASES,
    MEANS,
    affine_backward,
    also,
    decayed_backward,
    elements,
    examples,
    squared_error_backward,
    tanh_slope,
    usual,
)
from models.model import Model

DECAY = 0.03

Layers = list[tuple[Any, Any]]


def outputs(params: Layers, x: Any) -> Any:
    *hidden, (w, b) = params
    for v, c in hidden:
        x = jnp.tanh(x @ v + c[None, :])
    return x @ w + b[None, :]


def forward(params: Layers, x: Any) -> tuple[list[Any], Any]:
    """Return the input of each layer, and the output of the last one."""
    inputs, z = [x], x
    for i, (w, b) in enumerate(params):
        if i:
            inputs.append(np.tanh(z))
        z = inputs[-1] @ w + b
    return inputs, z


def decayed_loss(params: Layers, x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 3), y of shape (n, 2)."""
    errors = jnp.sum((outputs(params, x) - y) ** 2, axis=1)
    return errors.mean() + DECAY * sum(jnp.sum(w**2) for w, _ in params)


def decayed_gradient(params: Layers, x: Any, y: Any) -> Layers:
    hs, output = forward(params, x)
    # L = mean(sum((z - y) ** 2, axis=1))
    dz = squared_error_backward(output, y) / examples(y)
    grads: Layers = []
    for i in reversed(range(len(params))):
        w, _ = params[i]
        # z = h @ w + b, and the penalty of w
        dw, db, dh = decayed_backward(dz, hs[i], w, DECAY)
        grads.insert(0, (dw, db))
        # h = tanh(z)
        dz = dh * tanh_slope(hs[i]) if i else dh
    return grads


def reproduced_loss(params: Layers, x: Any) -> Any:
    """The mean squared error of the reproduced input: x of shape (n, 5)."""
    return jnp.mean(jnp.square(outputs(params, x) - x))


def reproduced_gradient(params: Layers, x: Any) -> Layers:
    (w1, _), (w2, _) = params
    (_, h), z2 = forward(params, x)
    # L = mean((z2 - x) ** 2)
    dz2 = squared_error_backward(z2, x) / elements(x)
    # z2 = h @ w2 + b2
    dw2, db2, dh = affine_backward(dz2, h, w2)
    # h = tanh(z1)
    dz1 = dh * tanh_slope(h)
    # z1 = x @ w1 + b1
    dw1, db1, _ = affine_backward(dz1, x, w1)
    return [(dw1, db1), (dw2, db2)]


def draw_decayed(rng: np.random.Generator) -> Any:
    return layers(rng, 3, 7, 5, 2), rng.normal(size=(11, 3)), rng.normal(size=(11, 2))


def draw_reproduced(rng: np.random.Generator) -> Any:
    return layers(rng, 5, 5, 5), rng.normal(size=(5, 5))


COMMON = usual(
    *("missing-square", "half-mse", *MEANS, "mean-over-outputs", "residual-sign", *BIASES),
    *("tanh-linear", "tanh-of-h", "no-activation-derivative"),
)

MODELS = [
    Model(
        *("tanh-mlp-decayed", decayed_loss, decayed_gradient, draw_decayed),
        {
            **COMMON,
            **usual("update-before-use"),
            **also("decay-factor", ("(0, (dw, db))", "(0, (dw, db + 2 * DECAY * params[i][1]))")),
            "accumulates": accumulates,
        },
    ),
    Model(
        *("autoencoder", reproduced_loss, reproduced_gradient, draw_reproduced),
        {
            **COMMON,
            # The last layer is updated, and the first one's derivative is of the new network.
            "update-before-use": (
                "# h = tanh(z1)",
                "w2, b2 = w2 - STEP * dw2, params[1][1] - STEP * db2\n"
                "dz2 = squared_error_backward(h @ w2 + b2, x) / elements(x)\n"
                "_, _, dh = affine_backward(dz2, h, w2)",
            ),
            **usual("dw-transposed", "dx-untransposed"),
            "dw-after-activation": ("affine_backward(dz1, x, w1)", "affine_backward(dz1, h, w1)"),
            "dropped-term": ("# h = tanh(z1)", "dh[:, 2] = 0.0"),
            "exchanged": ("[(dw1, db1), (dw2, db2)]", "[(dw2, db2), (dw1, db1)]"),
        },
    ),
]
