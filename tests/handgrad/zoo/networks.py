"""Perceptrons: deep ones, and one for each activation."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import erfc

from models.numerics import (
    normal_density,
    rounded,
    sigmoid,
    sigmoid_derivative,
    softplus,
    tanh_derivative,
)
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.mlp import (
    Activation,
    Derivative,
    at_activated,
    draw_mlp,
    mlp_gradient,
    mlp_loss,
)
from tests.handgrad.zoo.mlp import mlp_mistakes as usual
from tests.handgrad.zoo.model import Gradient, Model


def perceptron(
    name: str,
    activation: Activation,
    by_hand: tuple[Activation, Derivative],
    draw: Any,
    mistakes: dict[str, Gradient],
) -> Model:
    """A model of `mlp_loss` with that activation, in JAX and with its derivative by hand."""
    return Model(
        name=name,
        loss=partial(mlp_loss, activation),
        gradient=mlp_gradient(*by_hand),
        draw=rounded(draw),
        mistakes=usual(*by_hand) | mistakes,
    )


TANH = (np.tanh, lambda z, a: tanh_derivative(z))
SIGMOID = (sigmoid, lambda z, a: sigmoid_derivative(z))
RELU = (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(z.dtype))
LEAKY = (lambda z: np.where(z > 0, z, 0.1 * z), lambda z, a: 0.1 + 0.9 * (z > 0).astype(z.dtype))
SOFTPLUS = (softplus, lambda z, a: sigmoid(z))
SWISH = (lambda z: z * sigmoid(z), lambda z, a: sigmoid(z) * (1 + z * sigmoid(-z)))
ELU = (
    lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    lambda z, a: np.exp(np.minimum(z, 0)),
)
SINE = (np.sin, lambda z, a: np.cos(z))


def normal_cdf(z: Any) -> Any:
    return erfc(-z * math.sqrt(0.5)) / 2


GELU = (lambda z: z * normal_cdf(z), lambda z, a: normal_cdf(z) + z * normal_density(z))
DEEP = (2, 3, 3, 3, 3, 1)

MODELS = [
    perceptron(
        *("deep-tanh", jnp.tanh, TANH, draw_mlp(*DEEP)),
        {
            "tanh-of-h": at_activated(*TANH),
            "tanh-linear": mlp_gradient(np.tanh, lambda z, a: 1 - a),
            "dx-untransposed": mlp_gradient(*TANH, untransposed=True),
            "dw-after-activation": mlp_gradient(*TANH, after_activation=True),
            "dw-transposed": m.transposed_leaf(mlp_gradient(*TANH), 4),
            "update-before-use": m.update_before_use(mlp_gradient(*TANH)),
        },
    ),
    perceptron(
        *("deep-sigmoid", jax.nn.sigmoid, SIGMOID, draw_mlp(*DEEP, n=5)),
        {
            "sigmoid-of-activation": at_activated(*SIGMOID),
            "sigmoid-of-z": mlp_gradient(sigmoid, lambda z, a: z * (1 - z)),
            "dx-untransposed": mlp_gradient(*SIGMOID, untransposed=True),
            "exchanged": m.exchanged(mlp_gradient(*SIGMOID), 2, 4),
        },
    ),
    perceptron(
        *("relu-network", jax.nn.relu, RELU, draw_mlp(3, 5, 5, 2, n=7)),
        {
            "relu-mask": mlp_gradient(RELU[0], lambda z, a: (z < 0).astype(z.dtype)),
            "relu-gates-by-value": mlp_gradient(RELU[0], lambda z, a: a),
        },
    ),
    perceptron(
        *("leaky-relu-network", partial(jax.nn.leaky_relu, negative_slope=0.1), LEAKY),
        *(draw_mlp(3, 5, 2, n=7),),
        {
            "slope-forgotten": mlp_gradient(LEAKY[0], RELU[1]),
            "default-slope": mlp_gradient(LEAKY[0], lambda z, a: np.where(z > 0, z / z, 0.01)),
        },
    ),
    perceptron(
        *("gelu-network", partial(jax.nn.gelu, approximate=False), GELU, draw_mlp(3, 5, 2, n=7)),
        {
            "gelu-of-activation": at_activated(*GELU),
            "gelu-cdf-only": mlp_gradient(GELU[0], lambda z, a: normal_cdf(z)),
            "gelu-approximate": mlp_gradient(
                GELU[0], lambda z, a: sigmoid(1.702 * z) * (1 + 1.702 * z * sigmoid(-1.702 * z))
            ),
            "density-without-half": mlp_gradient(
                GELU[0], lambda z, a: normal_cdf(z) + z * np.exp(-z * z) / math.sqrt(2 * math.pi)
            ),
        },
    ),
    perceptron(
        *("softplus-network", jax.nn.softplus, SOFTPLUS, draw_mlp(3, 5, 2, n=7, large=12.0)),
        {
            "softplus-of-activation": at_activated(*SOFTPLUS),
            "sigmoid-derivative": mlp_gradient(softplus, SIGMOID[1]),
        },
    ),
    perceptron(
        *("swish-network", jax.nn.swish, SWISH, draw_mlp(5, 3, 2, n=7)),
        {
            "gate-only": mlp_gradient(SWISH[0], lambda z, a: sigmoid(z)),
            "dropped-term": mlp_gradient(SWISH[0], lambda z, a: z * sigmoid_derivative(z)),
        },
    ),
    perceptron(
        *("elu-network", jax.nn.elu, ELU, draw_mlp(2, 5, 3, n=7)),
        {
            "elu-of-activation": mlp_gradient(ELU[0], lambda z, a: np.where(z > 0, z / z, a)),
            "exponential-everywhere": mlp_gradient(ELU[0], lambda z, a: np.exp(z)),
        },
    ),
    perceptron(
        *("sine-network", jnp.sin, SINE, draw_mlp(2, 5, 3, n=7)),
        {
            "cosine-of-sine": at_activated(*SINE),
            "cosine-sign": mlp_gradient(np.sin, lambda z, a: -np.cos(z)),
        },
    ),
]
