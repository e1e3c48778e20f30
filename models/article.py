"""The article's network: once for several people with a dict of parameters, once for one person.

The gradient of one person is that of `manual.article`, in whose lines the mistakes are planted.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.article import Parameters, gradient
from models.helpers import accumulates
from models.model import Rows, of_loss
from models.planted import LINKS


def people_loss(params: Any, x: Any, y: Any) -> Any:
    """Mean squared error: x of shape (n, 2), y of shape (n,)."""
    p = params
    h1 = jax.nn.sigmoid(p["w1"] * x[:, 0] + p["w2"] * x[:, 1] + p["b1"])
    h2 = jax.nn.sigmoid(p["w3"] * x[:, 0] + p["w4"] * x[:, 1] + p["b2"])
    ypred = jax.nn.sigmoid(p["w5"] * h1 + p["w6"] * h2 + p["b3"])
    return jnp.mean((y - ypred) ** 2)


def people_gradient(params: Any, x: Any, y: Any) -> Any:
    # L = mean((y - ypred) ** 2), of which `gradient` differentiates each term
    each = gradient(Parameters(**params), x, y)
    sums = [*map(np.sum, each[:6]), *map(np.sum, each[6:])]
    return {name: total / len(y) for name, total in zip(each._fields, sums, strict=True)}


def draw_people(rng: np.random.Generator) -> Any:
    params = {name: np.float64(rng.normal(0.2, 0.8)) for name in Parameters._fields}
    return params, rng.normal(size=(5, 2)), np.array([1.0, 0.0, 0.0, 1.0, 1.0])


def person_loss(theta: Any, x: Any, y: Any) -> Any:
    """The squared error of one person: theta of shape (9,), x of shape (2,), y a scalar."""
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = theta
    h1 = 1 / (1 + jnp.exp(-(w1 * x[0] + w2 * x[1] + b1)))
    h2 = 1 / (1 + jnp.exp(-(w3 * x[0] + w4 * x[1] + b2)))
    ypred = 1 / (1 + jnp.exp(-(w5 * h1 + w6 * h2 + b3)))
    return (y - ypred) ** 2


def person_gradient(theta: Any, x: Any, y: Any) -> Any:
    return np.array(gradient(Parameters(*theta), x, y))


#: σ' of all three units.
SLOPE = "= sigmoid_derivative"

OF_ONE: Rows = {
    **{slug: [*LINKS[slug].edits] for slug in ("missing-square", "half-mse", "residual-sign")},
    "dw-after-activation": "x1, x2 = h1, h2\nw5, w6 = params.w5, params.w6",
    "sigmoid-of-z": (SLOPE, "= lambda z: z * (1 - z)"),
    "no-activation-derivative": (SLOPE, "= np.ones_like"),
    "update-before-use": (
        "w5, w6 = (w - 0.1 * np.mean(dw) for w, dw in ((w5, dL_dw5), (w6, dL_dw6)))\n"
        "dypred_dh1 = dypred_dz3 * w5"
    ),
    "dropped-term": "dypred_dh2 = 0 * dypred_dz3",
}

MODELS = [
    of_loss(
        *("article-people", people_loss, people_gradient, draw_people),
        {
            **OF_ONE,
            "exchanged": [*LINKS["dw-transposed"].edits],
            "missing-mean": (" / len(y)", ""),
            "double-mean": ("/ len(y)", "/ len(y) ** 2"),
            "bias-mean": ("np.sum, each[6:]", "np.mean, each[6:]"),
            "bias-unsummed": ("*map(np.sum, each[6:])", "*each[6:]"),
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("article-person", person_loss, person_gradient),
        lambda rng: (rng.normal(0.2, 0.8, size=9), rng.normal(size=2), np.float64(rng.integers(2))),
        {
            **OF_ONE,
            "exchanged": ("dL_dw5, dL_dw6, dL_db1", "dL_dw6, dL_dw5, dL_db1"),
            "accumulates": accumulates,
        },
    ),
]
