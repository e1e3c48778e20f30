"""Huge losses, huge gradients, huge parameters."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject


def _sine_loss(w: Any, scale: Any) -> Any:
    return scale * jnp.sum(jnp.sin(w))


def _sine_gradient(w: np.ndarray, scale: float) -> np.ndarray:
    return scale * np.cos(w)


def _sine(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(size=7), 1e8


def _squares_loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def _squares_gradient(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    residual = 2 / len(y) * (x @ params["w"] + params["b"] - y)
    return {"w": x.T @ residual, "b": residual.sum()}


def _incomes(rng: np.random.Generator) -> tuple[Any, ...]:
    """Incomes and prices of houses in dollars, not scaled."""
    params = {"w": np.array([3.0, 1200.0]), "b": np.array(1e4)}
    x = np.stack([rng.uniform(2e4, 2e5, size=9), rng.uniform(500, 4000, size=9)], axis=1)
    return params, x, rng.uniform(1e5, 2e6, size=9)


def _counts_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.sum(jnp.exp(x @ w) - y * (x @ w))


def _counts_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x.T @ (np.exp(x @ w) - y)


def _counts(rng: np.random.Generator) -> tuple[Any, ...]:
    """Poisson regression of counts about 1e9."""
    x = np.stack([np.ones(9), rng.normal(size=9)], axis=1)
    w = np.array([20.0, 0.5])
    return w + 0.1, x, np.round(np.exp(x @ w))


def _rosenbrock_loss(w: Any) -> Any:
    return jnp.sum(100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2)


def _rosenbrock_gradient(w: np.ndarray) -> np.ndarray:
    dw = np.zeros_like(w)
    dw[:-1] = -400 * w[:-1] * (w[1:] - w[:-1] ** 2) - 2 * (1 - w[:-1])
    dw[1:] += 200 * (w[1:] - w[:-1] ** 2)
    return dw


def _far_start(rng: np.random.Generator) -> tuple[Any, ...]:
    return (1e3 * rng.normal(size=5),)


def _gravity_loss(place: Any, masses: Any) -> Any:
    d = place[0] - place[1]
    return -6.674e-11 * masses[0] * masses[1] / jnp.sqrt(jnp.sum(d * d))


def _gravity_gradient(place: np.ndarray, masses: np.ndarray) -> np.ndarray:
    d = place[0] - place[1]
    force = 6.674e-11 * masses[0] * masses[1] * d / (d @ d) ** 1.5
    return np.stack([force, -force])


def _gravity(_: np.random.Generator) -> tuple[Any, ...]:
    """The potential energy of the Sun and the Earth, in SI units."""
    return np.array([[7e8, -3e8, 1e7], [1.1e11, 1.0e11, 2e9]]), np.array([1.989e30, 5.972e24])


def _offset_loss(w: Any, constant: Any) -> Any:
    return constant + jnp.sum(w**2)


def _offset_gradient(w: np.ndarray, constant: float) -> np.ndarray:  # noqa: ARG001 (as the loss)
    return 2 * w


def _offset(rng: np.random.Generator) -> tuple[Any, ...]:
    """A log-likelihood with its constant, say: large, and no part of the gradient."""
    return rng.normal(size=5), 1e7


POINTS = (
    Subject("1e8 sum(sin)", _sine_loss, _sine_gradient, _sine, {}),
    Subject("dollars", _squares_loss, _squares_gradient, _incomes, {}),
    Subject("counts of a billion", _counts_loss, _counts_gradient, _counts, {}),
    Subject("Rosenbrock, far away", _rosenbrock_loss, _rosenbrock_gradient, _far_start, {}),
    Subject("Sun and Earth", _gravity_loss, _gravity_gradient, _gravity, {}),
    Subject("large constant", _offset_loss, _offset_gradient, _offset, {}),
)
