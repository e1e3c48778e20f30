"""Functions that optimisers are tried on; two of the gradients are written in jax.numpy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, size, softmax
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def rosenbrock_loss(x: Any) -> Any:
    """Rosenbrock: Σ 100 (x_i+1 - x_i²)² + (1 - x_i)²."""
    return jnp.sum(100 * jnp.square(x[1:] - jnp.square(x[:-1])) + jnp.square(1 - x[:-1]))


def rosenbrock_gradient(inner: bool = True, last: bool = True, bend: float = 2.0) -> Gradient:
    def gradient(x: Any) -> Any:
        # r_i = x_i+1 - x_i²
        r = x[1:] - x[:-1] ** 2
        dx = np.zeros_like(x)
        # L = Σ 100 r_i² + (1 - x_i)²
        dx[:-1] = -200 * bend * r * x[:-1] - (2 * (1 - x[:-1]) if inner else 0)
        if last:
            dx[1:] += 200 * r
        return dx

    return gradient


ROSENBROCK = Model(
    name="rosenbrock",
    loss=rosenbrock_loss,
    gradient=rosenbrock_gradient(),
    draw=rounded(lambda rng: (size(rng) * rng.normal(size=5),)),
    mistakes={
        "dropped-term": rosenbrock_gradient(inner=False),
        "neighbour-forgotten": rosenbrock_gradient(last=False),
        "power-rule": rosenbrock_gradient(bend=1.0),
        "one-element-off": m.one_element_off(rosenbrock_gradient()),
    },
)


def himmelblau_loss(params: Any) -> Any:
    """Himmelblau: (x² + y - 11)² + (x + y² - 7)²."""
    x, y = params
    return jnp.square(x * x + y - 11) + jnp.square(x + y * y - 7)


def himmelblau_gradient(power: bool = True, cross: bool = True, sign: float = 1.0) -> Gradient:
    def gradient(params: Any) -> Any:
        x, y = params
        # L = p² + q², p = x² + y - 11, q = x + y² - 7
        p, q = 2 * (x * x + y - 11), 2 * sign * (x + y * y - 7)
        two = 2 if power else 1
        return two * x * p + (q if cross else 0 * q), p + two * y * q

    return gradient


HIMMELBLAU = Model(
    name="himmelblau",
    loss=himmelblau_loss,
    gradient=himmelblau_gradient(),
    draw=rounded(lambda rng: (tuple(size(rng) * rng.normal(size=2) * 3),)),
    mistakes={
        "power-rule": himmelblau_gradient(power=False),
        "dropped-term": himmelblau_gradient(cross=False),
        "residual-sign": himmelblau_gradient(sign=-1.0),
        "exchanged": m.exchanged(himmelblau_gradient()),
    },
)


def ackley_loss(x: Any) -> Any:
    """Ackley: -20 e^(-√(mean x²) / 5) - e^(mean cos 2πx) + constant, away from 0."""
    root = jnp.sqrt(jnp.mean(jnp.square(x)))
    return 20 - 20 * jnp.exp(-0.2 * root) - jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))


def ackley_gradient(mean: bool = True, sign: float = 1.0, turns: bool = True) -> Gradient:
    def gradient(x: Any) -> Any:
        n = x.size if mean else 1
        root = jnp.sqrt(jnp.mean(jnp.square(x)))
        # -20 exp(-root / 5), root = √(mean x²)
        first = 4 * jnp.exp(-0.2 * root) * x / (n * root)
        # -exp(mean cos 2πx)
        waves = jnp.exp(jnp.mean(jnp.cos(2 * jnp.pi * x)))
        second = (2 * jnp.pi if turns else 1) * waves * jnp.sin(2 * jnp.pi * x) / n
        return first + sign * second

    return gradient


ACKLEY = Model(
    name="ackley",
    loss=ackley_loss,
    gradient=ackley_gradient(),
    draw=rounded(lambda rng: (size(rng, large=3.0, small=0.1) * rng.normal(size=3) + 0.1,)),
    mistakes={
        "missing-mean": ackley_gradient(mean=False),
        "sine-sign": ackley_gradient(sign=-1.0),
        "chain-forgotten": ackley_gradient(turns=False),
        "exchanged-elements": m.exchanged_elements(ackley_gradient()),
    },
)


def temperature_loss(params: Any, target: Any) -> Any:
    """Softmax with temperature: T logsumexp(z / T) - target · z, T = e^t."""
    t = jnp.exp(params["log_t"])
    return t * jax.nn.logsumexp(params["z"] / t) - target @ params["z"]


def temperature_gradient(
    cold: bool = False, entropy: bool = True, chain: bool = True, target_sign: float = 1.0
) -> Gradient:
    def gradient(params: Any, target: Any) -> Any:
        t, z = np.exp(params["log_t"]), params["z"]
        # L = T log Σ e^(z / T) - target · z
        p = softmax(z if cold else z / t)
        # dL/dT is the entropy of p: with u = (z - max z) / T, log Σ e^u - p · u
        u = (z - z.max()) / t
        top = u == 0
        dt = np.log1p(np.where(top, 0, np.exp(u)).sum()) - (p @ u if entropy else 0)
        return {"z": p - target_sign * target, "log_t": dt * t if chain else dt}

    return gradient


def draw_temperature(rng: np.random.Generator) -> Any:
    params = {"z": rng.normal(size=5) * 2, "log_t": rng.choice([0.0, 0.5, -1.0, -2.0]) + 0.1}
    return params, rng.dirichlet(np.ones(5))


TEMPERATURE = Model(
    name="softmax-temperature",
    loss=temperature_loss,
    gradient=temperature_gradient(),
    draw=rounded(draw_temperature),
    mistakes={
        "temperature-forgotten": temperature_gradient(cold=True),
        "entropy-term-dropped": temperature_gradient(entropy=False),
        "log-chain-forgotten": temperature_gradient(chain=False),
        "residual-sign": temperature_gradient(target_sign=-1.0),
    },
)


def barrier_loss(x: Any, a: Any, b: Any, c: Any) -> Any:
    """Logarithmic barrier: c · x - Σ log(b - A x), inside."""
    return c @ x - jnp.sum(jnp.log(b - a @ x))


def barrier_gradient(sign: float = 1.0, cost: bool = True, square: bool = False) -> Gradient:
    def gradient(x: Any, a: Any, b: Any, c: Any) -> Any:
        # s = b - A @ x
        s = jnp.subtract(b, jnp.dot(a, x))
        # L = c · x - Σ log s
        inverse = 1 / (jnp.square(s) if square else s)
        return (c if cost else 0 * c) + sign * jnp.dot(inverse, a)

    return gradient


def draw_barrier(rng: np.random.Generator) -> Any:
    x, a, c = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=3)
    return x, a, a @ x + size(rng, large=10.0) * rng.uniform(0.1, 1, size=7), c


BARRIER = Model(
    name="logarithmic-barrier",
    loss=barrier_loss,
    gradient=barrier_gradient(),
    draw=rounded(draw_barrier),
    mistakes={
        "barrier-sign": barrier_gradient(sign=-1.0),
        "cost-forgotten": barrier_gradient(cost=False),
        "inverse-square": barrier_gradient(square=True),
        "one-element-off": m.one_element_off(barrier_gradient()),
    },
)

MODELS = [ROSENBROCK, HIMMELBLAU, ACKLEY, TEMPERATURE, BARRIER]
