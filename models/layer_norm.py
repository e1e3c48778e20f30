"""Layer normalisation before a tanh, squared errors: (z - mean) / sd, times gain, plus shift."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from models.answers import accumulates
from models.draws import layers
from models.lines import (
    MEANS,
    also,
    bias_backward,
    elements,
    squared_error_backward,
    tanh_slope,
    usual,
)
from models.model import Model

TINY = 1e-5


class Normalised(NamedTuple):
    """The parameters; w and the normalisation are as wide as the input."""

    w: Any
    gain: Any
    shift: Any
    out: Any
    out_bias: Any


def loss(net: Normalised, x: Any, y: Any) -> Any:
    """The mean over examples and outputs: x of shape (n, 5), y of shape (n, 2)."""
    z = x @ net.w
    centred = z - z.mean(axis=-1, keepdims=True)
    hat = centred / jnp.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    h = jnp.tanh(hat * net.gain[None, :] + net.shift[None, :])
    return jnp.mean((h @ net.out + net.out_bias[None, :] - y) ** 2)


def gradient(net: Normalised, x: Any, y: Any) -> Normalised:
    z = x @ net.w
    sd = np.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    hat = (z - z.mean(axis=-1, keepdims=True)) / sd
    h = np.tanh(hat * net.gain + net.shift)
    # mean((h @ out + out_bias - y) ** 2)
    errors = squared_error_backward(h @ net.out + net.out_bias, y) / elements(y)
    # h @ out + out_bias; out is not square
    dout = h.T @ errors
    dout_bias = errors.sum(axis=0)
    dh = errors @ net.out.T
    # h = tanh(u)
    du = dh * tanh_slope(h)
    # u = hat * gain + shift
    dgain, dshift = (du * hat).sum(axis=0), bias_backward(du)
    # hat = (z - mean(z)) / sd
    dz = normalise_backward(du * net.gain, hat, sd)
    # z = x @ w
    dw = x.T @ dz
    return Normalised(dw, dgain, dshift, dout, dout_bias)


def normalise_backward(dhat: Any, hat: Any, sd: Any) -> Any:
    """The mean and the standard deviation depend on every element of a row."""
    through_mean = dhat.mean(axis=-1, keepdims=True)
    through_sd = hat * (dhat * hat).mean(axis=-1, keepdims=True)
    return (dhat - through_mean - through_sd) / sd


def draw(rng: np.random.Generator) -> Any:
    (w, shift), (out, out_bias) = layers(rng, 5, 5, 2)
    net = Normalised(w, rng.uniform(0.6, 1.2, size=5), shift, out, out_bias)
    return net, rng.normal(size=(5, 5)), rng.normal(size=(5, 2))


MODELS = [
    Model(
        *("layer-norm", loss, gradient, draw),
        {
            **usual("missing-square", "half-mse", *MEANS, "mean-over-outputs", "residual-sign"),
            **also("bias-mean", ("errors.sum(axis=0)", "errors.mean(axis=0)")),
            **also("bias-unsummed", ("errors.sum(axis=0)", "errors")),
            **usual("bias-wrong-axis"),
            "dw-transposed": ("x.T @ dz", "dz.T @ x"),
            "dw-after-activation": ("x.T @ dz", "h.T @ dz"),
            **usual("tanh-linear", "tanh-of-h", "no-activation-derivative"),
            "update-before-use": ("errors @ net.out.T", "errors @ (net.out - STEP * dout).T"),
            "dropped-term": ("(dhat - through_mean - through_sd)", "(dhat - through_mean)"),
            "exchanged": ("(dw, dgain, dshift,", "(dw, dshift, dgain,"),
            "accumulates": accumulates,
        },
    ),
]
