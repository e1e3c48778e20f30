"""Multi-layer perceptrons that differ by their activation: mean of (a_L w + b - y)²."""

import itertools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.numerics import size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient

Activation = Callable[[Any], Any]
Derivative = Callable[[Any, Any], Any]  #: of z and a = activation(z)


def mlp_loss(activation: Activation, params: Any, x: Any, y: Any) -> Any:
    *hidden, (w, b) = params
    for w_k, b_k in hidden:
        x = activation(x @ w_k + b_k[None, :])
    return jnp.mean(jnp.square(x @ w + b[None, :] - y))


def mlp_gradient(
    activation: Activation,
    derivative: Derivative,
    *,
    square: float = 2.0,
    after_activation: bool = False,
    untransposed: bool = False,
    bias: Callable[[Any], Any] = lambda dz: dz.sum(axis=0),
) -> Gradient:
    """The right gradient, or with one of its factors replaced."""

    def gradient(params: Any, x: Any, y: Any) -> list[tuple[Any, Any]]:
        inputs, zs, a = [], [], x
        for w, b in params:
            # z_k = a_k-1 @ w_k + b_k
            inputs.append(a)
            zs.append(a @ w + b[None, :])
            # a_k = activation(z_k)
            a = activation(zs[-1])
        # L = mean((z_L - y)²)
        dz = square * (zs[-1] - y) / y.size
        grads = [(inputs[-1].T @ dz, bias(dz))]
        for k in reversed(range(len(params) - 1)):
            # z_k+1 = a_k @ w_k+1 + b_k+1
            w = params[k + 1][0]
            da = dz @ w if untransposed and w.shape[0] == w.shape[1] else dz @ w.T
            # a_k = activation(z_k)
            dz = da * derivative(zs[k], inputs[k + 1])
            # z_k = a_k-1 @ w_k + b_k
            same = inputs[k].shape == inputs[k + 1].shape
            a = inputs[k + 1] if after_activation and same else inputs[k]
            grads.append((a.T @ dz, bias(dz)))
        return grads[::-1]

    return gradient


def mlp_mistakes(activation: Activation, derivative: Derivative) -> dict[str, Gradient]:
    """Those that every perceptron can have."""
    right = mlp_gradient(activation, derivative)
    return {
        "no-activation-derivative": mlp_gradient(activation, lambda z, a: 1 + 0 * z),
        "half-mse": mlp_gradient(activation, derivative, square=1.0),
        "bias-mean": mlp_gradient(activation, derivative, bias=lambda dz: dz.mean(axis=0)),
        "one-element-off": m.one_element_off(right),
        "sign-of-one-element": m.sign_of_one_element(right, rank=0.7),
    }


def at_activated(activation: Activation, derivative: Derivative) -> Gradient:
    """The activation's derivative is taken at a in place of z."""
    return mlp_gradient(activation, lambda z, a: derivative(a, activation(a)))


def draw_layers(rng: np.random.Generator, *widths: int, large: float = 4.0) -> list[Any]:
    """Weights and biases; in a fifth of the draws the first layer's are large or small."""
    layers = [
        (rng.normal(size=(n, k)) / n**0.5 + 0.1, rng.normal(size=k) / 2)
        for n, k in itertools.pairwise(widths)
    ]
    factor = size(rng, large)
    layers[0] = (factor * layers[0][0], factor * layers[0][1])
    return layers


def draw_mlp(*widths: int, n: int = 3, large: float = 4.0) -> Callable[[np.random.Generator], Any]:
    """The layers, x of shape (n, first width), y of shape (n, last width)."""

    def draw(rng: np.random.Generator) -> Any:
        x = rng.normal(size=(n, widths[0]))
        return draw_layers(rng, *widths, large=large), x, rng.normal(size=(n, widths[-1]))

    return draw
