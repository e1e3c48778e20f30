"""Attention over the positions of a sequence: a sigmoid scores them, a softmax weights them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import accumulates
from models.draws import affine, zero_or_one
from models.lines import (
    MEANS,
    binary_cross_entropy_backward,
    examples,
    sigmoid,
    sigmoid_slope_twice,
    softmax,
    softmax_backward,
    usual,
)
from models.model import Model

Params = list[Any]


def loss(params: Params, x: Any, y: Any) -> Any:
    """x of shape (n, time, 3), y of shape (n,); params are w (3, 3), b, query, out, all (3,)."""
    w, b, query, out = params
    keys = jax.nn.sigmoid(jnp.einsum("nti,ij->ntj", x, w) + b[None, None, :])
    weights = jax.nn.softmax(keys @ query, axis=1)
    z = jnp.einsum("nt,nti->ni", weights, x) @ out
    return -jnp.mean(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z))


def gradient(params: Params, x: Any, y: Any) -> Params:
    w, b, query, out = params
    sums = x @ w + b
    keys = sigmoid(sums)
    weights = softmax(keys @ query)
    context = np.einsum("nt,nti->ni", weights, x)
    # -mean(y * log(p) + (1 - y) * log(1 - p)), p = sigmoid(z)
    dz = binary_cross_entropy_backward(sigmoid(context @ out), y) / examples(y)
    # z = context @ out
    dout = context.T @ dz
    dcontext = np.outer(dz, out)
    # context = sum(weights * x)
    dweights = np.einsum("ni,nti->nt", dcontext, x)
    # weights = softmax(scores), scores = keys @ query
    dscores = softmax_backward(dweights, weights)
    dquery = np.einsum("nt,ntj->j", dscores, keys)
    dkeys = dscores[:, :, None] * query
    # keys = sigmoid(x @ w + b)
    dsums = dkeys * sigmoid_slope_twice(sums, keys)
    dw = np.einsum("ntj,nti->ij", dsums, x)
    db = dsums.sum(axis=(0, 1))
    return [dw, db, dquery, dout]


def draw(rng: np.random.Generator) -> Any:
    w, b = affine(rng, 3, 3)
    params = [1.5 * w, b, rng.normal(size=3), rng.normal(size=3)]
    return params, rng.normal(size=(5, 3, 3)), zero_or_one(rng, 5)


MODELS = [
    Model(
        *("attention", loss, gradient, draw),
        {
            **usual(*MEANS, "residual-sign"),
            "bias-mean": ("dsums.sum(axis=(0, 1))", "dsums.mean(axis=(0, 1))"),
            "bias-unsummed": ("dsums.sum(axis=(0, 1))", "dsums.sum(axis=1)"),
            "bias-wrong-axis": ("dsums.sum(axis=(0, 1))", "dsums.sum(axis=(0, 2))"),
            "dw-transposed": ("ntj,nti->ij", "ntj,nti->ji"),
            "dw-after-activation": ('"ntj,nti->ij", dsums, x', '"ntj,nti->ij", dsums, keys'),
            **usual("sigmoid-of-z", "no-activation-derivative", "bce-extra-derivative"),
            **usual("softmax-diagonal", "softmax-wrong-axis", "ce-minus-missing"),
            "update-before-use": ("np.outer(dz, out)", "np.outer(dz, out - STEP * dout)"),
            "dropped-term": (
                "    # keys = sigmoid(x",
                "    dkeys[:, 0] = 0.0\n    # keys = sigmoid(x",
            ),
            "exchanged": ("dquery, dout]", "dout, dquery]"),
            "accumulates": accumulates,
        },
    ),
]
