"""Regressions: one linear map, z = x w + b, and a loss of z and the targets."""

from collections import namedtuple
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import (
    accumulates,
    binomial_delta,
    one_element_off,
    one_element_zeroed,
    size,
    update_before_use,
)
from models.model import Rows, of_loss

DELTA, TAU = 1.3, 0.3


#: The parameters: w of shape (3,), and b, a number.
Line = namedtuple("Line", "w b")


def line_backward(dz: Any, x: Any) -> Line:
    # z = x @ w + b
    return Line(w=x.T @ dz, b=dz.sum())


def draw_line(rng: np.random.Generator, large: float = 12.0) -> tuple[Line, Any, Any]:
    """Draw the parameters, x and z."""
    w, b = size(rng, large) * rng.normal(size=3), rng.normal()
    x = rng.normal(size=(5, 3))
    return Line(w, b), x, x @ w + b


def linear_loss(params: Line, x: Any, y: Any) -> Any:
    """Linear regression: mean (x w + b - y)²."""
    return jnp.mean(jnp.square(x @ params.w + params.b - y))


def linear_gradient(params: Line, x: Any, y: Any) -> Line:
    z = x @ params.w + params.b
    # L = mean((z - y)²)
    dz = 2 * (z - y) / len(x)
    return line_backward(dz, x)


def draw_linear(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + size(rng) * rng.normal(size=5)


def logistic_loss(params: Line, x: Any, y: Any) -> Any:
    """Logistic regression: mean log(1 + e^z) - y z, with labels 0 and 1."""
    z = x @ params.w + params.b
    return jnp.mean(jnp.logaddexp(z, 0.0) - y * z)


def logistic_gradient(params: Line, x: Any, y: Any) -> Line:
    z = x @ params.w + params.b
    # L = mean(log(1 + e^z) - y z)
    dz = binomial_delta(z, 1 - y, y) / len(x)
    return line_backward(dz, x)


def draw_logistic(rng: np.random.Generator) -> Any:
    params, x, _ = draw_line(rng, large=6.0)
    return params, x, rng.permutation([0.0, 0.0, 1.0, 1.0, 1.0])


def huber_loss(params: Line, x: Any, y: Any) -> Any:
    """Huber regression: mean of r²/2 where |r| ≤ δ, else δ (|r| - δ/2); r = z - y."""
    r = x @ params.w + params.b - y
    a = jnp.abs(r)
    return jnp.mean(jnp.where(a <= DELTA, jnp.square(r) / 2, DELTA * (a - DELTA / 2)))


def huber_gradient(params: Line, x: Any, y: Any) -> Line:
    r = x @ params.w + params.b - y
    # L = mean(r²/2, or δ (|r| - δ/2) beyond δ)
    dz = np.clip(r, -DELTA, DELTA) / len(x)
    return line_backward(dz, x)


def draw_huber(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + rng.permutation([-5.0, -0.7, 0.4, 2.1, 9.0]) * rng.uniform(0.5, 1.5)


def quantile_loss(params: Line, x: Any, y: Any) -> Any:
    """Quantile regression: mean of τ r where r = y - z > 0, else (τ - 1) r."""
    r = y - (x @ params.w + params.b)
    return jnp.mean(jnp.maximum(TAU * r, (TAU - 1) * r))


def quantile_gradient(params: Line, x: Any, y: Any) -> Line:
    z = x @ params.w + params.b
    # L = mean(max(τ (y - z), (τ - 1) (y - z)))
    dz = np.where(y > z, -TAU, 1 - TAU).astype(z.dtype) / len(x)
    return line_backward(dz, x)


COMMON: Rows = {
    "missing-mean": (" / len(x)", ""),
    "bias-mean": ("dz.sum()", "dz.mean()"),
}

MODELS = [
    of_loss(
        *("linear-regression", linear_loss, linear_gradient, draw_linear),
        {
            **COMMON,
            "half-mse": "dz = (z - y) / len(x)",
            "residual-sign": "dz = 2 * (y - z) / len(x)",
            "missing-square": "dz = (0 * y + 1.0) / len(x)",
            "double-mean": ("/ len(x)", "/ len(x) ** 2"),
            "bias-forgotten-in-forward": "z = x @ params.w",
            "update-before-use": update_before_use,
            "accumulates": accumulates,
            "one-element-off": one_element_off,
        },
    ),
    of_loss(
        *("logistic-regression", logistic_loss, logistic_gradient, draw_logistic),
        {
            **COMMON,
            "bce-extra-derivative": (" / len(x)", " * sigmoid(z) * sigmoid(-z) / len(x)"),
            "ce-minus-missing": "dz = sigmoid(z) / len(x)",
            "residual-sign": ("dz = binomial", "dz = -binomial"),
            "one-element-zeroed": one_element_zeroed,
        },
    ),
    of_loss(
        *("huber-regression", huber_loss, huber_gradient, draw_huber),
        {
            "not-clipped": "dz = r / len(x)",
            "clipped-at-one": "dz = np.clip(r, -1.0, 1.0) / len(x)",
            "sign-beyond": "dz = np.where(abs(r) <= DELTA, r, np.sign(r)) / len(x)",
            "bias-mean": COMMON["bias-mean"],
            "exchanged-elements": (
                "return line_backward(dz, x)",
                "w, b = line_backward(dz, x)\nreturn Line(w[[2, 1, 0]], b)",
            ),
        },
    ),
    of_loss(
        *("quantile-regression", quantile_loss, quantile_gradient, draw_huber),
        {
            "quantile-mirrored": ("-TAU, 1 - TAU", "TAU - 1, TAU"),
            "absolute-error": ("-TAU, 1 - TAU", "-1.0, 1.0"),
            "residual-sign": ("-TAU, 1 - TAU", "TAU, TAU - 1"),
            "missing-mean": COMMON["missing-mean"],
        },
    ),
]
