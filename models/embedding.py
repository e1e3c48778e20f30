"""A bag of words: averaged rows of a table, relu, softmax over topics; and a point at a kink."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from models.answers import accumulates
from models.draws import labels, layers
from models.lines import (
    BIASES,
    MEANS,
    affine_backward,
    examples,
    relu_backward,
    softmax,
    softmax_cross_entropy_backward,
    usual,
)
from models.model import Model

Params = dict[str, Any]


def loss(params: Params, words: Any, topics: Any) -> Any:
    """words: numbers of rows of the table, shape (n, 3); topics: numbers of classes, shape (n,)."""
    e = jnp.take(params["table"], words, axis=0).mean(axis=1)
    h = jax.nn.relu(e @ params["w"] + params["b"][None, :])
    logits = h @ params["out"] + params["c"][None, :]
    return optax.softmax_cross_entropy_with_integer_labels(logits, topics).mean()


def gradient(params: Params, words: Any, topics: Any) -> Params:
    e = params["table"][words].mean(axis=1)
    z = e @ params["w"] + params["b"]
    h = np.where(z > 0, z, 0)
    p = softmax(h @ params["out"] + params["c"])
    # softmax_cross_entropy_with_integer_labels(logits, topics).mean()
    y = np.eye(p.shape[1])[topics]
    dlogits = softmax_cross_entropy_backward(p, y) / examples(y)
    # logits = h @ out + c
    dout, dc, dh = affine_backward(dlogits, h, params["out"])
    # h = relu(z)
    dz = relu_backward(dh, z)
    # z = e @ w + b
    dw, db, de = affine_backward(dz, e, params["w"])
    # e = table[words].mean(axis=1)
    each = np.repeat(de[:, None, :], words.shape[1], axis=1) / words.shape[1]
    dtable = np.zeros_like(params["table"])
    np.add.at(dtable, words, each)
    return {"table": dtable, "w": dw, "b": db, "out": dout, "c": dc}


def draw(rng: np.random.Generator) -> Any:
    (w, b), (out, c) = layers(rng, 5, 5, 3)
    params = {"table": rng.normal(size=(11, 5)), "w": w, "b": b, "out": out, "c": c}
    # Every text has one word in common.
    words = np.append(rng.integers(1, 11, size=(7, 2)), np.zeros((7, 1), dtype=int), axis=1)
    return params, words, labels(rng, 7, 3)


def draw_tie(rng: np.random.Generator) -> Any:
    """Draw a text of padding alone, whose row 10 is zeros, and a unit with bias 0."""
    params, words, topics = draw(rng)
    words[3], params["table"][10], params["b"][2] = 10, 0.0, 0.0
    return params, words, topics


INNER = 'dw, db, de = affine_backward(dz, e, params["w"])'

#: If a word occurs more than once, only the last occurrence counts.
DROPPED = ("np.add.at(dtable, words, each)", "dtable[words] = each")

MODELS = [
    Model(
        *("embedding-bag", loss, gradient, draw),
        {
            **usual(*MEANS, "residual-sign", *BIASES),
            "dw-transposed": (INNER, INNER + "\ndw = dz.T @ e"),
            "dx-untransposed": (INNER, INNER + '\nde = dz @ params["w"]'),
            "dw-after-activation": ("affine_backward(dz, e,", "affine_backward(dz, h,"),
            **usual("no-activation-derivative", "softmax-diagonal", "softmax-shortcut"),
            **usual("softmax-wrong-axis", "ce-minus-missing"),
            "relu-mask": ("relu_backward(dh, z)\n", "relu_backward(dh, e)\n"),
            **usual("update-before-use"),
            "dropped-term": DROPPED,
            "accumulates": partial(accumulates, only=(3,)),
        },
    ),
    Model(
        *("embedding-bag-tie", loss, gradient, draw_tie),
        {**usual("relu-at-zero", "softmax-shortcut"), "dropped-term": DROPPED},
    ),
]
