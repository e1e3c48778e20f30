"""A bag of words: rows of a table averaged, a relu, softmax over topics; and where a sum is 0."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import labels, layers
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    examples,
    relu_backward,
    softmax,
    softmax_cross_entropy_backward,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted

Params = dict[str, Any]


def _loss(params: Params, words: Any, topics: Any) -> Any:
    """words: numbers of rows of the table, shape (n, 3); topics: numbers of classes, shape (n,)."""
    e = jnp.take(params["table"], words, axis=0).mean(axis=1)
    h = jax.nn.relu(e @ params["w"] + params["b"][None, :])
    logits = h @ params["out"] + params["c"][None, :]
    return optax.softmax_cross_entropy_with_integer_labels(logits, topics).mean()


def _gradient(params: Params, words: Any, topics: Any, mistake: str = "") -> Params:
    e = params["table"][words].mean(axis=1)
    z = e @ params["w"] + params["b"]
    h = np.where(z > 0, z, 0)
    p = softmax(h @ params["out"] + params["c"], mistake)
    # softmax_cross_entropy_with_integer_labels(logits, topics).mean()
    y = np.eye(p.shape[1])[topics]
    dlogits = softmax_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # logits = h @ out + c
    late = "" if mistake in ("dx-untransposed", "dw-transposed") else mistake
    dout, dc, dh = affine_backward(dlogits, h, params["out"], late)
    # h = relu(z)
    dz = relu_backward(dh, e if mistake == "relu-mask" else z, _of_ties(mistake))
    # z = e @ w + b
    into = h if mistake == "dw-after-activation" else e
    dw, db, de = affine_backward(dz, into, params["w"], mistake)
    # e = table[words].mean(axis=1)
    each = np.repeat(de[:, None, :], words.shape[1], axis=1) / words.shape[1]
    dtable = np.zeros_like(params["table"])
    if mistake == "dropped-term":
        # Of a word that comes more than once, only the last is counted.
        dtable[words] = each
    else:
        np.add.at(dtable, words, each)
    return {"table": dtable, "w": dw, "b": db, "out": dout, "c": dc}


def _of_ties(mistake: str) -> str:
    return mistake if mistake in ("relu-at-zero", "no-activation-derivative") else ""


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (w, b), (out, c) = layers(rng, 5, 5, 3)
    params = {"table": rng.normal(size=(11, 5)), "w": w, "b": b, "out": out, "c": c}
    # Every text has one word in common.
    words = np.append(rng.integers(1, 11, size=(7, 2)), np.zeros((7, 1), dtype=int), axis=1)
    return params, words, labels(rng, 7, 3)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """A text of padding alone, row 10 of zeros, and a unit without a bias."""
    params, words, topics = _draw(rng)
    words[3], params["table"][10], params["b"][2] = 10, 0.0, 0.0
    return params, words, topics


SUBJECTS = [
    Subject(
        "embedding-bag",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "missing-mean",
            "double-mean",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
            "dx-untransposed",
            "dw-after-activation",
            "no-activation-derivative",
            "softmax-diagonal",
            "softmax-shortcut",
            "softmax-wrong-axis",
            "ce-minus-missing",
            "relu-mask",
            "update-before-use",
            "dropped-term",
        )
        | {"accumulates": Accumulating(_gradient, only=(3,))},
    ),
    Subject(
        "embedding-bag-tie",
        _loss,
        _gradient,
        _draw_tie,
        planted(_gradient, "relu-at-zero", "softmax-shortcut", "dropped-term"),
    ),
]
