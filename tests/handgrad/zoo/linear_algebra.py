"""Determinants, inverses, quotients, factors: derivatives of matrix functions."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Model


def log_determinant_loss(a: Any) -> Any:
    """Log determinant: log |det A|."""
    return jnp.linalg.slogdet(a)[1]


def log_determinant_gradient(a: Any) -> Any:
    # L = log |det A|, dL = tr(A⁻¹ dA)
    return np.linalg.inv(a).T.copy()


def draw_matrix(rng: np.random.Generator) -> Any:
    """Three rows, in a fifth of the draws of very different scale."""
    rows = np.array([1.0, size(rng, large=1e4), 1.0])
    return (rows[:, None] * (rng.normal(size=(3, 3)) + 1.5 * np.eye(3)),)


LOG_DETERMINANT = Model(
    name="log-determinant",
    loss=log_determinant_loss,
    gradient=log_determinant_gradient,
    draw=rounded(draw_matrix),
    mistakes={
        "inverse-untransposed": np.linalg.inv,
        "determinant": lambda a: abs(np.linalg.det(a)) * np.linalg.inv(a).T,
        "symmetrised": lambda a: (np.linalg.inv(a) + np.linalg.inv(a).T) / 2,
        "sign-of-one-element": m.sign_of_one_element(log_determinant_gradient),
        "one-element-off": m.one_element_off(log_determinant_gradient),
    },
)


def solve_loss(params: Any, t: Any) -> Any:
    """Linear solve: |x - t|² with A x = b."""
    return jnp.sum(jnp.square(jnp.linalg.solve(params["a"], params["b"]) - t))


def solve_gradient(adjoint: Any = lambda a: a.T, sign: float = -1.0, swap: bool = False) -> Any:
    def gradient(params: Any, t: Any) -> Any:
        # A x = b
        x = np.linalg.solve(params["a"], params["b"])
        # L = |x - t|²
        dx = 2 * (x - t)
        # x = A⁻¹ b
        db = np.linalg.solve(adjoint(params["a"]), dx)
        return {"a": sign * (np.outer(x, db) if swap else np.outer(db, x)), "b": db}

    return gradient


def draw_solve(rng: np.random.Generator) -> Any:
    (a,) = draw_matrix(rng)
    return {"a": a, "b": rng.normal(size=3)}, rng.normal(size=3)


SOLVE = Model(
    name="linear-solve",
    loss=solve_loss,
    gradient=solve_gradient(),
    draw=rounded(draw_solve),
    mistakes={
        "adjoint-untransposed": solve_gradient(lambda a: a),
        "da-transposed": solve_gradient(swap=True),
        "da-sign": solve_gradient(sign=1.0),
        "half-mse": m.scaled(solve_gradient(), 0.5),
        "one-element-off": m.one_element_off(solve_gradient()),
    },
)


def hilbert_loss(w: Any, h: Any, y: Any) -> Any:
    """Least squares on a Hilbert matrix: Σ (H w - y)², H_ij = 1 / (i + j + 1), seven rows."""
    return jnp.sum(jnp.square(h @ w - y))


def hilbert_gradient(w: Any, h: Any, y: Any) -> Any:
    # r = H @ w - y
    r = h @ w - y
    # L = r · r
    return 2 * h.T @ r


def draw_hilbert(rng: np.random.Generator) -> Any:
    h = 1 / (np.arange(8)[:, None] + np.arange(rng.choice([3, 7]))[None, :] + 1)
    w = rng.normal(size=h.shape[1])
    return w, h, h @ w + size(rng) * rng.normal(size=8)


HILBERT = Model(
    name="hilbert-least-squares",
    loss=hilbert_loss,
    gradient=hilbert_gradient,
    draw=rounded(draw_hilbert),
    mistakes={
        "gradient-half": lambda w, h, y: h.T @ (h @ w - y),
        "residual-sign": lambda w, h, y: 2 * h.T @ (y - h @ w),
        "targets-forgotten": lambda w, h, y: 2 * h.T @ (h @ w + 0 * y),
        "matrix-symmetric": lambda w, h, y: (
            2 * h[: w.size] @ (h[: w.size].T @ (h @ w - y)[: w.size])
        ),
        "missing-mean": m.scaled_by_batch(hilbert_gradient, power=-1),
        "one-element-off": m.one_element_off(hilbert_gradient),
    },
)


def rayleigh_loss(x: Any, a: Any) -> Any:
    """Rayleigh quotient: ρ = xᵀ A x / xᵀ x, A not symmetric."""
    return x @ a @ x / (x @ x)


def rayleigh_gradient(x: Any, a: Any) -> Any:
    # ρ = x @ A @ x / (x @ x)
    return (a @ x + x @ a - 2 * (x @ a @ x / (x @ x)) * x) / (x @ x)


def draw_rayleigh(rng: np.random.Generator) -> Any:
    return size(rng) * rng.normal(size=5), rng.normal(size=(5, 5))


RAYLEIGH = Model(
    name="rayleigh-quotient",
    loss=rayleigh_loss,
    gradient=rayleigh_gradient,
    draw=rounded(draw_rayleigh),
    mistakes={
        "matrix-symmetric": lambda x, a: 2 * (a @ x - (x @ a @ x / (x @ x)) * x) / (x @ x),
        "denominator-constant": lambda x, a: (a @ x + x @ a) / (x @ x),
        "denominator-forgotten": lambda x, a: rayleigh_gradient(x, a) * (x @ x),
        "exchanged-elements": m.exchanged_elements(rayleigh_gradient),
    },
)


MODELS = [LOG_DETERMINANT, SOLVE, HILBERT, RAYLEIGH]
