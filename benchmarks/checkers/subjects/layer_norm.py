"""Layer normalisation before a tanh, squared errors: (z - mean) / sd, times gain, plus shift."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import layers
from benchmarks.checkers.subjects.lines import (
    affine_backward,
    bias_backward,
    elements,
    squared_error_backward,
    tanh_slope,
)
from benchmarks.checkers.subjects.planting import Accumulating, planted

TINY = 1e-5


class Normalised(NamedTuple):
    """The parameters; w and the normalisation are as wide as the input."""

    w: Any
    gain: Any
    shift: Any
    out: Any
    out_bias: Any


def _loss(net: Normalised, x: Any, y: Any) -> Any:
    """The mean over examples and outputs: x of shape (n, 5), y of shape (n, 2)."""
    z = x @ net.w
    centred = z - z.mean(axis=-1, keepdims=True)
    hat = centred / jnp.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    h = jnp.tanh(hat * net.gain[None, :] + net.shift[None, :])
    return jnp.mean((h @ net.out + net.out_bias[None, :] - y) ** 2)


def _gradient(net: Normalised, x: Any, y: Any, mistake: str = "") -> Normalised:
    z = x @ net.w
    sd = np.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    hat = (z - z.mean(axis=-1, keepdims=True)) / sd
    h = np.tanh(hat * net.gain + net.shift)
    # mean((h @ out + out_bias - y) ** 2)
    errors = squared_error_backward(h @ net.out + net.out_bias, y, mistake)
    dout, dout_bias, dh = affine_backward(errors / elements(y, mistake), h, net.out, _late(mistake))
    # h = tanh(u)
    du = dh * tanh_slope(h, mistake)
    # u = hat * gain + shift
    dgain, dshift = (du * hat).sum(axis=0), bias_backward(du, mistake)
    # hat = (z - mean(z)) / sd
    dz = _normalise_backward(du * net.gain, hat, sd, mistake)
    # z = x @ w
    into = h if mistake == "dw-after-activation" else x
    dw = dz.T @ into if mistake == "dw-transposed" else into.T @ dz
    if mistake == "exchanged":
        dgain, dshift = dshift, dgain
    return Normalised(dw, dgain, dshift, dout, dout_bias)


def _normalise_backward(dhat: Any, hat: Any, sd: Any, mistake: str) -> Any:
    """The mean and the standard deviation depend on every element of a row."""
    through_mean = dhat.mean(axis=-1, keepdims=True)
    through_sd = hat * (dhat * hat).mean(axis=-1, keepdims=True)
    if mistake == "dropped-term":
        return (dhat - through_mean) / sd
    return (dhat - through_mean - through_sd) / sd


def _late(mistake: str) -> str:
    """The mistakes of the last layer; its weights are not square."""
    return mistake if mistake in ("bias-mean", "bias-unsummed", "update-before-use") else ""


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (w, shift), (out, out_bias) = layers(rng, 5, 5, 2)
    net = Normalised(w, rng.uniform(0.6, 1.2, size=5), shift, out, out_bias)
    return net, rng.normal(size=(5, 5)), rng.normal(size=(5, 2))


SUBJECTS = [
    Subject(
        "layer-norm",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "missing-square",
            "half-mse",
            "missing-mean",
            "double-mean",
            "mean-over-outputs",
            "residual-sign",
            "bias-mean",
            "bias-unsummed",
            "bias-wrong-axis",
            "dw-transposed",
            "dw-after-activation",
            "tanh-linear",
            "tanh-of-h",
            "no-activation-derivative",
            "update-before-use",
            "dropped-term",
            "exchanged",
        )
        | {"accumulates": Accumulating(_gradient)},
    ),
]
