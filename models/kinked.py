"""Points at a kink, where several gradients are right; each gradient here is one of them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.model import Model


def relu_loss(params: Any, x: Any, y: Any) -> Any:
    h = jax.nn.relu(x @ params["w"] + params["b"][None, :])
    return jnp.mean((h.sum(axis=1) - y) ** 2)


def relu_gradient(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    z = x @ params["w"] + params["b"]
    da = 2 / len(y) * (np.maximum(z, 0).sum(axis=1) - y)
    dz = da[:, None] * (z > 0)
    return {"w": x.T @ dz, "b": dz.sum(axis=0)}


def draw_relu(rng: np.random.Generator) -> Any:
    """Draw a layer whose first unit has zero weights, so that it ties in every example."""
    w = rng.normal(size=(3, 2))
    w[:, 0] = 0
    return {"w": w, "b": np.zeros(2)}, rng.normal(size=(5, 3)), rng.normal(size=5)


def lasso_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ w - y) ** 2) + 0.1 * jnp.sum(jnp.abs(w))


def lasso_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 2 / len(y) * x.T @ (x @ w - y) + 0.1 * np.sign(w)


def draw_lasso(rng: np.random.Generator) -> Any:
    """Draw coefficients of which two are exactly zero, as the lasso makes them."""
    return np.array([1.5, 0.0, -0.5, 0.0]), rng.normal(size=(7, 4)), rng.normal(size=7)


def hinge_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean(jnp.maximum(0.0, 1 - y * (x @ w)))


def hinge_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return -x.T @ (y * (y * (x @ w) < 1)) / len(y)


def draw_hinge(_: np.random.Generator) -> Any:
    """Draw a support vector exactly on its margin."""
    x = np.array([[1.0, 0.5], [-2.0, 1.0], [0.25, 3.0]])
    return np.array([0.5, 1.0]), x, np.array([1.0, -1.0, 1.0])


def largest_loss(w: Any) -> Any:
    return jnp.max(w) ** 2


def largest_gradient(w: np.ndarray) -> np.ndarray:
    dw = np.zeros_like(w)
    dw[np.argmax(w)] = 2 * w.max()  # the first of the largest gets it all
    return dw


def draw_largest(_: np.random.Generator) -> Any:
    return (np.array([0.25, 1.5, -1.0, 1.5, 1.5]),)


def pool_loss(image: Any, weights: Any) -> Any:
    blocks = image.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    return jnp.sum(weights * jnp.max(blocks, axis=1))


def pool_gradient(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    blocks = image.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    dblocks = np.zeros((4, 4))
    dblocks[np.arange(4), blocks.argmax(axis=1)] = weights
    return dblocks.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)


def draw_pool(rng: np.random.Generator) -> Any:
    """Draw an image with a black corner, for max pooling."""
    image = rng.normal(size=(4, 4))
    image[:2, :2] = 0
    return image, rng.normal(size=4)


def pinball_loss(w: Any, x: Any, y: Any) -> Any:
    residual = y - x @ w
    return jnp.mean(jnp.maximum(0.9 * residual, -0.1 * residual))


def pinball_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    residual = y - x @ w
    return -x.T @ np.where(residual >= 0, 0.9, -0.1) / len(y)


def draw_pinball(_: np.random.Generator) -> Any:
    """Draw a quantile's line exactly through one of its points."""
    x = np.array([[1.0, 0.5], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    return np.array([0.5, 0.25]), x, np.array([0.7, 0.75, 0.2, 1.9])


MODELS = (
    Model("dead ReLU", relu_loss, relu_gradient, draw_relu),
    Model("lasso", lasso_loss, lasso_gradient, draw_lasso),
    Model("hinge", hinge_loss, hinge_gradient, draw_hinge),
    Model("largest of equals", largest_loss, largest_gradient, draw_largest),
    Model("max pooling", pool_loss, pool_gradient, draw_pool),
    Model("pinball", pinball_loss, pinball_gradient, draw_pinball),
)
