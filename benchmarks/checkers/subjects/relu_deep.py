"""A relu network of three layers with one output, yes or no."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers, zero_or_one
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    binary_cross_entropy_backward,
    examples,
    relu_backward,
    sigmoid,
)
from benchmarks.checkers.subjects.planting import planted


def _loss(params: Any, x: Any, y: Any) -> Any:
    """Binary cross-entropy: x of shape (n, 5), y of shape (n, 1); three layers."""
    for w, b in params[:-1]:
        x = jnp.maximum(x @ w + b[None, :], 0.0)
    w, b = params[-1]
    return jnp.mean(optax.sigmoid_binary_cross_entropy(x @ w + b[None, :], y))


def _gradient(params: Any, x: Any, y: Any, mistake: str = "") -> Any:
    inputs, sums = [x], []
    for w, b in params:
        sums.append(inputs[-1] @ w + b)
        inputs.append(np.maximum(sums[-1], 0))
    # mean(sigmoid_binary_cross_entropy(z, y))
    dz = binary_cross_entropy_backward(sigmoid(sums[-1]), y, mistake)
    dz = dz / examples(y, mistake)
    grads = []
    for i in (2, 1, 0):
        # z = h @ w + b; only the middle layer is square
        here = "" if mistake == "dx-untransposed" and i != 1 else mistake
        dw, db, dh = affine_backward(dz, inputs[i], params[i][0], here)
        if mistake == "dropped-term" and i == 2:
            # Examples in threes, and what is left over is left out.
            dw = inputs[i][:9].T @ dz[:9]
        grads.append([dw, db])
        # h = relu(z)
        dz = relu_backward(dh, sums[i - 1], mistake) if i else dh
    if mistake == "exchanged":
        grads[1][1], grads[2][1] = grads[2][1], grads[1][1]
    return grads[::-1]


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    params = [list(pair) for pair in layers(rng, 5, 5, 5, 1)]
    return params, rng.normal(size=(11, 5)), zero_or_one(rng, 11, 1)


SUBJECTS = [
    Subject(
        "relu-deep",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "dx-untransposed",
            "bce-extra-derivative",
            "ce-minus-missing",
            "dropped-term",
            "exchanged",
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
        ),
    ),
]
