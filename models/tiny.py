"""Tiny losses and tiny gradients."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.model import Model


def sine_loss(w: Any, scale: Any) -> Any:
    return scale * jnp.sum(jnp.sin(w))


def sine_gradient(w: np.ndarray, scale: float) -> np.ndarray:
    return scale * np.cos(w)


def draw_sine(rng: np.random.Generator) -> Any:
    return rng.normal(size=7), 1e-6


def squares_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2)


def squares_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 2 / len(y) * x.T @ (x @ w - y)


def draw_small_units(rng: np.random.Generator) -> Any:
    """Draw lengths of molecules, in metres."""
    return rng.normal(size=3), 1e-9 * rng.normal(size=(11, 3)), 1e-9 * rng.normal(size=11)


def likelihood_loss(mean: Any, x: Any) -> Any:
    return -jnp.prod(jnp.exp(-((x - mean[None, :]) ** 2) / 2) / jnp.sqrt(2 * jnp.pi))


def likelihood_gradient(mean: np.ndarray, x: np.ndarray) -> np.ndarray:
    density = np.prod(np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi))
    return -density * (x - mean).sum(axis=0)


def draw_likelihood(rng: np.random.Generator) -> Any:
    """Draw a likelihood whose logarithm was not taken."""
    return rng.normal(size=2), rng.normal(size=(13, 2))


def quartic_loss(w: Any) -> Any:
    return jnp.sum(w**4)


def quartic_gradient(w: np.ndarray) -> np.ndarray:
    return 4 * w**3


def draw_near_a_flat_minimum(rng: np.random.Generator) -> Any:
    return (1e-3 * rng.normal(size=5),)


def gaussian_loss(w: Any) -> Any:
    return -jnp.exp(-jnp.sum(w**2))


def gaussian_gradient(w: np.ndarray) -> np.ndarray:
    return 2 * w * np.exp(-(w**2).sum())


def draw_far_tail(rng: np.random.Generator) -> Any:
    return (rng.uniform(2, 3, size=6),)


MODELS = (
    Model("1e-6 sum(sin)", sine_loss, sine_gradient, draw_sine),
    Model("nanometres in metres", squares_loss, squares_gradient, draw_small_units),
    Model("raw likelihood", likelihood_loss, likelihood_gradient, draw_likelihood),
    Model("flat minimum", quartic_loss, quartic_gradient, draw_near_a_flat_minimum),
    Model("tail of a Gaussian", gaussian_loss, gaussian_gradient, draw_far_tail),
)
