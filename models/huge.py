"""Huge losses, huge gradients, huge parameters."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.model import Model
from models.optimisation import rosenbrock_gradient, rosenbrock_loss
from models.tiny import sine_gradient, sine_loss


def draw_sine(rng: np.random.Generator) -> Any:
    return rng.normal(size=7), 1e8


def squares_loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def squares_gradient(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    residual = 2 / len(y) * (x @ params["w"] + params["b"] - y)
    return {"w": x.T @ residual, "b": residual.sum()}


def draw_incomes(rng: np.random.Generator) -> Any:
    """Draw incomes and house prices in dollars, not scaled."""
    params = {"w": np.array([3.0, 1200.0]), "b": np.array(1e4)}
    x = np.stack([rng.uniform(2e4, 2e5, size=9), rng.uniform(500, 4000, size=9)], axis=1)
    return params, x, rng.uniform(1e5, 2e6, size=9)


def counts_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.exp(x @ w) - y * (x @ w))


def counts_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x.T @ (np.exp(x @ w) - y)


def draw_counts(rng: np.random.Generator) -> Any:
    """Draw a Poisson regression with counts of about 1e9."""
    x = np.stack([np.ones(9), rng.normal(size=9)], axis=1)
    w = np.array([20.0, 0.5])
    return w + 0.1, x, np.round(np.exp(x @ w))


def draw_far_start(rng: np.random.Generator) -> Any:
    return (1e3 * rng.normal(size=5),)


def gravity_loss(place: Any, masses: Any) -> Any:
    d = place[0] - place[1]
    return -6.674e-11 * masses[0] * masses[1] / jnp.sqrt(jnp.sum(d * d))


def gravity_gradient(place: np.ndarray, masses: np.ndarray) -> np.ndarray:
    d = place[0] - place[1]
    force = 6.674e-11 * masses[0] * masses[1] * d / (d @ d) ** 1.5
    return np.stack([force, -force])


def draw_gravity(_: np.random.Generator) -> Any:
    """The potential energy of the Sun and the Earth, in SI units."""
    return np.array([[7e8, -3e8, 1e7], [1.1e11, 1.0e11, 2e9]]), np.array([1.989e30, 5.972e24])


def offset_loss(w: Any, constant: Any) -> Any:
    return constant + jnp.sum(w**2)


def offset_gradient(w: np.ndarray, constant: float) -> np.ndarray:  # noqa: ARG001 (as the loss)
    return 2 * w


def draw_offset(rng: np.random.Generator) -> Any:
    """Draw a loss with a large constant, like that of a log-likelihood, which has no gradient."""
    return rng.normal(size=5), 1e7


MODELS = (
    Model("1e8 sum(sin)", sine_loss, sine_gradient, draw_sine),
    Model("dollars", squares_loss, squares_gradient, draw_incomes),
    Model("counts of a billion", counts_loss, counts_gradient, draw_counts),
    Model("Rosenbrock, far away", rosenbrock_loss, rosenbrock_gradient, draw_far_start),
    Model("Sun and Earth", gravity_loss, gravity_gradient, draw_gravity),
    Model("large constant", offset_loss, offset_gradient, draw_offset),
)
