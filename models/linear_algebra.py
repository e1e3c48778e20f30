"""Determinants, inverses, quotients, factors: derivatives of matrix functions."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.answers import exchanged_elements, one_element_off, sign_of_one_element
from models.model import Model
from models.numerics import size


def log_determinant_loss(a: Any) -> Any:
    """Log determinant: log |det A|."""
    return jnp.linalg.slogdet(a)[1]


def log_determinant_gradient(a: Any) -> Any:
    # L = log |det A|, dL = tr(A⁻¹ dA)
    return np.linalg.inv(a).T.copy()


def draw_matrix(rng: np.random.Generator) -> Any:
    """Draw three rows, in a fifth of the draws of very different scales."""
    rows = np.array([1.0, size(rng, large=1e4), 1.0])
    return (rows[:, None] * (rng.normal(size=(3, 3)) + 1.5 * np.eye(3)),)


LOG_DETERMINANT = Model(
    *("log-determinant", log_determinant_loss, log_determinant_gradient, draw_matrix),
    {
        "inverse-untransposed": (".T.copy()", ""),
        "determinant": ("return np", "return abs(np.linalg.det(a)) * np"),
        "symmetrised": (".T.copy()", ".T / 2 + np.linalg.inv(a) / 2"),
        "sign-of-one-element": sign_of_one_element,
        "one-element-off": one_element_off,
    },
)


def solve_loss(params: Any, t: Any) -> Any:
    """Linear solve: |x - t|² with A x = b."""
    return jnp.sum(jnp.square(jnp.linalg.solve(params["a"], params["b"]) - t))


def solve_gradient(params: Any, t: Any) -> Any:
    a, b = params["a"], params["b"]
    # A x = b
    x = np.linalg.solve(a, b)
    # L = |x - t|²
    dx = 2 * (x - t)
    # x = A⁻¹ b
    db = np.linalg.solve(a.T, dx)
    return {"a": -np.outer(db, x), "b": db}


def draw_solve(rng: np.random.Generator) -> Any:
    (a,) = draw_matrix(rng)
    return {"a": a, "b": rng.normal(size=3)}, rng.normal(size=3)


SOLVE = Model(
    *("linear-solve", solve_loss, solve_gradient, draw_solve),
    {
        "adjoint-untransposed": ("solve(a.T, dx)", "solve(a, dx)"),
        "da-transposed": ("np.outer(db, x)", "np.outer(x, db)"),
        "da-sign": ("-np.outer", "np.outer"),
        "half-mse": ("dx = 2 *", "dx ="),
        "one-element-off": one_element_off,
    },
)


def squares_loss(w: Any, h: Any, y: Any) -> Any:
    """Least squares: Σ (H w - y)²."""
    return jnp.sum(jnp.square(h @ w - y))


def squares_gradient(w: Any, h: Any, y: Any) -> Any:
    # r = H @ w - y
    r = h @ w - y
    # L = r · r
    return 2 * h.T @ r


def draw_hilbert(rng: np.random.Generator) -> Any:
    """H_ij = 1 / (i + j + 1), a Hilbert matrix of eight rows."""
    h = 1 / (np.arange(8)[:, None] + np.arange(rng.choice([3, 7]))[None, :] + 1)
    w = rng.normal(size=h.shape[1])
    return w, h, h @ w + size(rng) * rng.normal(size=8)


HILBERT = Model(
    *("hilbert-least-squares", squares_loss, squares_gradient, draw_hilbert),
    {
        "gradient-half": ("2 * h.T", "h.T"),
        "residual-sign": ("2 * h.T", "-2 * h.T"),
        "targets-forgotten": ("h @ w - y\n    # L", "h @ w\n    # L"),
        "matrix-symmetric": ("h.T @ r", "h[: w.size] @ (h[: w.size].T @ r[: w.size])"),
        "missing-mean": ("return 2 * h.T @ r", "return 2 * h.T @ r / len(h)"),
        "one-element-off": one_element_off,
    },
)


def rayleigh_loss(x: Any, a: Any) -> Any:
    """Rayleigh quotient: ρ = xᵀ A x / xᵀ x, A not symmetric."""
    return x @ a @ x / (x @ x)


def rayleigh_gradient(x: Any, a: Any) -> Any:
    # ρ = x @ A @ x / (x @ x)
    rho = x @ a @ x / (x @ x)
    return (a @ x + x @ a - 2 * rho * x) / (x @ x)


def draw_rayleigh(rng: np.random.Generator) -> Any:
    return size(rng) * rng.normal(size=5), rng.normal(size=(5, 5))


RAYLEIGH = Model(
    *("rayleigh-quotient", rayleigh_loss, rayleigh_gradient, draw_rayleigh),
    {
        "matrix-symmetric": ("(a @ x + x @ a -", "(2 * a @ x -"),
        "denominator-constant": (" - 2 * rho * x", ""),
        "denominator-forgotten": ("* x) / (x @ x)", "* x)"),
        "exchanged-elements": exchanged_elements,
    },
)

MODELS = [LOG_DETERMINANT, SOLVE, HILBERT, RAYLEIGH]
