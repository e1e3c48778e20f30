"""The article's network of nine numbers."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import (
    bernoulli_delta,
    rounded,
    sigmoid,
    sigmoid_derivative,
    size,
)
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.mlp import Activation
from tests.handgrad.zoo.model import Model


class Nine(NamedTuple):
    """The article's parameters, nine numbers."""

    w1: Any
    w2: Any
    w3: Any
    w4: Any
    w5: Any
    w6: Any
    b1: Any
    b2: Any
    b3: Any


def article_loss(p: Nine, x: Any, y: Any) -> Any:
    """Two inputs, two hidden sigmoids, one sigmoid: (y - ypred)²."""
    h1 = jax.nn.sigmoid(p.w1 * x[0] + p.w2 * x[1] + p.b1)
    h2 = jax.nn.sigmoid(p.w3 * x[0] + p.w4 * x[1] + p.b2)
    return jnp.square(y - jax.nn.sigmoid(p.w5 * h1 + p.w6 * h2 + p.b3))


def article_gradient(derivative: Activation = sigmoid_derivative, at_hidden: bool = False) -> Any:
    def gradient(p: Nine, x: Any, y: Any) -> Nine:
        z1 = p.w1 * x[0] + p.w2 * x[1] + p.b1
        z2 = p.w3 * x[0] + p.w4 * x[1] + p.b2
        h1, h2 = sigmoid(z1), sigmoid(z2)
        z3 = p.w5 * h1 + p.w6 * h2 + p.b3
        # L = (y - ypred)², ypred = sigmoid(z3)
        dz3 = 2 * bernoulli_delta(z3, y) * derivative(z3)
        # z3 = w5 h1 + w6 h2 + b3, h1 = sigmoid(z1), h2 = sigmoid(z2)
        dz1 = dz3 * p.w5 * derivative(h1 if at_hidden else z1)
        dz2 = dz3 * p.w6 * derivative(h2 if at_hidden else z2)
        # z1 = w1 x1 + w2 x2 + b1, z2 = w3 x1 + w4 x2 + b2
        first = (dz1 * x[0], dz1 * x[1], dz2 * x[0], dz2 * x[1])
        return Nine(*first, dz3 * h1, dz3 * h2, dz1, dz2, dz3)

    return gradient


def draw_article(rng: np.random.Generator) -> Any:
    params = Nine(*(size(rng, large=4.0) * rng.normal(size=9)))
    return params, rng.normal(size=2) * [6, 9], rng.integers(0, 2) * 1.0


ARTICLE = Model(
    name="article-network",
    loss=article_loss,
    gradient=article_gradient(),
    draw=rounded(draw_article),
    mistakes={
        "sigmoid-of-z": article_gradient(lambda z: z * (1 - z)),
        "sigmoid-of-activation": article_gradient(at_hidden=True),
        "no-activation-derivative": article_gradient(lambda z: 1 + 0 * z),
        "residual-sign": m.scaled(article_gradient(), -1.0),
        "half-mse": m.scaled(article_gradient(), 0.5),
        "exchanged": m.exchanged(article_gradient(), 4, 5),
        "dropped-term": m.zeroed_leaf(article_gradient(), 8),
        "one-element-off": m.one_element_off(article_gradient()),
    },
)

MODELS = [ARTICLE]
