"""Losses at the limits of floating point: tails, tiny and huge numbers, bad conditioning."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import (
    one_element_off,
    sigmoid,
    sigmoid_derivative,
    sign_of_one_element,
    small_elements_zeroed,
)
from models.model import Draw, of_loss


def reaching(draw: Any, double: float, single: float) -> dict[str, Draw]:
    """Return draws that use the ranges of float64 and of float32."""
    return {"draw": partial(draw, far=double), "float32": partial(draw, far=single)}


def sigmoid_loss(w: Any, x: Any, y: Any) -> Any:
    """Saturated sigmoids by the textbook formula: Σ (y - 1 / (1 + e^(-w x)))² / 2."""
    return jnp.sum(jnp.square(y - 1 / (1 + jnp.exp(-w * x)))) / 2


def sigmoid_gradient(w: Any, x: Any, y: Any) -> Any:
    z = w * x
    # L = Σ (y - σ(z))² / 2
    dz = -(y - sigmoid(z)) * sigmoid_derivative(z)
    # z = w x
    return dz * x


def draw_saturated(rng: np.random.Generator, far: float) -> Any:
    z = rng.uniform(-1, 1, size=5) * far
    x = rng.normal(size=5) + 2
    return z / x, x, rng.normal(size=5) + 2


def tanh_loss(params: Any, x: Any) -> Any:
    """The tail of tanh: Σ x tanh(w), w up to 30 (12 in float32), where 1 - tanh² rounds to 0."""
    return jnp.sum(x * jnp.tanh(params["w"]))


def tanh_gradient(params: Any, x: Any) -> Any:
    # L = Σ x tanh(w); tanh'(w) = 4 e^-2|w| / (1 + e^-2|w|)²
    e = jnp.exp(-2 * jnp.abs(params["w"]))
    return {"w": x * 4 * e / jnp.square(1 + e)}


def draw_tail(rng: np.random.Generator, far: float) -> Any:
    return {"w": rng.uniform(-1, 1, size=5) * far}, rng.normal(size=5)


def squares_loss(w: Any, x: Any, y: Any) -> Any:
    """Least squares with tiny inputs, and so a tiny gradient: Σ (x w - y)²."""
    return jnp.sum(jnp.square(x @ w - y))


def squares_gradient(w: Any, x: Any, y: Any) -> Any:
    # L = Σ (x @ w - y)²
    return x.T @ (2 * (x @ w - y))


def draw_tiny(rng: np.random.Generator, far: float) -> Any:
    return rng.normal(size=3), far * rng.normal(size=(5, 3)), far * rng.normal(size=5)


def exponentials_loss(params: Any, x: Any) -> Any:
    """Exponentials as large as 1e150 (1e17 in float32), and their sum: Σ e^(x w + b)."""
    return jnp.sum(jnp.exp(x @ params["w"] + params["b"]))


def exponentials_gradient(params: Any, x: Any) -> Any:
    # L = Σ e^z, z = x @ w + b
    dz = np.exp(x @ params["w"] + params["b"])
    return {"w": x.T @ dz, "b": dz.sum()}


def draw_huge(rng: np.random.Generator, far: float) -> Any:
    x, w = rng.normal(size=(5, 3)), rng.normal(size=3)
    top = rng.uniform(300, 345) if far > 100 else rng.uniform(30, far)
    return {"w": w * top / abs(x @ w).max(), "b": rng.normal()}, x


def quadratic_loss(w: Any, a: Any) -> Any:
    """A badly scaled quadratic form: wᵀ A w / 2, A_ij = d_i B_ij d_j, d from 1e-6 to 1e6."""
    return w @ a @ w / 2


def quadratic_gradient(w: Any, a: Any) -> Any:
    # L = w @ A @ w / 2
    return (a @ w + w @ a) / 2


def draw_quadratic(rng: np.random.Generator, far: float) -> Any:
    d = 10.0 ** np.linspace(-far, far, 5)
    return rng.normal(size=5), d[:, None] * rng.normal(size=(5, 5)) * d[None, :]


MODELS = [
    of_loss(
        *("literal-sigmoid", sigmoid_loss, sigmoid_gradient),
        mistakes={
            "no-activation-derivative": "dz = -(y - sigmoid(z))",
            "sigmoid-for-its-derivative": "dz = -(y - sigmoid(z)) * sigmoid(z)",
            "residual-sign": ("dz = -(", "dz = ("),
            "small-elements-zeroed": small_elements_zeroed,
        },
        **reaching(draw_saturated, 400, 60),
    ),
    of_loss(
        *("tanh-tail", tanh_loss, tanh_gradient),
        mistakes={
            "sigmoid-derivative": [("-2 * jnp", "-jnp"), ("x * 4 * e", "x * e")],
            "four-forgotten": ("x * 4 * e", "x * e"),
            "small-elements-zeroed": small_elements_zeroed,
            "one-element-off": partial(one_element_off, rank=1.0),
        },
        **reaching(draw_tail, 30, 12),
    ),
    of_loss(
        *("tiny-1e-150", squares_loss, squares_gradient),
        mistakes={
            "zero": ("return x", "return 0 * x"),
            "half-mse": ("(2 * (x", "((x"),
            "residual-sign": ("(2 * (x", "(-2 * (x"),
            "targets-forgotten": ("x @ w - y))", "x @ w))"),
            "one-element-off": one_element_off,
        },
        **reaching(draw_tiny, 1e-75, 1e-14),
    ),
    of_loss(
        *("huge-1e150", exponentials_loss, exponentials_gradient),
        mistakes={
            "bias-forgotten-in-forward": (' + params["b"])', ")"),
            "normalised": ("return {", "dz = dz / dz.sum()\nreturn {"),
            "bias-mean": ("dz.sum()", "dz.mean()"),
            "inputs-forgotten": ("x.T @ dz", "np.ones_like(x.T) @ dz"),
        },
        **reaching(draw_huge, 345, 40),
    ),
    of_loss(
        *("badly-scaled-quadratic", quadratic_loss, quadratic_gradient),
        mistakes={
            "matrix-symmetric": "return a @ w",
            "matrix-transposed": "return w @ a",
            "half-forgotten": ("@ a) / 2", "@ a)"),
            "small-elements-zeroed": small_elements_zeroed,
            "sign-of-smallest": partial(sign_of_one_element, rank=0.0),
        },
        **reaching(draw_quadratic, 6, 4),
    ),
]
