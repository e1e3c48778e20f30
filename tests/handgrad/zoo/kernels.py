"""Products of parameters in matrices: a factorisation and a kernel."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def factorisation_loss(params: Any, target: Any, seen: Any) -> Any:
    """Matrix factorisation: Σ over the entries seen of (u vᵀ - target)², plus |u|² / 8."""
    u, v = params
    squares = jnp.square(u @ v.T - target)
    return jnp.sum(jnp.where(seen, squares, 0.0)) + jnp.sum(jnp.square(u)) / 8


def factorisation_gradient(
    mask: bool = True, decay: tuple[float, float] = (0.25, 0.0), other: bool = False
) -> Gradient:
    def gradient(params: Any, target: Any, seen: Any) -> Any:
        u, v = params
        # L = Σ seen (u @ v.T - target)² + |u|² / 8
        dz = 2 * (u @ v.T - target) * (seen if mask else np.ones_like(seen)).astype(u.dtype)
        # z = u @ v.T
        first = dz @ v + decay[0] * u
        return first, dz.T @ (u - 0.01 * first if other else u) + decay[1] * v

    return gradient


def draw_factorisation(rng: np.random.Generator) -> Any:
    u, v = size(rng) * rng.normal(size=(5, 2)), rng.normal(size=(7, 2))
    return (u, v), u @ v.T + rng.normal(size=(5, 7)), rng.random(size=(5, 7)) < 0.6


FACTORISATION = Model(
    name="matrix-factorisation",
    loss=factorisation_loss,
    gradient=factorisation_gradient(),
    draw=rounded(draw_factorisation),
    mistakes={
        "mask-forgotten": factorisation_gradient(mask=False),
        "decay-factor": factorisation_gradient(decay=(0.125, 0.0)),
        "decay-on-both": factorisation_gradient(decay=(0.25, 0.25)),
        "update-before-use": factorisation_gradient(other=True),
        "sign-of-one-element": m.sign_of_one_element(factorisation_gradient(), rank=0.5),
    },
)


def kernel_ridge_loss(params: Any, x: Any, y: Any) -> Any:
    """Kernel ridge: |K α - y|² + αᵀ K α / 10, K = exp(-(x_i - x_j)² e^-2l / 2)."""
    alpha, log_length = params["alpha"], params["log_length"]
    squares = jnp.square(x[:, None] - x[None, :])
    k = jnp.exp(-squares * jnp.exp(-2 * log_length) / 2)
    return jnp.sum(jnp.square(k @ alpha - y)) + alpha @ k @ alpha / 10


def kernel_ridge_gradient(ridge: float = 0.2, chain: float = 1.0, cross: bool = True) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
        alpha = params["alpha"]
        d = np.square(x[:, None] - x[None, :]) * np.exp(-2 * params["log_length"])
        k = np.exp(-d / 2)
        # L = |r|² + α · K α / 10, r = K α - y
        r = k @ alpha - y
        dalpha = 2 * k @ r + ridge * (k @ alpha)
        dk = 2 * np.outer(r, alpha) + (np.outer(alpha, alpha) / 10 if cross else 0)
        # K = exp(-d / 2), d ∝ e^-2l
        return {"alpha": dalpha, "log_length": (dk * k * d).sum() * chain}

    return gradient


def draw_kernel_ridge(rng: np.random.Generator) -> Any:
    params = {"alpha": size(rng) * rng.normal(size=7), "log_length": rng.normal()}
    return params, rng.normal(size=7), rng.normal(size=7)


KERNEL_RIDGE = Model(
    name="kernel-ridge",
    loss=kernel_ridge_loss,
    gradient=kernel_ridge_gradient(),
    draw=rounded(draw_kernel_ridge),
    mistakes={
        "decay-factor": kernel_ridge_gradient(ridge=0.1),
        "length-scale-sign": kernel_ridge_gradient(chain=-1.0),
        "dropped-term": kernel_ridge_gradient(cross=False),
        "one-element-zeroed": m.one_element_zeroed(kernel_ridge_gradient()),
    },
)

MODELS = [FACTORISATION, KERNEL_RIDGE]
