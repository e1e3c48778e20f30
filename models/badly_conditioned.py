"""Badly conditioned points: inputs rounded in their last digit move the gradient in many digits."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.linear_algebra import squares_gradient, squares_loss
from models.model import Model


def hilbert(n: int) -> np.ndarray:
    """The n×n matrix 1 / (i + j + 1)."""
    i = np.arange(n)
    return 1.0 / (i[:, None] + i[None, :] + 1)


def quadratic_loss(w: Any, matrix: Any, b: Any) -> Any:
    return w @ matrix @ w / 2 - b @ w


def quadratic_gradient(w: np.ndarray, matrix: np.ndarray, b: np.ndarray) -> np.ndarray:
    return matrix @ w - b  # the matrix is symmetric


def draw_quadratic(rng: np.random.Generator) -> Any:
    """Draw a point near the minimum, where the two terms cancel in all but their last digits."""
    w, matrix = rng.normal(size=8), hilbert(8)
    return w + 1e-9 * rng.normal(size=8), matrix, matrix @ w


def draw_polynomial(rng: np.random.Generator) -> Any:
    """A polynomial of degree 12 through 20 points."""
    x = np.vander(np.linspace(0, 1, 20), 13)
    return 1e3 * rng.normal(size=13), x, rng.normal(size=20)


def solve_loss(b: Any, matrix: Any) -> Any:
    return b @ jnp.linalg.solve(matrix, b) / 2


def solve_gradient(b: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.linalg.solve(matrix, b)  # the matrix is symmetric


def draw_solve(rng: np.random.Generator) -> Any:
    return rng.normal(size=6), hilbert(6)


def determinant_loss(s: Any, matrix: Any) -> Any:
    return jnp.linalg.slogdet(matrix + jnp.diag(s))[1]


def determinant_gradient(s: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return np.diag(np.linalg.inv(matrix + np.diag(s)))


def draw_determinant(rng: np.random.Generator) -> Any:
    """log det of a covariance of rank one, and a little noise."""
    v = rng.normal(size=5)
    return rng.uniform(1, 2, size=5) * 1e-7, np.outer(v, v)


def valley_loss(w: Any, steep: Any) -> Any:
    return (1 - w[0]) ** 2 + steep * (w[1] - w[0] ** 2) ** 2


def valley_gradient(w: np.ndarray, steep: float) -> np.ndarray:
    off = w[1] - w[0] ** 2
    return np.array([-2 * (1 - w[0]) - 4 * steep * w[0] * off, 2 * steep * off])


def draw_valley(_: np.random.Generator) -> Any:
    """Rosenbrock's valley, ten thousand times as steep."""
    return np.array([0.7, 0.49 + 1e-7]), 1e6


def kernel_loss(scale: Any, points: Any, y: Any) -> Any:
    gap = points[:, None] - points[None, :]
    kernel = jnp.exp(-(gap**2) / (2 * scale**2)) + 1e-8 * jnp.eye(len(y))
    return y @ jnp.linalg.solve(kernel, y) / 2 + jnp.linalg.slogdet(kernel)[1] / 2


def kernel_gradient(scale: np.ndarray, points: np.ndarray, y: np.ndarray) -> np.ndarray:
    gap2 = (points[:, None] - points[None, :]) ** 2
    smooth = np.exp(-gap2 / (2 * scale**2))
    kernel = smooth + 1e-8 * np.eye(len(y))
    dkernel = smooth * gap2 / scale**3
    solved = np.linalg.solve(kernel, y)
    return np.array(np.trace(np.linalg.solve(kernel, dkernel)) / 2 - solved @ dkernel @ solved / 2)


def draw_kernel(_: np.random.Generator) -> Any:
    """The likelihood of a Gaussian process whose length scale is long."""
    points = np.linspace(0, 1, 7)
    return np.array(0.8), points, np.sin(3 * points)


MODELS = (
    Model("Hilbert quadratic", quadratic_loss, quadratic_gradient, draw_quadratic),
    Model("Vandermonde", squares_loss, squares_gradient, draw_polynomial),
    Model("Hilbert solve", solve_loss, solve_gradient, draw_solve),
    Model("log-determinant", determinant_loss, determinant_gradient, draw_determinant),
    Model("steep valley", valley_loss, valley_gradient, draw_valley),
    Model("Gaussian process", kernel_loss, kernel_gradient, draw_kernel),
)
