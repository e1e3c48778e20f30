"""Test functions for optimisers; two of the gradients are written in jax.numpy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import exchanged_elements, one_element_off
from models.model import Model
from models.numerics import size, softmax


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


def draw_rosenbrock(rng: np.random.Generator) -> Any:
    return (size(rng) * rng.normal(size=5),)


ROSENBROCK = Model(
    *("rosenbrock", rosenbrock_loss, rosenbrock_gradient, draw_rosenbrock),
    {
        "dropped-term": (" - 2 * (1 - x[:-1])", ""),
        "neighbour-forgotten": ("+= 200 * r", "+= 0"),
        "power-rule": ("-400 * r", "-200 * r"),
        "one-element-off": one_element_off,
    },
)


def himmelblau_loss(params: Any) -> Any:
    """Himmelblau: (x² + y - 11)² + (x + y² - 7)²."""
    x, y = params
    return jnp.square(x * x + y - 11) + jnp.square(x + y * y - 7)


def himmelblau_gradient(params: Any) -> Any:
    x, y = params
    # L = p² + q², p = x² + y - 11, q = x + y² - 7
    dp, dq = 2 * (x * x + y - 11), 2 * (x + y * y - 7)
    return 2 * x * dp + dq, dp + 2 * y * dq


def draw_himmelblau(rng: np.random.Generator) -> Any:
    return (tuple(size(rng) * rng.normal(size=2) * 3),)


HIMMELBLAU = Model(
    *("himmelblau", himmelblau_loss, himmelblau_gradient, draw_himmelblau),
    {
        "power-rule": ("return 2 * x * dp + dq, dp + 2 * y", "return x * dp + dq, dp + y"),
        "dropped-term": ("dp + dq, dp", "dp, dp"),
        "residual-sign": ("2 * (x + y * y - 7)\n", "-2 * (x + y * y - 7)\n"),
        "exchanged": ("2 * x * dp + dq, dp + 2 * y * dq", "dp + 2 * y * dq, 2 * x * dp + dq"),
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


def draw_ackley(rng: np.random.Generator) -> Any:
    return (size(rng, large=3.0, small=0.1) * rng.normal(size=3) + 0.1,)


ACKLEY = Model(
    *("ackley", ackley_loss, ackley_gradient, draw_ackley),
    {
        "missing-mean": ("n = x.size", "n = 1"),
        "sine-sign": ("first + second", "first - second"),
        "chain-forgotten": ("2 * jnp.pi * waves", "waves"),
        "exchanged-elements": exchanged_elements,
    },
)


def temperature_loss(params: Any, target: Any) -> Any:
    """Softmax with temperature: T logsumexp(z / T) - target · z, T = e^t."""
    t = jnp.exp(params["log_t"])
    return t * jax.nn.logsumexp(params["z"] / t) - target @ params["z"]


def temperature_gradient(params: Any, target: Any) -> Any:
    t, z = np.exp(params["log_t"]), params["z"]
    # L = T log Σ e^(z / T) - target · z
    p = softmax(z / t)
    # dL/dT is the entropy of p: with u = (z - max z) / T, log Σ e^u - p · u
    u = (z - z.max()) / t
    dt = np.log1p(np.where(u == 0, 0, np.exp(u)).sum()) - p @ u
    # T = e^t
    return {"z": p - target, "log_t": dt * t}


def draw_temperature(rng: np.random.Generator) -> Any:
    params = {"z": rng.normal(size=5) * 2, "log_t": rng.choice([0.0, 0.5, -1.0, -2.0]) + 0.1}
    return params, rng.dirichlet(np.ones(5))


TEMPERATURE = Model(
    *("softmax-temperature", temperature_loss, temperature_gradient, draw_temperature),
    {
        "temperature-forgotten": ("softmax(z / t)", "softmax(z)"),
        "entropy-term-dropped": (" - p @ u", ""),
        "log-chain-forgotten": ("dt * t", "dt"),
        "residual-sign": ("p - target", "p + target"),
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


BARRIER = Model(
    *("logarithmic-barrier", barrier_loss, barrier_gradient, draw_barrier),
    {
        "barrier-sign": ("c + jnp", "c - jnp"),
        "cost-forgotten": ("c + jnp", "jnp"),
        "inverse-square": ("1 / s,", "1 / jnp.square(s),"),
        "one-element-off": one_element_off,
    },
)

MODELS = [ROSENBROCK, HIMMELBLAU, ACKLEY, TEMPERATURE, BARRIER]
