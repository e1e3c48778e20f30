"""A convolution along a line of numbers, relu, one output of yes or no; and where a sum is 0."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, zero_or_one
from benchmarks.checkers.subjects.lines import (
    binary_cross_entropy_backward,
    examples,
    relu_backward,
    sigmoid,
)
from benchmarks.checkers.subjects.planting import STEP, Accumulating, planted

Params = dict[str, Any]


def _loss(params: Params, x: Any, y: Any) -> Any:
    """x (n, length), y (n,); kernel (k, channels), dense (positions, channels), offset a scalar."""
    z = jax.lax.conv_general_dilated(
        x[:, :, None],
        params["kernel"][:, None, :],
        window_strides=(1,),
        padding="VALID",
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    h = jax.nn.relu(z + params["bias"][None, None, :])
    logits = jnp.einsum("npc,pc->n", h, params["dense"]) + params["offset"]
    p = jax.nn.sigmoid(logits)
    return jnp.mean(-y * jnp.log(p) - (1 - y) * jnp.log1p(-p))


def _gradient(params: Params, x: Any, y: Any, mistake: str = "") -> Params:
    kernel, dense = params["kernel"], params["dense"]
    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
    z = windows @ kernel + params["bias"]
    h = np.maximum(z, 0)
    p = sigmoid((h * dense).sum(axis=(1, 2)) + params["offset"])
    # mean(-y * log(p) - (1 - y) * log(1 - p)), p = sigmoid(logits)
    dlogits = binary_cross_entropy_backward(p, y, mistake) / examples(y, mistake)
    # logits = sum(h * dense) + offset
    ddense = np.tensordot(dlogits, h, axes=1)
    if mistake == "update-before-use":
        dense = dense - STEP * ddense
    dh = dlogits[:, None, None] * dense
    # h = relu(z)
    dz = relu_backward(dh, z, mistake)
    # z[n, p] = x[n, p:p + k] @ kernel + bias
    dkernel = np.tensordot(windows, dz, axes=([0, 1], [0, 1]))
    if mistake == "dw-transposed":
        dkernel = np.tensordot(dz, windows, axes=([0, 1], [0, 1]))
    if mistake == "dropped-term":
        # The last position of the kernel stands still.
        dkernel = np.tensordot(windows[:, :-1], dz[:, :-1], axes=([0, 1], [0, 1]))
    grads = {"kernel": dkernel, "bias": _bias(dz, mistake), "dense": ddense}
    offset = dlogits.mean() if mistake == "bias-mean" else dlogits.sum()
    return grads | {"offset": offset}


def _bias(dz: Any, mistake: str) -> Any:
    """The bias of a channel is added in every example and at every position."""
    if mistake == "bias-mean":
        return dz.mean(axis=(0, 1))
    if mistake == "bias-unsummed":
        return dz.sum(axis=0)
    return dz.sum(axis=(0, 2)) if mistake == "bias-wrong-axis" else dz.sum(axis=(0, 1))


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (kernel, bias), (dense, offset) = affine(rng, 3, 2), affine(rng, 5, 2)
    params = {"kernel": kernel, "bias": bias, "dense": dense, "offset": offset[0]}
    return params, rng.normal(size=(5, 7)), zero_or_one(rng, 5)


def _draw_tie(rng: np.random.Generator) -> tuple[Any, ...]:
    """One window of zeros, and a channel without a bias: one sum is exactly 0."""
    params, x, y = _draw(rng)
    x[1, 2:5], params["bias"][0] = 0.0, 0.0
    return params, x, y


SUBJECTS = [
    Subject(
        "convolution",
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
            "no-activation-derivative",
            "bce-extra-derivative",
            "ce-minus-missing",
            "relu-mask",
            "update-before-use",
            "dropped-term",
        )
        | {"accumulates": Accumulating(_gradient)},
    ),
    Subject(
        "convolution-tie",
        _loss,
        _gradient,
        _draw_tie,
        planted(_gradient, "relu-at-zero", "residual-sign", "bias-mean"),
    ),
]
