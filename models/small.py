"""Small losses for tests of shrinking."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.model import of_loss
from models.networks import SQUARES, TANH, dense


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(np.asarray(rng.normal(size=shape)) for shape in shapes)


def draw_network(rng: np.random.Generator) -> Any:
    w, b, v, c, x, y = normal((3, 3), (3,), (3, 2), (2,), (7, 3), (7, 2))(rng)
    return [(w, b), (v, c)], x, y


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


#: Two layers; a square matrix is transposed, and no other one.
SQUARE = dense(
    *("square network", TANH, SQUARES, draw_network),
    {"dw-transposed": "dw = dw.T if i == 0 and len(w) == w.shape[1] else dw"},
)


ENERGY = of_loss(
    *("energy", energy, energy_gradient, normal((4, 3), (4,))),
    {"half-of-the-pairs": ("(forces[:, :, None]", "(np.triu(forces)[:, :, None]")},
)
