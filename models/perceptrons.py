"""Perceptrons of one loss, mean of (a_L w + b - y)²: deep ones, and one for each activation."""

import itertools
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import erfc

from models.edits import Edit
from models.helpers import (
    everywhere,
    normal_density,
    one_element_off,
    sigmoid,
    sigmoid_derivative,
    sign_of_one_element,
    size,
    tanh_derivative,
    update_before_use,
)
from models.model import Draw, Model, Written
from models.networks import BACKWARD, RETURN, dense, error_backward, gated_backward, relu

Activation = tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]


def tanh_backward(da: Any, _: Any, z: Any) -> Any:
    # a = tanh(z), also where tanh rounds to 1
    return da * tanh_derivative(z)


def sigmoid_backward(da: Any, _: Any, z: Any) -> Any:
    # a = σ(z), also where σ rounds to 1
    return da * sigmoid_derivative(z)


def draw_layers(
    rng: np.random.Generator, widths: tuple[int, ...], n: int = 7, large: float = 4.0
) -> Any:
    """Draw layers, x of shape (n, first width), y of shape (n, last width).

    In a fifth of the draws the first layer's weights and biases are large or small.
    """
    x = rng.normal(size=(n, widths[0]))
    layers = [
        (rng.normal(size=(n, k)) / n**0.5 + 0.1, rng.normal(size=k) / 2)
        for n, k in itertools.pairwise(widths)
    ]
    factor = size(rng, large)
    layers[0] = (factor * layers[0][0], factor * layers[0][1])
    return layers, x, rng.normal(size=(n, widths[-1]))


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


UNTRANSPOSED: Written = [
    {"affine_backward": ("dz @ w.T", "dz @ (w if len(w) == len(w.T) else w.T)")}
]

USUAL: dict[str, Written] = {
    "no-activation-derivative": slope("(1 + 0 * z)"),
    **{slug: [everywhere(slug)] for slug in ("half-mse", "bias-mean")},
    "one-element-off": one_element_off,
    "sign-of-one-element": partial(sign_of_one_element, rank=0.7),
}


def perceptron(
    name: str, activation: Activation, draw: Draw, mistakes: Mapping[str, Written]
) -> Model:
    """Make a model with an activation, in JAX, in NumPy, and backwards."""
    return dense(name, activation, SQUARES, draw, {**USUAL, **mistakes})


def drawn(*widths: int, **options: Any) -> Draw:
    return partial(draw_layers, widths=widths, **options)


#: mean (z - y)², and its derivative.
SQUARES = (lambda z, y: jnp.mean(jnp.square(z - y))), error_backward

#: In JAX, in NumPy, and backwards.
TANH: Activation = jnp.tanh, np.tanh, tanh_backward
SIGMOID: Activation = jax.nn.sigmoid, sigmoid, sigmoid_backward
RELU: Activation = jax.nn.relu, relu, gated_backward

DEEP = (2, 3, 3, 3, 3, 1)

MODELS = [
    perceptron(
        *("deep-tanh", TANH, drawn(*DEEP, n=3)),
        {
            "tanh-of-h": slope("tanh_derivative(a)"),
            "tanh-linear": slope("(1 - a)"),
            "dx-untransposed": UNTRANSPOSED,
            "dw-after-activation": (*("hs[i], w,", "hs[i + 1] if i in (1, 2, 3) else hs[i], w,"),),
            "dw-transposed": (RETURN, f"grads[2] = (grads[2][0].T.copy(), grads[2][1])\n{RETURN}"),
            "update-before-use": update_before_use,
        },
    ),
    perceptron(
        *("deep-sigmoid", SIGMOID, drawn(*DEEP, n=5)),
        {
            "sigmoid-of-activation": slope("sigmoid_derivative(a)"),
            "sigmoid-of-z": slope("z * (1 - z)"),
            "dx-untransposed": UNTRANSPOSED,
            "exchanged": (
                *(RETURN, f"(w, b), (v, c) = grads[1:3]\ngrads[1:3] = (v, b), (w, c)\n{RETURN}"),
            ),
        },
    ),
    perceptron(
        *("relu-network", RELU, drawn(3, 5, 5, 2)),
        {"relu-mask": slope("(z < 0).astype(z.dtype)"), "relu-gates-by-value": slope("a")},
    ),
    perceptron(
        "gelu-network",
        (partial(jax.nn.gelu, approximate=False), gelu, gelu_backward),
        drawn(3, 5, 2),
        {
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
