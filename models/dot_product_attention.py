"""Single-head attention, over all positions and over the past ones only."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import one_element_off
from models.model import Mistake, Model
from models.numerics import size, softmax, softmax_backward


class Head(NamedTuple):
    """Weights of queries and keys, shape (3, 2), and of values, shape (3, 4)."""

    q: Any
    k: Any
    v: Any


def loss(causal: bool, params: Head, x: Any, y: Any) -> Any:
    """Attention: mean of (softmax(q kᵀ / √2) v - y)², with q = x wq and so on."""
    q, k, v = x @ params.q, x @ params.k, x @ params.v
    s = q @ k.T * 0.5**0.5
    if causal:
        s = jnp.where(jnp.tril(jnp.ones(s.shape, dtype=bool)), s, -jnp.inf)
    return jnp.mean(jnp.square(jax.nn.softmax(s, axis=-1) @ v - y))


def gradient(causal: bool, params: Head, x: Any, y: Any) -> Head:
    # q = x @ wq, k = x @ wk, v = x @ wv
    q, k, v = x @ params.q, x @ params.k, x @ params.v
    # s = q @ k.T / √2, or -∞ in the future
    s = q @ k.T * 0.5**0.5
    past = np.tril(np.ones(s.shape, dtype=bool)) if causal else np.ones(s.shape, dtype=bool)
    # p = softmax(s), o = p @ v
    p = softmax(np.where(past, s, -np.inf))
    # L = mean((o - y)²)
    do = 2 * (p @ v - y) / y.size
    # o = p @ v
    dp, dv = do @ v.T, p.T @ do
    # p = softmax(s)
    ds = softmax_backward(p, dp)
    # s = q @ k.T / √2
    dq, dk = ds @ k * 0.5**0.5, ds.T @ q * 0.5**0.5
    # q = x @ wq, k = x @ wk, v = x @ wv
    return Head(x.T @ dq, x.T @ dk, x.T @ dv)


def draw(rng: np.random.Generator) -> Any:
    q, k = size(rng, large=3.0) * rng.normal(size=(2, 3, 2))
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 4))
    return Head(q, k, rng.normal(size=(3, 4))), x, y


SCALED = "ds @ k * 0.5**0.5, ds.T @ q * 0.5**0.5"

USUAL: dict[str, Mistake] = {
    "softmax-diagonal": ("softmax_backward(p, dp)", "p * (1 - p) * dp"),
    "softmax-mean-forgotten": ("softmax_backward(p, dp)", "p * dp"),
    "scale-forgotten": (SCALED, "ds @ k, ds.T @ q"),
    "scale-squared": (SCALED, "ds @ k * 0.5, ds.T @ q * 0.5"),
    "scores-untransposed": ("ds.T @ q", "ds @ q"),
    "exchanged": ("(x.T @ dq, x.T @ dk,", "(x.T @ dk, x.T @ dq,"),
    "one-element-off": one_element_off,
}

MODELS = [
    Model("attention", partial(loss, False), partial(gradient, False), draw, USUAL),
    Model(
        *("causal-attention", partial(loss, True), partial(gradient, True), draw),
        {
            **USUAL,
            "mask-forgotten": ("np.where(past, s, -np.inf)", "s"),
            "mask-forgotten-backward": ("softmax_backward(p,", "softmax_backward(softmax(s),"),
        },
    ),
]
