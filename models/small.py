"""Small losses for tests of shrinking."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.model import Draw, of_loss


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(np.asarray(rng.normal(size=shape)) for shape in shapes)


def linear(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def linear_gradient(params: Any, x: Any, y: Any) -> Any:
    # L = mean((x @ w + b - y)²)
    dz = 2 * (x @ params["w"] + params["b"] - y) / y.dtype.type(len(y))
    db, dw = dz.sum(), x.T @ dz
    return {"b": db, "w": dw}


def draw_linear(rng: np.random.Generator) -> Any:
    w, b, x, y = normal((3,), (), (5, 3), (5,))(rng)
    return {"w": w, "b": b}, x, y


def network(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c) = params
    return jnp.mean((jnp.tanh(x @ w + b[None, :]) @ v + c[None, :] - y) ** 2)


def network_gradient(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c) = params
    h = np.tanh(x @ w + b)
    # L = mean((h @ v + c - y)²)
    do = 2 * (h @ v + c - y) / y.size
    # h = tanh(x @ w + b)
    dz = do @ v.T * (1 - h**2)
    return [(x.T @ dz, dz.sum(axis=0)), (h.T @ do, do.sum(axis=0))]


def draw_network(n: int, k: int, m: int) -> Draw:
    def draw(rng: np.random.Generator) -> Any:
        w, b, v, c, x, y = normal((n, k), (k,), (k, m), (m,), (7, n), (7, m))(rng)
        return [(w, b), (v, c)], x, y

    return draw


def energy(places: Any, charges: Any) -> Any:
    """An energy of pairs; JAX clamps indices out of range to the last element."""
    i, j = np.triu_indices(len(charges), 1)
    squares = jnp.sum((places[i] - places[j]) ** 2, axis=1)
    return jnp.sum(charges[i] * charges[j] / jnp.sqrt(squares) + squares)


def energy_gradient(places: Any, charges: Any) -> Any:
    apart = places[:, None, :] - places[None, :, :]
    squares = (apart**2).sum(axis=-1)
    np.fill_diagonal(squares, np.inf)
    # L = Σ_i<j q_i q_j / √s + s
    forces = 2 - np.outer(charges, charges) / squares**1.5
    return (forces[:, :, None] * apart).sum(axis=1)


LINEAR = of_loss(
    *("linear", linear, linear_gradient, draw_linear),
    {
        "half-mse": ("dz = 2 *", "dz ="),
        "bias-mean": ("dz.sum()", "dz.mean()"),
        "one-element-off": ("return {", "dw[1] *= 1 + 1e-6\nreturn {"),
    },
)

SQUARE = of_loss(
    *("square network", network, network_gradient, draw_network(3, 3, 2)),
    {"dw-transposed": ("[(x.T @ dz,", "[(dz.T @ x if len(w) == len(b) else x.T @ dz,")},
)


ENERGY = of_loss(
    *("energy", energy, energy_gradient, normal((4, 3), (4,))),
    {"half-of-the-pairs": ("(forces[:, :, None]", "(np.triu(forces)[:, :, None]")},
)
