"""Saturated units: their derivatives are tiny, and 1 - σ would lose their digits."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.model import Model


def sigmoid(z: np.ndarray) -> np.ndarray:
    """σ(z), by the branch whose exponential does not overflow; σ(-z) is an accurate 1 - σ(z)."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


def neuron_loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((jax.nn.sigmoid(x @ params["w"] + params["b"]) - y) ** 2)


def neuron_gradient(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    z = x @ params["w"] + params["b"]
    dz = 2 / len(y) * (sigmoid(z) - y) * sigmoid(z) * sigmoid(-z)
    return {"w": x.T @ dz, "b": dz.sum()}


def draw_neuron(_: np.random.Generator) -> Any:
    params = {"w": np.array([1.0, 1.0]), "b": np.array(0.5)}
    x = np.array([[25.0, 6.0], [17.0, 4.0], [21.0, 9.0]])
    return params, x, np.array([0.0, 0.25, 0.5])


def margins_loss(w: Any, x: Any, y: Any) -> Any:
    return jnp.mean(jax.nn.softplus(-y * (x @ w)))


def margins_gradient(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return -x.T @ (y * sigmoid(-y * (x @ w))) / len(y)


def draw_margins(rng: np.random.Generator) -> Any:
    w, x = np.array([11.0, -7.0, 5.0]), rng.uniform(1, 3, size=(5, 3))
    return w, x, np.sign(x @ w)


def tanh_loss(w: Any, x: Any) -> Any:
    return jnp.sum(jnp.tanh(x * w))


def tanh_gradient(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    e = np.exp(-2 * np.abs(x * w))
    return x * 4 * e / (1 + e) ** 2  # tanh′ as 1 / cosh²


def draw_tanh(rng: np.random.Generator) -> Any:
    return rng.uniform(10, 16, size=7), rng.choice([-1.0, 1.0], size=7)


def confident_loss(logits: Any, labels: Any) -> Any:
    return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels])


def confident_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    p[rows, labels] = 0
    p[rows, labels] = -p.sum(axis=1)  # p - 1 is minus all the others
    return p / len(labels)


def draw_confident(rng: np.random.Generator) -> Any:
    logits, labels = rng.normal(size=(3, 4)), np.array([0, 2, 3])
    logits[np.arange(3), labels] += 35
    return logits, labels


def hidden_loss(params: Any, x: Any, y: Any) -> Any:
    h = jax.nn.sigmoid(x @ params["w1"])
    return jnp.mean((h @ params["w2"] - y) ** 2)


def hidden_gradient(params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    z = x @ params["w1"]
    h = sigmoid(z)
    da = 2 / len(y) * (h @ params["w2"] - y)
    dz = da[:, None] * params["w2"] * sigmoid(z) * sigmoid(-z)
    return {"w1": x.T @ dz, "w2": h.T @ da}


def draw_hidden(rng: np.random.Generator) -> Any:
    params = {"w1": rng.uniform(4, 8, size=(3, 2)), "w2": rng.normal(size=2)}
    return params, rng.uniform(1, 2, size=(5, 3)), rng.normal(size=5)


def erf_loss(w: Any) -> Any:
    return jnp.sum(jax.scipy.special.erf(w))


def erf_gradient(w: np.ndarray) -> np.ndarray:
    return 2 / np.sqrt(np.pi) * np.exp(-w * w)


def draw_erf(rng: np.random.Generator) -> Any:
    return (rng.uniform(4, 6, size=5),)


MODELS = (
    Model("saturated neuron", neuron_loss, neuron_gradient, draw_neuron),
    Model("wide margins", margins_loss, margins_gradient, draw_margins),
    Model("saturated tanh", tanh_loss, tanh_gradient, draw_tanh),
    Model("confident softmax", confident_loss, confident_gradient, draw_confident),
    Model("saturated hidden layer", hidden_loss, hidden_gradient, draw_hidden),
    Model("saturated erf", erf_loss, erf_gradient, draw_erf),
)
