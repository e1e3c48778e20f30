"""Regressions: one linear map, z = x w + b, and a loss of z and the targets."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from scipy.special import erfcx

from models.numerics import bernoulli_delta, rounded, sigmoid, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model

DELTA, TAU = 1.3, 0.3


class Line(NamedTuple):
    """The parameters: w of shape (3,), and b, a number."""

    w: Any
    b: Any


def backward(delta: Any, mean_bias: bool = False, with_bias: bool = True) -> Gradient:
    """The gradient of mean_i l(z_i, y_i), where delta(z, y) is dl/dz."""

    def gradient(params: Line, x: Any, y: Any) -> Line:
        z = x @ params.w + params.b if with_bias else x @ params.w
        # L = mean(l)
        dz = delta(z, y) / len(x)
        # z = x @ w + b
        return Line(w=x.T @ dz, b=dz.mean() if mean_bias else dz.sum())

    return gradient


def draw_line(rng: np.random.Generator, large: float = 12.0) -> tuple[Line, Any, Any]:
    """The parameters, x and z."""
    w, b = size(rng, large) * rng.normal(size=3), rng.normal()
    x = rng.normal(size=(5, 3))
    return Line(w, b), x, x @ w + b


def linear_loss(params: Line, x: Any, y: Any) -> Any:
    """Linear regression: mean (x w + b - y)²."""
    return jnp.mean(jnp.square(x @ params.w + params.b - y))


def draw_linear(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + size(rng) * rng.normal(size=5)


linear = backward(lambda z, y: 2 * (z - y))
LINEAR = Model(
    name="linear-regression",
    loss=linear_loss,
    gradient=linear,
    draw=rounded(draw_linear),
    mistakes={
        "half-mse": backward(lambda z, y: z - y),
        "residual-sign": backward(lambda z, y: 2 * (y - z)),
        "missing-square": backward(lambda z, y: 0 * y + 1.0),
        "missing-mean": m.scaled_by_batch(linear),
        "double-mean": m.scaled_by_batch(linear, power=-1),
        "bias-mean": backward(lambda z, y: 2 * (z - y), mean_bias=True),
        "bias-forgotten-in-forward": backward(lambda z, y: 2 * (z - y), with_bias=False),
        "update-before-use": m.update_before_use(linear),
        "accumulates": m.accumulates(linear),
        "one-element-off": m.one_element_off(linear),
    },
)


def logistic_loss(params: Line, x: Any, y: Any) -> Any:
    """Logistic regression: mean log(1 + e^z) - y z, with labels 0 and 1."""
    z = x @ params.w + params.b
    return jnp.mean(jnp.logaddexp(z, 0.0) - y * z)


def draw_logistic(rng: np.random.Generator) -> Any:
    params, x, _ = draw_line(rng, large=6.0)
    return params, x, rng.permutation([0.0, 0.0, 1.0, 1.0, 1.0])


logistic = backward(bernoulli_delta)
LOGISTIC = Model(
    name="logistic-regression",
    loss=logistic_loss,
    gradient=logistic,
    draw=rounded(draw_logistic),
    mistakes={
        "bce-extra-derivative": backward(
            lambda z, y: bernoulli_delta(z, y) * sigmoid(z) * sigmoid(-z)
        ),
        "ce-minus-missing": backward(lambda z, y: sigmoid(z)),
        "residual-sign": backward(lambda z, y: -bernoulli_delta(z, y)),
        "missing-mean": m.scaled_by_batch(logistic),
        "bias-mean": backward(bernoulli_delta, mean_bias=True),
        "one-element-zeroed": m.one_element_zeroed(logistic),
    },
)


def probit_loss(params: Line, x: Any, y: Any) -> Any:
    """Probit regression: -mean log Φ(y z), with labels -1 and 1."""
    return -jnp.mean(jnp.log(norm.cdf(y * (x @ params.w + params.b))))


def mills(z: Any) -> Any:
    """φ(z) / Φ(z)."""
    return 2 / np.sqrt(2 * z.dtype.type(np.pi)) / erfcx(-z * 0.5**0.5)


def draw_probit(rng: np.random.Generator) -> Any:
    params, x, _ = draw_line(rng, large=3.0)
    return params, x / 2, rng.permutation([-1.0, -1.0, 1.0, 1.0, 1.0])


probit = backward(lambda z, y: -y * mills(y * z))
PROBIT = Model(
    name="probit-regression",
    loss=probit_loss,
    gradient=probit,
    draw=rounded(draw_probit),
    mistakes={
        "label-forgotten": backward(lambda z, y: -mills(y * z)),
        "label-outside-only": backward(lambda z, y: -y * mills(z)),
        "logistic-delta": backward(lambda z, y: -y * sigmoid(-y * z)),
        "missing-mean": m.scaled_by_batch(probit),
        "sign-of-one-element": m.sign_of_one_element(probit),
    },
)


def huber_loss(params: Line, x: Any, y: Any) -> Any:
    """Huber regression: mean of r²/2 where |r| ≤ δ, else δ (|r| - δ/2); r = z - y."""
    r = x @ params.w + params.b - y
    a = jnp.abs(r)
    return jnp.mean(jnp.where(a <= DELTA, jnp.square(r) / 2, DELTA * (a - DELTA / 2)))


def draw_huber(rng: np.random.Generator) -> Any:
    params, x, z = draw_line(rng)
    return params, x, z + rng.permutation([-5.0, -0.7, 0.4, 2.1, 9.0]) * rng.uniform(0.5, 1.5)


huber = backward(lambda z, y: np.clip(z - y, -DELTA, DELTA))
HUBER = Model(
    name="huber-regression",
    loss=huber_loss,
    gradient=huber,
    draw=rounded(draw_huber),
    mistakes={
        "not-clipped": backward(lambda z, y: z - y),
        "clipped-at-one": backward(lambda z, y: np.clip(z - y, -1.0, 1.0)),
        "sign-beyond": backward(lambda z, y: np.where(abs(z - y) <= DELTA, z - y, np.sign(z - y))),
        "bias-mean": backward(lambda z, y: np.clip(z - y, -DELTA, DELTA), mean_bias=True),
        "exchanged-elements": m.exchanged_elements(huber),
    },
)


def quantile_loss(params: Line, x: Any, y: Any) -> Any:
    """Quantile regression: mean of τ r where r = y - z > 0, else (τ - 1) r."""
    r = y - (x @ params.w + params.b)
    return jnp.mean(jnp.maximum(TAU * r, (TAU - 1) * r))


def pinball(below: float, above: float) -> Any:
    return lambda z, y: np.where(y > z, z.dtype.type(below), z.dtype.type(above))


quantile = backward(pinball(-TAU, 1 - TAU))
QUANTILE = Model(
    name="quantile-regression",
    loss=quantile_loss,
    gradient=quantile,
    draw=rounded(draw_huber),
    mistakes={
        "quantile-mirrored": backward(pinball(TAU - 1, TAU)),
        "absolute-error": backward(pinball(-1.0, 1.0)),
        "residual-sign": backward(pinball(TAU, TAU - 1)),
        "missing-mean": m.scaled_by_batch(quantile),
    },
)

MODELS = [LINEAR, LOGISTIC, PROBIT, HUBER, QUANTILE]
