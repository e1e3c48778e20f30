"""Mistakes in one element of a large parameter: a sign, a zero, a relative error of 1e-9."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.edits import Gradient
from models.model import Slip

#: Of an element: a zero has a name, the others have none.
MISTAKES = {
    "sign": Slip("the sign turned", lambda element: -element, kinds="unknown sign"),
    "zero": Slip("a zero in its place", lambda element: 0.0 * element, kinds="zero"),
    "1e-9": Slip("a relative error of 1e-9", lambda x: x * (1 + 1e-9), kinds="unknown"),
}

#: Examples in the batch: enough that no gradient is a product of two vectors.
BATCH = 7


def loss(params: dict[str, Any], x: Any, y: Any) -> Any:
    """Compute half the squared error of a tanh layer, the mean over examples: a scalar."""
    return jnp.sum((jnp.tanh(x @ params["w"] + params["b"][None, :]) - y) ** 2) / (2 * len(x))


def gradient(params: dict[str, Any], x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Compute the gradient by hand: tanh′ = (1 - h)(1 + h)."""
    h = np.tanh(x @ params["w"] + params["b"])
    dz = (h - y) / len(x) * (1 - h) * (1 + h)
    return {"w": x.T @ dz, "b": dz.sum(axis=0)}


def draw(elements: int) -> tuple[Any, ...]:
    """Draw (params, x, y) with a matrix of so many elements; no unit is saturated."""
    rng, units = np.random.default_rng(elements), round(elements**0.5)
    w = rng.normal(size=(units, units)) / np.sqrt(units)
    params = {"w": w, "b": 0.1 * rng.normal(size=units)}
    return params, rng.normal(size=(BATCH, units)), rng.normal(size=(BATCH, units))


def planted(elements: int, mistake: str, which: int) -> Gradient:
    """Make the gradient with a mistake in one random element of w, the `which`-th draw."""
    at = int(np.random.default_rng((elements, which)).integers(elements))

    def wrong(params: dict[str, Any], x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        grads = gradient(params, x, y)
        flat = grads["w"].reshape(-1)
        flat[at] = MISTAKES[mistake].of(flat[at])
        return grads

    return wrong
