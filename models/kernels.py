"""Products of parameters in matrices: a factorisation and a kernel."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.answers import one_element_zeroed, sign_of_one_element
from models.model import Model
from models.numerics import size


def factorisation_loss(params: Any, target: Any, seen: Any) -> Any:
    """Matrix factorisation: Σ over the observed entries of (u vᵀ - target)², plus |u|² / 8."""
    u, v = params
    squares = jnp.square(u @ v.T - target)
    return jnp.sum(jnp.where(seen, squares, 0.0)) + jnp.sum(jnp.square(u)) / 8


def factorisation_gradient(params: Any, target: Any, seen: Any) -> Any:
    u, v = params
    # L = Σ seen (u @ v.T - target)² + |u|² / 8
    dz = 2 * (u @ v.T - target) * seen.astype(u.dtype)
    # z = u @ v.T
    du = dz @ v + 0.25 * u
    return du, dz.T @ u


def draw_factorisation(rng: np.random.Generator) -> Any:
    u, v = size(rng) * rng.normal(size=(5, 2)), rng.normal(size=(7, 2))
    return (u, v), u @ v.T + rng.normal(size=(5, 7)), rng.random(size=(5, 7)) < 0.6


FACTORISATION = Model(
    *("matrix-factorisation", factorisation_loss, factorisation_gradient, draw_factorisation),
    {
        "mask-forgotten": (" * seen.astype(u.dtype)", ""),
        "decay-factor": ("0.25 * u", "0.125 * u"),
        "decay-on-both": ("dz.T @ u", "dz.T @ u + 0.25 * v"),
        "update-before-use": ("dz.T @ u", "dz.T @ (u - 0.01 * du)"),
        "sign-of-one-element": partial(sign_of_one_element, rank=0.5),
    },
)


def ridge_loss(params: Any, x: Any, y: Any) -> Any:
    """Kernel ridge: |K α - y|² + αᵀ K α / 10, K = exp(-(x_i - x_j)² e^-2l / 2)."""
    alpha, log_length = params["alpha"], params["log_length"]
    squares = jnp.square(x[:, None] - x[None, :])
    k = jnp.exp(-squares * jnp.exp(-2 * log_length) / 2)
    return jnp.sum(jnp.square(k @ alpha - y)) + alpha @ k @ alpha / 10


def ridge_gradient(params: Any, x: Any, y: Any) -> Any:
    alpha = params["alpha"]
    d = np.square(x[:, None] - x[None, :]) * np.exp(-2 * params["log_length"])
    k = np.exp(-d / 2)
    # L = |r|² + α · K α / 10, r = K α - y
    r = k @ alpha - y
    dalpha = 2 * k @ r + 0.2 * (k @ alpha)
    dk = 2 * np.outer(r, alpha) + np.outer(alpha, alpha) / 10
    # K = exp(-d / 2), d ∝ e^-2l
    return {"alpha": dalpha, "log_length": (dk * k * d).sum()}


def draw_ridge(rng: np.random.Generator) -> Any:
    params = {"alpha": size(rng) * rng.normal(size=7), "log_length": rng.normal()}
    return params, rng.normal(size=7), rng.normal(size=7)


RIDGE = Model(
    *("kernel-ridge", ridge_loss, ridge_gradient, draw_ridge),
    {
        "decay-factor": ("0.2 * (k", "0.1 * (k"),
        "length-scale-sign": ("(dk * k", "(-dk * k"),
        "dropped-term": (" + np.outer(alpha, alpha) / 10", ""),
        "one-element-zeroed": one_element_zeroed,
    },
)

MODELS = [FACTORISATION, RIDGE]
