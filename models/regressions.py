"""Regressions: one linear map, z = x w + b, and a loss of z and the targets."""

from collections import namedtuple
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from manual.losses import LogitsCache, bce_backward, mse_backward
from models.helpers import (
    accumulates,
    chosen,
    one_element_off,
    one_element_zeroed,
    size,
    update_before_use,
)
from models.model import Draw, Model, Rows, of_loss
from models.networks import Function

DELTA, TAU = 1.3, 0.3


#: The parameters: w of shape (3,), and b, a number.
Line = namedtuple("Line", "w b")


def line_loss(of_output: Function, params: Line, x: Any, y: Any) -> Any:
    return of_output(x @ params.w + params.b, y)


def line_gradient(cache: Function, backward: Function, params: Line, x: Any, y: Any) -> Line:
    z = x @ params.w + params.b
    # L = of_output(z, y)
    dz = backward(1.0, cache(z, y))
    # z = x @ w + b
    return Line(w=x.T @ dz, b=dz.sum())


def line(name: str, output: Sequence[Function], draw: Draw, mistakes: Rows) -> Model:
    """Make the model of an output: in JAX, and what its derivative needs of z and y, and that."""
    in_jax, *by_hand = output
    loss, gradient = partial(line_loss, in_jax), partial(line_gradient, *by_hand)
    return of_loss(name, loss, gradient, draw, mistakes)


def draw_line(rng: np.random.Generator, large: float = 12.0) -> tuple[Line, Any, Any]:
    """Draw the parameters, x and z."""
    w, b = size(rng, large) * rng.normal(size=3), rng.normal()
    x = rng.normal(size=(5, 3))
    return Line(w, b), x, x @ w + b


def draw_linear(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + size(rng) * rng.normal(size=5)


def draw_logistic(rng: np.random.Generator) -> Any:
    params, x, _ = draw_line(rng, large=6.0)
    return params, x, rng.permutation([0.0, 0.0, 1.0, 1.0, 1.0])


def huber(z: Any, y: Any) -> Any:
    """The mean of r²/2 where |r| ≤ δ, else δ (|r| - δ/2); r = z - y."""
    a = jnp.abs(z - y)
    return jnp.mean(jnp.where(a <= DELTA, jnp.square(a) / 2, DELTA * (a - DELTA / 2)))


def clipped_backward(dloss: Any, r: Any) -> Any:
    return dloss * np.clip(r, -DELTA, DELTA) / len(r)


def draw_huber(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + rng.permutation([-5.0, -0.7, 0.4, 2.1, 9.0]) * rng.uniform(0.5, 1.5)


def quantile(z: Any, y: Any) -> Any:
    """The mean of τ r where r = y - z > 0, else (τ - 1) r."""
    return jnp.mean(jnp.maximum(TAU * (y - z), (TAU - 1) * (y - z)))


def quantile_backward(dloss: Any, r: Any) -> Any:
    return dloss * np.where(r < 0, -TAU, 1 - TAU).astype(r.dtype) / len(r)


#: What `line` makes models of: the mean squared error, log(1 + e^z) - y z, and these two.
SQUARES = lambda z, y: jnp.mean(jnp.square(z - y)), np.subtract, mse_backward
LOGISTIC = lambda z, y: jnp.mean(jnp.logaddexp(z, 0.0) - y * z), LogitsCache, bce_backward
HUBER = huber, np.subtract, clipped_backward
QUANTILE = quantile, np.subtract, quantile_backward

BIAS_MEAN = ("dz.sum()", "dz.mean()")


MODELS = [
    line(
        *("linear-regression", SQUARES, draw_linear),
        {
            **chosen("missing-mean"),
            "bias-mean": BIAS_MEAN,
            **chosen("half-mse residual-sign missing-square double-mean"),
            "bias-forgotten-in-forward": "z = x @ params.w",
            "update-before-use": update_before_use,
            "accumulates": accumulates,
            "one-element-off": one_element_off,
        },
    ),
    line(
        *("logistic-regression", LOGISTIC, draw_logistic),
        {
            **chosen("missing-mean"),
            "bias-mean": BIAS_MEAN,
            **chosen("bce-extra-derivative ce-minus-missing residual-sign"),
            "one-element-zeroed": one_element_zeroed,
        },
    ),
    line(
        *("huber-regression", HUBER, draw_huber),
        {
            "not-clipped": ("np.clip(r, -DELTA, DELTA)", "r"),
            "clipped-at-one": ("-DELTA, DELTA", "-1.0, 1.0"),
            "sign-beyond": ("clip(r, -DELTA, DELTA)", "where(abs(r) <= DELTA, r, np.sign(r))"),
            "bias-mean": BIAS_MEAN,
            "exchanged-elements": ("w=x.T @ dz", "w=(x.T @ dz)[[2, 1, 0]]"),
        },
    ),
    line(
        *("quantile-regression", QUANTILE, draw_huber),
        {
            "quantile-mirrored": ("-TAU, 1 - TAU", "TAU - 1, TAU"),
            "absolute-error": ("-TAU, 1 - TAU", "-1.0, 1.0"),
            "residual-sign": ("-TAU, 1 - TAU", "TAU, TAU - 1"),
            "missing-mean": (" / len(r)", ""),
        },
    ),
]
