"""A residual block with square weights in a softmax classifier; and where a sum is exactly 0."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers, one_hot
from benchmarks.checkers.subjects.lines import (
    bias_backward,
    decay,
    examples,
    relu_backward,
    softmax,
    softmax_cross_entropy_backward,
)
from benchmarks.checkers.subjects.planting import STEP, planted

DECAY = 0.04


class Block(NamedTuple):
    """A residual block between two layers; the weights inside are square."""

    enter: Any
    w: Any
    b: Any
    leave: Any
    leave_bias: Any


def _loss(net: Block, x: Any, y: Any) -> Any:
    """Softmax cross-entropy: x of shape (n, 3), y of shape (n, 2)."""
    h = x @ net.enter
    h = h + jax.nn.relu(h @ net.w + net.b[None, :])
    logits = h @ net.leave + net.leave_bias[None, :]
    losses = jax.nn.logsumexp(logits, axis=1) - jnp.sum(y * logits, axis=1)
    return jnp.mean(losses) + DECAY * jnp.sum(net.w**2)


def _gradient(net: Block, x: Any, y: Any, mistake: str = "") -> Block:
    enter, w, b, leave, leave_bias = net
    h0 = x @ enter
    z = h0 @ w + b
    h1 = h0 + np.maximum(z, 0)
    p = softmax(h1 @ leave + leave_bias, mistake)
    # logsumexp(logits) - sum(y * logits), its mean
    dlogits = softmax_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # logits = h1 @ leave + leave_bias
    dleave, dleave_bias = h1.T @ dlogits, bias_backward(dlogits, mistake)
    dh1 = dlogits @ (leave - STEP * dleave if mistake == "update-before-use" else leave).T
    # h1 = h0 + relu(z)
    dz = dh1 * (h0 > 0) if mistake == "relu-mask" else relu_backward(dh1, z, mistake)
    # z = h0 @ w + b, and the penalty of w
    into = h1 if mistake == "dw-after-activation" else h0
    dw = (dz.T @ into if mistake == "dw-transposed" else into.T @ dz) + decay(w, DECAY, mistake)
    branch = dz @ w if mistake == "dx-untransposed" else dz @ w.T
    dh0 = branch if mistake == "dropped-term" else dh1 + branch
    # h0 = x @ enter
    return Block(x.T @ dh0, dw, bias_backward(dz, mistake), dleave, dleave_bias)


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (enter, _), (w, b), (leave, leave_bias) = layers(rng, 3, 5, 5, 2)
    return Block(enter, w, b, leave, leave_bias), rng.normal(size=(7, 3)), one_hot(rng, 7, 2)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """One example of zeros, and a unit without a bias: its sum is exactly 0."""
    net, x, y = _draw(rng)
    x[0], net.b[1] = 0.0, 0.0
    return net, x, y


SUBJECTS = [
    Subject(
        "residual-block",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "softmax-diagonal",
            "softmax-shortcut",
            "softmax-wrong-axis",
            "ce-minus-missing",
            "dx-untransposed",
            "dw-after-activation",
            "decay-factor",
            "dropped-term",
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
    Subject(
        "residual-block-tie",
        _loss,
        _gradient,
        _draw_tie,
        planted(_gradient, "relu-at-zero", "dropped-term", "dx-untransposed"),
    ),
]
