"""A 1-D convolution with relu and one binary output; and a point where a pre-activation is 0."""

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
    relu_backward,
    sigmoid,
    usual,
)
from models.model import Mistake, Model

Params = dict[str, Any]


def loss(params: Params, x: Any, y: Any) -> Any:
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


def gradient(params: Params, x: Any, y: Any) -> Params:
    kernel, dense = params["kernel"], params["dense"]
    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
    z = windows @ kernel + params["bias"]
    h = np.maximum(z, 0)
    p = sigmoid((h * dense).sum(axis=(1, 2)) + params["offset"])
    # mean(-y * log(p) - (1 - y) * log(1 - p)), p = sigmoid(logits)
    dlogits = binary_cross_entropy_backward(p, y) / examples(y)
    # logits = sum(h * dense) + offset
    ddense = np.tensordot(dlogits, h, axes=1)
    doffset = dlogits.sum()
    dh = dlogits[:, None, None] * dense
    # h = relu(z)
    dz = relu_backward(dh, z)
    # z[n, p] = x[n, p:p + k] @ kernel + bias
    dkernel = np.tensordot(windows, dz, axes=([0, 1], [0, 1]))
    # The bias of a channel is added in every example and at every position.
    dbias = dz.sum(axis=(0, 1))
    return {"kernel": dkernel, "bias": dbias, "dense": ddense, "offset": doffset}


def draw(rng: np.random.Generator) -> Any:
    (kernel, bias), (dense, offset) = affine(rng, 3, 2), affine(rng, 5, 2)
    params = {"kernel": kernel, "bias": bias, "dense": dense, "offset": offset[0]}
    return params, rng.normal(size=(5, 7)), zero_or_one(rng, 5)


def draw_tie(rng: np.random.Generator) -> Any:
    """Draw one window of zeros, and a channel with bias 0: one pre-activation is exactly 0."""
    params, x, y = draw(rng)
    x[1, 2:5], params["bias"][0] = 0.0, 0.0
    return params, x, y


BIAS_MEAN: Mistake = [
    ("dz.sum(axis=(0, 1))", "dz.mean(axis=(0, 1))"),
    ("dlogits.sum()", "dlogits.mean()"),
]

MODELS = [
    Model(
        *("convolution", loss, gradient, draw),
        {
            **usual(*MEANS, "residual-sign"),
            "bias-mean": BIAS_MEAN,
            "bias-unsummed": ("dz.sum(axis=(0, 1))", "dz.sum(axis=0)"),
            "bias-wrong-axis": ("dz.sum(axis=(0, 1))", "dz.sum(axis=(0, 2))"),
            "dw-transposed": ("np.tensordot(windows, dz", "np.tensordot(dz, windows"),
            **usual("no-activation-derivative", "bce-extra-derivative", "ce-minus-missing"),
            **usual("relu-mask"),
            "update-before-use": ("None] * dense", "None] * (dense - STEP * ddense)"),
            # The last position of the kernel stands still.
            "dropped-term": ("tensordot(windows, dz", "tensordot(windows[:, :-1], dz[:, :-1]"),
            "accumulates": accumulates,
        },
    ),
    Model(
        *("convolution-tie", loss, gradient, draw_tie),
        {**usual("relu-at-zero", "residual-sign"), "bias-mean": BIAS_MEAN},
    ),
]
