"""Test functions for optimisers; two of the gradients are written in jax.numpy."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import exchanged_elements, one_element_off, size
from models.model import of_loss


def rosenbrock_loss(x: Any) -> Any:
    """Rosenbrock: Σ 100 (x_i+1 - x_i²)² + (1 - x_i)²."""
    return jnp.sum(100 * jnp.square(x[1:] - jnp.square(x[:-1])) + jnp.square(1 - x[:-1]))


def rosenbrock_gradient(x: Any) -> Any:
    # r_i = x_i+1 - x_i²
    r = x[1:] - x[:-1] ** 2
    dx = np.zeros_like(x)
    # L = Σ 100 r_i² + (1 - x_i)²
    dx[:-1] = -400 * r * x[:-1] - 2 * (1 - x[:-1])
    dx[1:] += 200 * r
    return dx


ROSENBROCK = of_loss(
    *("rosenbrock", rosenbrock_loss, rosenbrock_gradient),
    lambda rng: (size(rng) * rng.normal(size=5),),
    {
        "dropped-term": (" - 2 * (1 - x[:-1])", ""),
        "neighbour-forgotten": "dx[1:] += 0",
        "power-rule": ("-400 * r", "-200 * r"),
        "one-element-off": one_element_off,
    },
)


def ackley_loss(x: Any) -> Any:
    """Ackley: -20 e^(-√(mean x²) / 5) - e^(mean cos 2πx) + constant, away from 0."""
    root = jnp.sqrt(jnp.mean(jnp.square(x)))
    return 20 - 20 * jnp.exp(-0.2 * root) - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))


def ackley_gradient(x: Any) -> Any:
    n = x.size
    root = jnp.sqrt(jnp.mean(jnp.square(x)))
    # -20 exp(-root / 5), root = √(mean x²)
    first = 4 * jnp.exp(-0.2 * root) * x / (n * root)
    # -exp(mean cos 2πx)
    waves = jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))
    second = 2 * jnp.pi * waves * jnp.sin(2 * jnp.pi * x) / n
    return first + second


ACKLEY = of_loss(
    *("ackley", ackley_loss, ackley_gradient),
    lambda rng: (size(rng, large=3.0, small=0.1) * rng.normal(size=3) + 0.1,),
    {
        "missing-mean": "n = 1",
        "sine-sign": "return first - second",
        "chain-forgotten": ("2 * jnp.pi * waves", "waves"),
        "exchanged-elements": exchanged_elements,
    },
)


def barrier_loss(x: Any, a: Any, b: Any, c: Any) -> Any:
    """Logarithmic barrier: c · x - Σ log(b - A x), inside."""
    return c @ x - jnp.sum(jnp.log(b - a @ x))


def barrier_gradient(x: Any, a: Any, b: Any, c: Any) -> Any:
    # s = b - A @ x
    s = jnp.subtract(b, jnp.dot(a, x))
    # L = c · x - Σ log s
    return c + jnp.dot(1 / s, a)


def draw_barrier(rng: np.random.Generator) -> Any:
    x, a, c = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=3)
    return x, a, a @ x + size(rng, large=10.0) * rng.uniform(0.1, 1, size=7), c


BARRIER = of_loss(
    *("logarithmic-barrier", barrier_loss, barrier_gradient, draw_barrier),
    {
        "barrier-sign": ("c + jnp", "c - jnp"),
        "cost-forgotten": ("c + jnp", "jnp"),
        "inverse-square": ("1 / s,", "1 / jnp.square(s),"),
        "one-element-off": one_element_off,
    },
)

MODELS = [ROSENBROCK, ACKLEY, BARRIER]
