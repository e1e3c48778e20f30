"""Dense networks of sigmoids with binary cross-entropy, and of tanh units with squared errors."""

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from models.helpers import (
    BIASES,
    MEANS,
    accumulates,
    affine_backward,
    also,
    binary_cross_entropy_backward,
    decayed_backward,
    elements,
    examples,
    layers,
    sigmoid,
    sigmoid_slope,
    sigmoid_slope_twice,
    squared_error_backward,
    tanh_slope,
    usual,
    zero_or_one,
)
from models.model import of_loss

LABELS_DECAY = 0.02


#: Two layers.
Net = namedtuple("Net", "w1 b1 w2 b2")


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
    return losses.mean() + LABELS_DECAY * weights


def labels_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    w1, w2, w3 = params["w1"], params["w2"], params["w3"]
    z1 = x @ w1 + params["b1"]
    h1 = sigmoid(z1)
    h2 = sigmoid(h1 @ w2 + params["b2"])
    p = sigmoid(h2 @ w3 + params["b3"])
    # losses = sigmoid_binary_cross_entropy(z3, y).sum(axis=-1), their mean
    dz3 = binary_cross_entropy_backward(p, y) / examples(y)
    # z3 = h2 @ w3 + b3, and in every layer the penalty of w
    dw3 = h2.T @ dz3 + 2 * LABELS_DECAY * w3
    db3 = dz3.sum(axis=0)
    dh2 = dz3 @ w3.T
    # h2 = sigmoid(z2)
    dz2 = dh2 * (h2 * (1 - h2))
    # z2 = h1 @ w2 + b2
    dw2, db2, dh1 = decayed_backward(dz2, h1, w2, LABELS_DECAY)
    # h1 = sigmoid(z1)
    dz1 = dh1 * sigmoid_slope(z1, h1)
    # z1 = x @ w1 + b1
    dw1, db1, _ = decayed_backward(dz1, x, w1, LABELS_DECAY)
    return {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2, "w3": dw3, "b3": db3}


def draw_labels(rng: np.random.Generator) -> Any:
    params = {}
    for i, (w, b) in enumerate(layers(rng, 5, 5, 5, 3), 1):
        params |= {f"w{i}": w, f"b{i}": b}
    return params, rng.normal(size=(5, 5)), zero_or_one(rng, 5, 3)


CLASSIFYING = usual(
    *(*MEANS, "residual-sign", *BIASES, "dw-transposed", "sigmoid-of-z"),
    *("no-activation-derivative", "bce-extra-derivative", "ce-minus-missing", "update-before-use"),
)


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


FITTING = usual(
    *("missing-square", "half-mse", *MEANS, "mean-over-outputs", "residual-sign", *BIASES),
    *("tanh-linear", "tanh-of-h", "no-activation-derivative"),
)


MODELS = [
    of_loss(
        *("sigmoid-bce-literal", literal_loss, literal_gradient, draw_literal),
        {**CLASSIFYING, "dropped-term": ("return Net(", "dw1[0, 1] = 0.0\nreturn Net(")},
    ),
    of_loss(
        *("sigmoid-labels", labels_loss, labels_gradient, draw_labels),
        {
            **CLASSIFYING,
            **also("update-before-use", ("dz3 @ w3.T", "dz3 @ (w3 - STEP * dw3).T")),
            **usual("mean-over-outputs", "dx-untransposed"),
            "dw-after-activation": ("backward(dz1, x,", "backward(dz1, h1,"),
            **also("decay-factor", ("2 * LABELS_DECAY * w3", "LABELS_DECAY * w3")),
            "exchanged": ('{"w1": dw1, "b1": db1, "w2": dw2', '{"w1": dw2, "b1": db1, "w2": dw1'),
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("tanh-mlp-decayed", decayed_loss, decayed_gradient),
        lambda rng: (layers(rng, 3, 7, 5, 2), rng.normal(size=(11, 3)), rng.normal(size=(11, 2))),
        {
            **FITTING,
            **usual("update-before-use"),
            **also("decay-factor", ("(0, (dw, db))", "(0, (dw, db + 2 * DECAY * params[i][1]))")),
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("autoencoder", reproduced_loss, reproduced_gradient),
        lambda rng: (layers(rng, 5, 5, 5), rng.normal(size=(5, 5))),
        {
            **FITTING,
            # The last layer is updated, and the first one's derivative is of the new network.
            "update-before-use": (
                "# h = tanh(z1)",
                "w2, b2 = w2 - STEP * dw2, params[1][1] - STEP * db2\n"
                "dz2 = squared_error_backward(h @ w2 + b2, x) / elements(x)\n"
                "_, _, dh = affine_backward(dz2, h, w2)",
            ),
            **usual("dw-transposed", "dx-untransposed"),
            "dw-after-activation": "dw1, db1, _ = affine_backward(dz1, h, w1)",
            "dropped-term": ("# h = tanh(z1)", "dh[:, 2] = 0.0"),
            "exchanged": ("[(dw1, db1), (dw2, db2)]", "[(dw2, db2), (dw1, db1)]"),
        },
    ),
]
