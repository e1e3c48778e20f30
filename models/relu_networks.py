"""Relu networks: examples in columns, three layers, a residual block; and points at a kink."""

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
    bias_backward,
    binary_cross_entropy_backward,
    examples,
    layers,
    one_hot_rows,
    relu_backward,
    sigmoid,
    softmax,
    softmax_cross_entropy_backward,
    squared_error_backward,
    usual,
    zero_or_one,
)
from models.model import of_loss

#: The learning rate of the weights that are updated too early.
RATE = 0.5

DECAY = 0.04


def columns_loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """Squared error: x of shape (3, m), y of shape (2, m), weights (out, in), biases (out, 1)."""
    z1 = params["W1"] @ x + params["b1"]
    a1 = jnp.where(z1 > 0, z1, 0.0)
    a2 = params["W2"] @ a1 + params["b2"]
    return jnp.sum((a2 - y) ** 2) / x.shape[1]


def columns_gradient(params: dict[str, Any], x: Any, y: Any) -> Any:
    w1, b1, w2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    z1 = w1 @ x + b1
    a1 = np.where(z1 > 0, z1, 0.0)
    a2 = w2 @ a1 + b2
    # sum((a2 - y) ** 2) / m, examples in columns
    dz2 = squared_error_backward(a2, y) / examples(y.T)
    # a2 = W2 @ a1 + b2
    dw2, db2 = column_backward(dz2, a1)
    da1 = w2.T @ dz2
    # a1 = where(z1 > 0, z1, 0)
    dz1 = relu_backward(da1, z1)
    # z1 = W1 @ x + b1
    dw1, db1 = column_backward(dz1, x)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


def column_backward(dz: Any, a: Any) -> tuple[Any, Any]:
    # z = W @ a + b
    dw = dz @ a.T
    db = dz.sum(axis=1, keepdims=True)
    return dw, db


def draw_columns(rng: np.random.Generator) -> Any:
    (w1, b1), (w2, b2) = layers(rng, 3, 5, 2)
    params = {"W1": w1.T.copy(), "b1": b1[:, None], "W2": w2.T.copy(), "b2": b2[:, None]}
    return params, rng.normal(size=(3, 7)), rng.normal(size=(2, 7))


def draw_columns_tie(rng: np.random.Generator) -> Any:
    """Draw one example of zeros, and two units with bias 0: two pre-activations are exactly 0."""
    params, x, y = draw_columns(rng)
    x[:, 4], params["b1"][:2] = 0.0, 0.0
    return params, x, y


def deep_loss(params: Any, x: Any, y: Any) -> Any:
    """Binary cross-entropy: x of shape (n, 5), y of shape (n, 1); three layers."""
    for w, b in params[:-1]:
        x = jnp.maximum(x @ w + b[None, :], 0.0)
    w, b = params[-1]
    return jnp.mean(optax.sigmoid_binary_cross_entropy(x @ w + b[None, :], y))


def deep_gradient(params: Any, x: Any, y: Any) -> Any:
    inputs, sums = [x], []
    for w, b in params:
        sums.append(inputs[-1] @ w + b)
        inputs.append(np.maximum(sums[-1], 0))
    # mean(sigmoid_binary_cross_entropy(z, y))
    dz = binary_cross_entropy_backward(sigmoid(sums[-1]), y) / examples(y)
    grads = []
    for i in (2, 1, 0):
        # z = h @ w + b; only the middle layer is square
        dw, db, dh = affine_backward(dz, inputs[i], params[i][0])
        grads.append([dw, db])
        # h = relu(z)
        dz = relu_backward(dh, sums[i - 1]) if i else dh
    return grads[::-1]


def draw_deep(rng: np.random.Generator) -> Any:
    params = [list(pair) for pair in layers(rng, 5, 5, 5, 1)]
    return params, rng.normal(size=(11, 5)), zero_or_one(rng, 11, 1)


#: A residual block between two layers; the weights inside are square.
Block = namedtuple("Block", "enter w b leave leave_bias")


def residual_loss(net: Block, x: Any, y: Any) -> Any:
    """Softmax cross-entropy: x of shape (n, 3), y of shape (n, 2)."""
    h = x @ net.enter
    h = h + jax.nn.relu(h @ net.w + net.b[None, :])
    logits = h @ net.leave + net.leave_bias[None, :]
    losses = jax.nn.logsumexp(logits, axis=1) - jnp.sum(y * logits, axis=1)
    return jnp.mean(losses) + DECAY * jnp.sum(net.w**2)


def residual_gradient(net: Block, x: Any, y: Any) -> Block:
    enter, w, b, leave, leave_bias = net
    h0 = x @ enter
    z = h0 @ w + b
    h1 = h0 + np.maximum(z, 0)
    p = softmax(h1 @ leave + leave_bias)
    # logsumexp(logits) - sum(y * logits), its mean
    dlogits = softmax_cross_entropy_backward(p, y) / examples(y)
    # logits = h1 @ leave + leave_bias
    dleave, dleave_bias = h1.T @ dlogits, bias_backward(dlogits)
    dh1 = dlogits @ leave.T
    # h1 = h0 + relu(z)
    dz = relu_backward(dh1, z)
    # z = h0 @ w + b, and the penalty of w
    dw = h0.T @ dz + 2 * DECAY * w
    dh0 = dh1 + dz @ w.T
    # h0 = x @ enter
    return Block(x.T @ dh0, dw, bias_backward(dz), dleave, dleave_bias)


def draw_residual(rng: np.random.Generator) -> Any:
    (enter, _), (w, b), (leave, leave_bias) = layers(rng, 3, 5, 5, 2)
    return Block(enter, w, b, leave, leave_bias), rng.normal(size=(7, 3)), one_hot_rows(rng, 7, 2)


def draw_residual_tie(rng: np.random.Generator) -> Any:
    """Draw one example of zeros, and a unit with bias 0: its pre-activation is exactly 0."""
    net, x, y = draw_residual(rng)
    x[0], net.b[1] = 0.0, 0.0
    return net, x, y


OF_COLUMNS = {**usual("half-mse"), "dw-transposed": "dw = a @ dz.T"}
UNTRANSPOSED = {
    "dx-untransposed": "dh0 = dh1 + dz @ w",
    "dropped-term": "dh0 = dz @ w.T",
}

MODELS = [
    of_loss(
        *("relu-columns", columns_loss, columns_gradient, draw_columns),
        {
            **usual("missing-square", "missing-mean", "mean-over-outputs", "residual-sign"),
            **OF_COLUMNS,
            # dz has the mean in it already.
            "double-mean": ("return dw, db", "return dw / dz.shape[1], db / dz.shape[1]"),
            "bias-mean": ("return dw, db", "return dw, db / dz.shape[1]"),
            "bias-unsummed": ("return dw, db", "return dw, dz"),
            "bias-wrong-axis": "db = dz.sum(axis=0, keepdims=True)",
            **usual("no-activation-derivative", "relu-mask"),
            "update-before-use": "da1 = (w2 - RATE * dw2).T @ dz2",
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("relu-columns-tie", columns_loss, columns_gradient, draw_columns_tie),
        {**usual("relu-at-zero"), **OF_COLUMNS},
    ),
    of_loss(
        *("residual-block", residual_loss, residual_gradient, draw_residual),
        {
            **usual("softmax-diagonal", "softmax-shortcut", "softmax-wrong-axis"),
            **usual("ce-minus-missing"),
            "dw-after-activation": ("h0.T @ dz", "h1.T @ dz"),
            "decay-factor": "dw = h0.T @ dz + DECAY * w",
            **UNTRANSPOSED,
            **usual(*MEANS, "residual-sign", *BIASES),
            "dw-transposed": ("h0.T @ dz", "dz.T @ h0"),
            **usual("no-activation-derivative"),
            "relu-mask": "dz = dh1 * (h0 > 0)",
            "update-before-use": "dh1 = dlogits @ (leave - STEP * dleave).T",
        },
    ),
    of_loss(
        *("residual-block-tie", residual_loss, residual_gradient, draw_residual_tie),
        {**usual("relu-at-zero"), **UNTRANSPOSED},
    ),
    of_loss(
        *("relu-deep", deep_loss, deep_gradient, draw_deep),
        {
            "dx-untransposed": (
                "grads.append([",
                "dh = dz @ params[1][0] if i == 1 else dh\ngrads.append([",
            ),
            **usual("bce-extra-derivative", "ce-minus-missing"),
            # Examples in threes, and what is left over is left out.
            "dropped-term": (
                "grads.append([",
                "dw = inputs[2][:9].T @ dz[:9] if i == 2 else dw\ngrads.append([",
            ),
            "exchanged": (
                "return grads",
                "grads[1][1], grads[2][1] = grads[2][1], grads[1][1]\nreturn grads",
            ),
            **usual(*MEANS, "residual-sign", *BIASES, "dw-transposed"),
            **usual("no-activation-derivative", "relu-mask", "update-before-use"),
        },
    ),
]
