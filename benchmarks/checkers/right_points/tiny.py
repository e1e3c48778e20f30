"""Tiny losses and tiny gradients."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject


def _scaled_sine_loss(w: Any, scale: Any) -> Any:
    return scale * jnp.sum(jnp.sin(w))


def _scaled_sine_gradient(w: np.ndarray, scale: float) -> np.ndarray:
    return scale * np.cos(w)


def _scaled_sine(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(size=7), 1e-6


def _squares_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2)


def _squares_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 2 / len(y) * x.T @ (x @ w - y)


def _small_units(rng: np.random.Generator) -> tuple[Any, ...]:
    """Lengths of molecules, in metres."""
    return rng.normal(size=3), 1e-9 * rng.normal(size=(11, 3)), 1e-9 * rng.normal(size=11)


def _likelihood_loss(mean: Any, x: Any) -> Any:
    return -jnp.prod(jnp.exp(-((x - mean[None, :]) ** 2) / 2) / jnp.sqrt(2 * jnp.pi))


def _likelihood_gradient(mean: np.ndarray, x: np.ndarray) -> np.ndarray:
    density = np.prod(np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi))
    return -density * (x - mean).sum(axis=0)


def _likelihood(rng: np.random.Generator) -> tuple[Any, ...]:
    """A likelihood that nobody took the logarithm of."""
    return rng.normal(size=2), rng.normal(size=(13, 2))


def _quartic_loss(w: Any) -> Any:
    return jnp.sum(w**4)


def _quartic_gradient(w: np.ndarray) -> np.ndarray:
    return 4 * w**3


def _near_a_flat_minimum(rng: np.random.Generator) -> tuple[Any, ...]:
    return (1e-3 * rng.normal(size=5),)


def _gaussian_loss(w: Any) -> Any:
    return -jnp.exp(-jnp.sum(w**2))


def _gaussian_gradient(w: np.ndarray) -> np.ndarray:
    return 2 * w * np.exp(-(w**2).sum())


def _far_tail(rng: np.random.Generator) -> tuple[Any, ...]:
    return (rng.uniform(2, 3, size=6),)


POINTS = (
    Subject("1e-6 sum(sin)", _scaled_sine_loss, _scaled_sine_gradient, _scaled_sine, {}),
    Subject("nanometres in metres", _squares_loss, _squares_gradient, _small_units, {}),
    Subject("raw likelihood", _likelihood_loss, _likelihood_gradient, _likelihood, {}),
    Subject("flat minimum", _quartic_loss, _quartic_gradient, _near_a_flat_minimum, {}),
    Subject("tail of a Gaussian", _gaussian_loss, _gaussian_gradient, _far_tail, {}),
)
