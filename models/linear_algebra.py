"""Determinants, inverses, quotients, factors: derivatives of matrix functions."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import one_element_off, sign_of_one_element, size
from models.model import of_loss


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


LOG_DETERMINANT = of_loss(
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


SOLVE = of_loss(
    *("linear-solve", solve_loss, solve_gradient, draw_solve),
    {
        "adjoint-untransposed": "db = np.linalg.solve(a, dx)",
        "da-transposed": ("np.outer(db, x)", "np.outer(x, db)"),
        "da-sign": ("-np.outer", "np.outer"),
        "half-mse": "dx = (x - t)",
        "one-element-off": one_element_off,
    },
)


MODELS = [LOG_DETERMINANT, SOLVE]
