"""Attention over the positions of a sequence: a sigmoid scores them, a softmax weights them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, zero_or_one
from benchmarks.checkers.subjects.lines import (
    binary_cross_entropy_backward,
    examples,
    sigmoid,
    sigmoid_slope_twice,
    softmax,
    softmax_backward,
)
from benchmarks.checkers.subjects.planting import STEP, Accumulating, planted

Params = list[Any]


def _loss(params: Params, x: Any, y: Any) -> Any:
    """x of shape (n, time, 3), y of shape (n,); params are w (3, 3), b, query, out, all (3,)."""
    w, b, query, out = params
    keys = jax.nn.sigmoid(jnp.einsum("nti,ij->ntj", x, w) + b[None, None, :])
    weights = jax.nn.softmax(keys @ query, axis=1)
    z = jnp.einsum("nt,nti->ni", weights, x) @ out
    return -jnp.mean(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z))


def _gradient(params: Params, x: Any, y: Any, mistake: str = "") -> Params:
    w, b, query, out = params
    sums = x @ w + b
    keys = sigmoid(sums)
    weights = softmax(keys @ query, mistake)
    context = np.einsum("nt,nti->ni", weights, x)
    # -mean(y * log(p) + (1 - y) * log(1 - p)), p = sigmoid(z)
    dz = binary_cross_entropy_backward(sigmoid(context @ out), y, mistake) / examples(y, mistake)
    # z = context @ out
    dout = context.T @ dz
    dcontext = np.outer(dz, out - STEP * dout if mistake == "update-before-use" else out)
    # context = sum(weights * x)
    dweights = np.einsum("ni,nti->nt", dcontext, x)
    # weights = softmax(scores), scores = keys @ query
    dscores = softmax_backward(dweights, weights, mistake)
    dquery = np.einsum("nt,ntj->j", dscores, keys)
    dkeys = dscores[:, :, None] * query
    if mistake == "dropped-term":
        dkeys[:, 0] = 0.0
    # keys = sigmoid(x @ w + b)
    dsums = dkeys * sigmoid_slope_twice(sums, keys, mistake)
    into = keys if mistake == "dw-after-activation" else x
    dw = np.einsum("ntj,nti->ji" if mistake == "dw-transposed" else "ntj,nti->ij", dsums, into)
    if mistake == "exchanged":
        dquery, dout = dout, dquery
    return [dw, _bias(dsums, mistake), dquery, dout]


def _bias(dsums: Any, mistake: str) -> Any:
    if mistake == "bias-mean":
        return dsums.mean(axis=(0, 1))
    if mistake == "bias-unsummed":
        return dsums.sum(axis=1)
    return dsums.sum(axis=(0, 2) if mistake == "bias-wrong-axis" else (0, 1))


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    w, b = affine(rng, 3, 3)
    params = [1.5 * w, b, rng.normal(size=3), rng.normal(size=3)]
    return params, rng.normal(size=(5, 3, 3)), zero_or_one(rng, 5)


SUBJECTS = [
    Subject(
        "attention",
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
            "dw-after-activation",
            "sigmoid-of-z",
            "no-activation-derivative",
            "bce-extra-derivative",
            "softmax-diagonal",
            "softmax-wrong-axis",
            "ce-minus-missing",
            "update-before-use",
            "dropped-term",
            "exchanged",
        )
        | {"accumulates": Accumulating(_gradient)},
    ),
]
