"""Losses as SciPy's users write them, with right gradients, and the same losses in jax.numpy."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

Draw = Callable[[np.random.Generator], tuple[Any, ...]]


@dataclass(frozen=True)
class Plain:
    """A loss that JAX cannot trace, its gradient by hand, and the loss in a form that it can."""

    loss: Callable[..., Any]
    gradient: Callable[..., Any]
    draw: Draw
    counterpart: Callable[..., Any]


ALL: dict[str, Plain] = {}


def plain(
    draw: Draw, gradient: Callable[..., Any], counterpart: Any = None
) -> Callable[[Any], Any]:
    """Register what makes a loss out of a module, `numpy` or `jax.numpy`."""

    def register(make: Any) -> Any:
        ALL[make.__name__] = Plain(make(np), gradient, draw, counterpart or make(jnp))
        return make

    return register


def vector(n: int) -> Draw:
    """n parameters and nothing else."""
    return lambda rng: (rng.standard_normal(n),)


def data(n: int, m: int) -> Draw:
    """Parameters of a linear model, a matrix, and labels 0 and 1."""

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        labels = (rng.random(n) < 0.5).astype(float)
        return rng.standard_normal(m), rng.standard_normal((n, m)), labels

    return draw


def rosenbrock_gradient(x: Any) -> Any:
    grad = np.zeros_like(x)
    grad[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    grad[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return grad


@plain(vector(5), rosenbrock_gradient)
def rosenbrock(np: Any) -> Any:
    return lambda x: np.sum(100.0 * np.square(x[1:] - x[:-1] ** 2.0) + np.square(1 - x[:-1]))


def by_loops(w: Any, x: Any, y: Any) -> Any:
    total = 0.0
    for i in range(len(y)):
        residual = y[i]
        for j in range(len(w)):
            residual -= np.exp(w[j]) * x[i, j]
        total += residual**2
    return total / len(y)


@plain(
    data(5, 2),
    lambda w, x, y: -2 * np.exp(w) * (x.T @ (y - x @ np.exp(w))) / len(y),
    counterpart=lambda w, x, y: jnp.mean((y - x @ jnp.exp(w)) ** 2),
)
def least_squares_by_loops(_: Any) -> Any:
    return by_loops


@plain(
    lambda rng: (rng.standard_normal(3), rng.standard_normal((8, 3)), 2 * rng.standard_normal(8)),
    lambda w, x, y: x.T @ np.clip(x @ w - y, -1, 1),
)
def huber(np: Any) -> Any:
    def loss(w: Any, x: Any, y: Any) -> Any:
        r = x @ w - y
        return np.sum(np.where(np.abs(r) <= 1, 0.5 * np.square(r), np.abs(r) - 0.5))

    return loss


def network_draw(rng: np.random.Generator) -> tuple[Any, ...]:
    params = {"w1": rng.standard_normal((2, 3)), "b1": rng.standard_normal(3)}
    return params | {"w2": rng.standard_normal(3)}, rng.standard_normal((5, 2))


def network_gradient(p: Any, x: Any) -> Any:
    z = x @ p["w1"] + p["b1"]
    h = np.log1p(np.exp(z))
    out = h @ p["w2"]
    dz = 2 * out[:, None] * p["w2"] / (1 + np.exp(-z))
    return {"w1": x.T @ dz, "b1": dz.sum(axis=0), "w2": 2 * h.T @ out}


@plain(network_draw, network_gradient)
def softplus_network(np: Any) -> Any:
    return lambda p, x: np.sum(
        np.square(np.log1p(np.exp(x @ p["w1"] + p["b1"][None, :])) @ p["w2"])
    )


def softmax_gradient(z: Any, label: int) -> Any:
    e = np.exp(z - z.max())
    return e / e.sum() - (np.arange(len(z)) == label).astype(z.dtype)


@plain(lambda rng: (rng.standard_normal(5), 2), softmax_gradient)
def normalised_exponentials(np: Any) -> Any:
    def loss(z: Any, label: int) -> Any:
        e = np.exp(z - np.max(z))
        return -np.log((e / e.sum())[label])

    return loss


def written(x: Any) -> Any:
    out = np.zeros_like(x)
    for i in range(len(x)):
        out[i] = math.pi * x[i] ** 2 if x[i] > 0 else -x[i]
    out += np.arctan(x)
    return np.dot(out, out)


def written_gradient(x: Any) -> Any:
    out = np.where(x > 0, math.pi * x**2, -x) + np.arctan(x)
    return 2 * out * (np.where(x > 0, 2 * math.pi * x, -1) + 1 / (1 + x * x))


@plain(
    vector(4),
    written_gradient,
    counterpart=lambda x: jnp.sum((jnp.where(x > 0, math.pi * x**2, -x) + jnp.arctan(x)) ** 2),
)
def an_array_filled_in_a_loop(_: Any) -> Any:
    return written


def system_gradient(x: Any, a: Any, b: Any) -> Any:
    u = np.linalg.solve(a @ a.T + np.diag(np.exp(x)), b)
    return -(u**2) * np.exp(x)


@plain(
    lambda rng: (rng.standard_normal(3), rng.standard_normal((3, 3)), rng.standard_normal(3)),
    system_gradient,
)
def linear_system(np: Any) -> Any:
    return lambda x, a, b: b @ np.linalg.solve(a @ a.T + np.diag(np.exp(x)), b)


@plain(
    lambda rng: (1 + rng.random(3), rng.standard_normal(3)),
    lambda x, z: scipy.special.digamma(x) + z * scipy.special.expit(z * x),
    counterpart=lambda x, z: jnp.sum(jax.scipy.special.gammaln(x) + jnp.logaddexp(0, z * x)),
)
def functions_of_scipy(np: Any) -> Any:
    return lambda x, z: np.sum(scipy.special.gammaln(x) - np.log(scipy.special.expit(-z * x)))


def in_format(tree: Any, dtype: Any) -> Any:
    """Arrays of floats in that format."""
    return jax.tree_util.tree_map(
        lambda leaf: leaf.astype(dtype) if isinstance(leaf, np.ndarray) else leaf, tree
    )
