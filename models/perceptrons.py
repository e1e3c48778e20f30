"""Perceptrons of one loss, mean of (a_L w + b - y)²: deep ones, and one for each activation."""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import erfc

from models.edits import Edit
from models.helpers import (
    normal_density,
    one_element_off,
    sigmoid,
    sigmoid_derivative,
    sign_of_one_element,
    size,
    tanh_derivative,
    update_before_use,
)
from models.model import Draw, Model, Written, of_loss

Function = Callable[[Any], Any]


def loss(activation: Function, params: Any, x: Any, y: Any) -> Any:
    *hidden, (w, b) = params
    for w_k, b_k in hidden:
        x = activation(x @ w_k + b_k[None, :])
    return jnp.mean(jnp.square(x @ w + b[None, :] - y))


def gradient(activation: Function, derivative: Function, params: Any, x: Any, y: Any) -> Any:
    inputs, zs, a = [], [], x
    for w, b in params:
        # z_k = a_k-1 @ w_k + b_k
        inputs.append(a)
        zs.append(a @ w + b[None, :])
        # a_k = activation(z_k)
        a = activation(zs[-1])
    # L = mean((z_L - y)²)
    dz = 2 * (zs[-1] - y) / y.size
    grads = []
    for k in reversed(range(len(params))):
        # z_k = a @ w_k + b_k
        w, a = params[k][0], inputs[k]
        grads.append((a.T @ dz, dz.sum(axis=0)))
        da = dz @ w.T
        if k:
            # a = activation(z)
            z = zs[k - 1]
            dz = da * derivative(z)
    return grads[::-1]


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


def relu(z: Any) -> Any:
    return np.maximum(z, 0)


def relu_derivative(z: Any) -> Any:
    return (z > 0).astype(z.dtype)


def gelu(z: Any) -> Any:
    return z * normal_cdf(z)


def gelu_derivative(z: Any) -> Any:
    return normal_cdf(z) + z * normal_density(z)


def slope(new: str) -> Edit:
    """Return the edit that takes another derivative of the activation, an expression in z and a."""
    return "derivative(z)\n", new + "\n"


RESULT = "return grads[::-1]"
AT_ACTIVATED = slope("derivative(a)")
UNTRANSPOSED = ("dz @ w.T", "dz @ (w if len(w) == len(w.T) else w.T)")

USUAL: dict[str, Written] = {
    "no-activation-derivative": slope("(1 + 0 * z)"),
    "half-mse": ("2 * (zs[-1]", "(zs[-1]"),
    "bias-mean": ("dz.sum(axis=0)", "dz.mean(axis=0)"),
    "one-element-off": one_element_off,
    "sign-of-one-element": partial(sign_of_one_element, rank=0.7),
}


def perceptron(
    name: str,
    activation: Function,
    by_hand: tuple[Function, Function],
    draw: Draw,
    mistakes: dict[str, Written],
) -> Model:
    """Make a model with an activation, given in JAX and with its derivative by hand."""
    return of_loss(
        name, partial(loss, activation), partial(gradient, *by_hand), draw, USUAL | mistakes
    )


def drawn(*widths: int, **options: Any) -> Draw:
    return partial(draw_layers, widths=widths, **options)


DEEP = (2, 3, 3, 3, 3, 1)

MODELS = [
    perceptron(
        *("deep-tanh", jnp.tanh, (np.tanh, tanh_derivative), drawn(*DEEP, n=3)),
        {
            "tanh-of-h": AT_ACTIVATED,
            "tanh-linear": slope("(1 - a)"),
            "dx-untransposed": UNTRANSPOSED,
            "dw-after-activation": (
                "grads.append(",
                "a = inputs[k + 1] if k in (1, 2, 3) else a\ngrads.append(",
            ),
            "dw-transposed": (RESULT, f"grads[2] = (grads[2][0].T.copy(), grads[2][1])\n{RESULT}"),
            "update-before-use": update_before_use,
        },
    ),
    perceptron(
        *("deep-sigmoid", jax.nn.sigmoid, (sigmoid, sigmoid_derivative), drawn(*DEEP, n=5)),
        {
            "sigmoid-of-activation": AT_ACTIVATED,
            "sigmoid-of-z": slope("z * (1 - z)"),
            "dx-untransposed": UNTRANSPOSED,
            "exchanged": (
                *(RESULT, f"(v, c), (w, b) = grads[2:4]\ngrads[2:4] = (w, c), (v, b)\n{RESULT}"),
            ),
        },
    ),
    perceptron(
        *("relu-network", jax.nn.relu, (relu, relu_derivative), drawn(3, 5, 5, 2)),
        {"relu-mask": slope("(z < 0).astype(z.dtype)"), "relu-gates-by-value": slope("a")},
    ),
    perceptron(
        *("gelu-network", partial(jax.nn.gelu, approximate=False)),
        *((gelu, gelu_derivative), drawn(3, 5, 2)),
        {
            "gelu-of-activation": AT_ACTIVATED,
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
