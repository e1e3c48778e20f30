"""The article's network of two inputs, two hidden units and one output, in scalars.

Once for several people with a dict of parameters, once for one person with all nine in one array.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import accumulates
from models.lines import sigmoid, sigmoid_slope, usual
from models.model import Mistake, Model

NAMES = ("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")


def people_loss(params: Any, x: Any, y: Any) -> Any:
    """Mean squared error: x of shape (n, 2), y of shape (n,)."""
    p = params
    h1 = jax.nn.sigmoid(p["w1"] * x[:, 0] + p["w2"] * x[:, 1] + p["b1"])
    h2 = jax.nn.sigmoid(p["w3"] * x[:, 0] + p["w4"] * x[:, 1] + p["b2"])
    ypred = jax.nn.sigmoid(p["w5"] * h1 + p["w6"] * h2 + p["b3"])
    return jnp.mean((y - ypred) ** 2)


def person_loss(theta: Any, x: Any, y: Any) -> Any:
    """The squared error of one person: theta of shape (9,), x of shape (2,), y a scalar."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = theta
    h1 = 1 / (1 + jnp.exp(-(w1 * x[0] + w2 * x[1] + b1)))
    h2 = 1 / (1 + jnp.exp(-(w3 * x[0] + w4 * x[1] + b2)))
    ypred = 1 / (1 + jnp.exp(-(w5 * h1 + w6 * h2 + b3)))
    return (y - ypred) ** 2


def partials(params: Any, x: Any, y: Any) -> list[Any]:
    """The nine derivatives, each the sum over people."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    x1, x2 = x
    sum_h1 = w1 * x1 + w2 * x2 + b1
    sum_h2 = w3 * x1 + w4 * x2 + b2
    h1, h2 = sigmoid(sum_h1), sigmoid(sum_h2)
    sum_o1 = w5 * h1 + w6 * h2 + b3
    ypred = sigmoid(sum_o1)
    # L = mean((y - ypred) ** 2), ypred = sigmoid(sum_o1)
    d_ypred = -2 * (y - ypred) / np.size(y)
    d_sum_o1 = d_ypred * sigmoid_slope(sum_o1, ypred)
    # sum_o1 = w5 * h1 + w6 * h2 + b3
    d_w5, d_w6 = np.sum(d_sum_o1 * h1), np.sum(d_sum_o1 * h2)
    d_h1, d_h2 = d_sum_o1 * w5, d_sum_o1 * w6
    # h1 = sigmoid(sum_h1), h2 = sigmoid(sum_h2)
    d_sum_h1 = d_h1 * sigmoid_slope(sum_h1, h1)
    d_sum_h2 = d_h2 * sigmoid_slope(sum_h2, h2)
    # sum_h1 = w1 * x1 + w2 * x2 + b1, sum_h2 = w3 * x1 + w4 * x2 + b2
    d_w1, d_w2 = np.sum(d_sum_h1 * x1), np.sum(d_sum_h1 * x2)
    d_w3, d_w4 = np.sum(d_sum_h2 * x1), np.sum(d_sum_h2 * x2)
    d_b1, d_b2, d_b3 = map(np.sum, (d_sum_h1, d_sum_h2, d_sum_o1))
    return [d_w1, d_w2, d_w3, d_w4, d_w5, d_w6, d_b1, d_b2, d_b3]


def people_gradient(params: Any, x: Any, y: Any) -> Any:
    grads = partials([params[name] for name in NAMES], x.T, y)
    return dict(zip(NAMES, grads, strict=True))


def person_gradient(theta: Any, x: Any, y: Any) -> Any:
    grads = partials(theta, x, y)
    return np.array(grads)


def draw_people(rng: np.random.Generator) -> Any:
    params = {name: np.float64(rng.normal(0.2, 0.8)) for name in NAMES}
    return params, rng.normal(size=(5, 2)), np.array([1.0, 0.0, 0.0, 1.0, 1.0])


def draw_person(rng: np.random.Generator) -> Any:
    return rng.normal(0.2, 0.8, size=9), rng.normal(size=2), np.float64(rng.integers(2))


OF_ONE: dict[str, Mistake] = {
    "missing-square": ("-2 * (y - ypred) /", "-np.ones_like(ypred) /"),
    "half-mse": ("-2 * (y", "-1 * (y"),
    "residual-sign": ("-2 * (y", "2 * (y"),
    "dw-after-activation": ("d_w1, d_w2 = np", "x1, x2 = h1, h2\nd_w1, d_w2 = np"),
    **usual("sigmoid-of-z", "no-activation-derivative"),
    "update-before-use": (
        "d_h1, d_h2 = d_sum_o1",
        "w5, w6 = w5 - STEP * d_w5, w6 - STEP * d_w6\nd_h1, d_h2 = d_sum_o1",
    ),
    "dropped-term": ("d_sum_o1 * w5, d_sum_o1 * w6", "d_sum_o1 * w5, 0 * d_sum_o1"),
}
BIASES = "map(np.sum, (d_sum_h1, d_sum_h2, d_sum_o1))"

MODELS = [
    Model(
        *("article-people", people_loss, people_gradient, draw_people),
        {
            **OF_ONE,
            "exchanged": ("return dict(", "grads[1], grads[2] = grads[2], grads[1]\nreturn dict("),
            "missing-mean": (" / np.size(y)", ""),
            "double-mean": ("/ np.size(y)", "/ np.size(y) ** 2"),
            "bias-mean": (BIASES, BIASES.replace("sum", "mean", 1)),
            "bias-unsummed": (BIASES, "(d_sum_h1, d_sum_h2, d_sum_o1)"),
            "accumulates": accumulates,
        },
    ),
    Model(
        *("article-person", person_loss, person_gradient, draw_person),
        {
            **OF_ONE,
            "exchanged": (
                "return np.array(",
                "grads[4], grads[5] = grads[5], grads[4]\nreturn np.array(",
            ),
            "accumulates": accumulates,
        },
    ),
]
