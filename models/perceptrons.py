"""Perceptrons of one loss, mean of (a_L w + b - y)²: deep ones, and one for each activation."""

import math
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import erfc

from manual.activations import sigmoid, sigmoid_derivative
from models.edits import Edit
from models.helpers import (
    everywhere,
    normal_density,
    one_element_off,
    sign_of_one_element,
    size,
    tanh_derivative,
    update_before_use,
)
from models.model import Rows
from models.networks import BACKWARD, RELU, RETURN, SQUARES, dense


def saturated_tanh_backward(da: Any, _: Any, z: Any) -> Any:
    # a = tanh(z), also where tanh rounds to 1
    return da * tanh_derivative(z)


def saturated_sigmoid_backward(da: Any, _: Any, z: Any) -> Any:
    # a = σ(z), also where σ rounds to 1
    return da * sigmoid_derivative(z)


def draw(rng: np.random.Generator, widths: tuple[int, ...], n: int = 7) -> Any:
    """Draw layers, x of shape (n, first width), y of shape (n, last width).

    In a fifth of the draws the first layer's weights and biases are large or small.
    """
    x = rng.normal(size=(n, widths[0]))
    layers = [
        (rng.normal(size=(n, k)) / n**0.5 + 0.1, rng.normal(size=k) / 2)
        for n, k in pairwise(widths)
    ]
    factor, (w, b) = size(rng, large=4.0), layers[0]
    return [(factor * w, factor * b), *layers[1:]], x, rng.normal(size=(n, widths[-1]))


def normal_cdf(z: Any) -> Any:
    return erfc(-z * math.sqrt(0.5)) / 2


def gelu(z: Any) -> Any:
    return z * normal_cdf(z)


def gelu_backward(da: Any, _: Any, z: Any) -> Any:
    # a = z Φ(z)
    return da * (normal_cdf(z) + z * normal_density(z))


def slope(new: str) -> Edit:
    """Return the edit that takes another derivative of the activation, an expression in z and a."""
    return BACKWARD, f"a, z = hs[i], zs[i - 1]\ndz = dh * {new} if i else dh"


UNTRANSPOSED = "dh = dz @ (w if len(w) == len(w.T) else w.T)"

USUAL: Rows = {
    "no-activation-derivative": slope("(1 + 0 * z)"),
    **{slug: everywhere(slug) for slug in ("half-mse", "bias-mean")},
    "one-element-off": one_element_off,
    "sign-of-one-element": partial(sign_of_one_element, rank=0.7),
}

#: In JAX, in NumPy, and backwards.
TANH = jnp.tanh, np.tanh, saturated_tanh_backward
SIGMOID = jax.nn.sigmoid, sigmoid, saturated_sigmoid_backward

DEEP = (2, 3, 3, 3, 3, 1)

MODELS = [
    dense(
        *("deep-tanh", TANH, SQUARES, partial(draw, widths=DEEP, n=3)),
        {
            **USUAL,
            "tanh-of-h": slope("tanh_derivative(a)"),
            "tanh-linear": slope("(1 - a)"),
            "dx-untransposed": UNTRANSPOSED,
            "dw-after-activation": ("hs[i], w,", "hs[i + 1 if i in (1, 2, 3) else i], w,"),
            "dw-transposed": "dw = dw.T.copy() if i == 2 else dw",
            "update-before-use": update_before_use,
        },
    ),
    dense(
        *("deep-sigmoid", SIGMOID, SQUARES, partial(draw, widths=DEEP, n=5)),
        {
            **USUAL,
            "sigmoid-of-activation": slope("sigmoid_derivative(a)"),
            "sigmoid-of-z": slope("z * (1 - z)"),
            "dx-untransposed": UNTRANSPOSED,
            "exchanged": (
                *(RETURN, f"(w, b), (v, c) = grads[1:3]\ngrads[1:3] = (v, b), (w, c)\n{RETURN}"),
            ),
        },
    ),
    dense(
        *("relu-network", RELU, SQUARES, partial(draw, widths=(3, 5, 5, 2))),
        {**USUAL, "relu-mask": slope("(z < 0).astype(z.dtype)"), "relu-gates-by-value": slope("a")},
    ),
    dense(
        *("gelu-network", (partial(jax.nn.gelu, approximate=False), gelu, gelu_backward)),
        *(SQUARES, partial(draw, widths=(3, 5, 2))),
        {
            **USUAL,
            "gelu-of-activation": slope("(normal_cdf(a) + a * normal_density(a))"),
            "gelu-cdf-only": slope("normal_cdf(z)"),
            "gelu-approximate": slope(
                "(sigmoid(1.702 * z) * (1 + 1.702 * z * sigmoid(-1.702 * z)))"
            ),
            "density-without-half": slope(
                "(normal_cdf(z) + z * np.exp(-z * z) / math.sqrt(2 * math.pi))"
            ),
        },
    ),
]
