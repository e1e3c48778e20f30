"""Single-head attention, over all positions and over the past ones only."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, size, softmax, softmax_backward
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


class Head(NamedTuple):
    """Weights of queries and keys, shape (3, 2), and of values, shape (3, 4)."""

    q: Any
    k: Any
    v: Any


def attention_loss(causal: bool, params: Head, x: Any, y: Any) -> Any:
    """Attention: mean of (softmax(q kᵀ / √2) v - y)², with q = x wq and so on."""
    q, k, v = x @ params.q, x @ params.k, x @ params.v
    s = q @ k.T * 0.5**0.5
    if causal:
        s = jnp.where(jnp.tril(jnp.ones(s.shape, dtype=bool)), s, -jnp.inf)
    return jnp.mean(jnp.square(jax.nn.softmax(s, axis=-1) @ v - y))


def attention_gradient(
    causal: bool,
    softmax_rule: Any = softmax_backward,
    scale: float = 0.5**0.5,
    exchange: bool = False,
    future: bool = False,
) -> Gradient:
    def gradient(params: Head, x: Any, y: Any) -> Head:
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
        ds = softmax_rule(softmax(s) if future else p, dp)
        # s = q @ k.T / √2
        dq, dk = ds @ k * scale, (ds if exchange else ds.T) @ q * scale
        # q = x @ wq, k = x @ wk, v = x @ wv
        return Head(x.T @ dq, x.T @ dk, x.T @ dv)

    return gradient


def diagonal(p: Any, dp: Any) -> Any:
    return p * (1 - p) * dp


def draw_attention(rng: np.random.Generator) -> Any:
    q, k = size(rng, large=3.0) * rng.normal(size=(2, 3, 2))
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 4))
    return Head(q, k, rng.normal(size=(3, 4))), x, y


def usual(causal: bool) -> dict[str, Gradient]:
    return {
        "softmax-diagonal": attention_gradient(causal, diagonal),
        "softmax-mean-forgotten": attention_gradient(causal, lambda p, dp: p * dp),
        "scale-forgotten": attention_gradient(causal, scale=1.0),
        "scale-squared": attention_gradient(causal, scale=0.5),
        "scores-untransposed": attention_gradient(causal, exchange=True),
        "exchanged": m.exchanged(attention_gradient(causal)),
        "one-element-off": m.one_element_off(attention_gradient(causal)),
    }


MODELS = [
    Model(
        name="attention",
        loss=partial(attention_loss, False),
        gradient=attention_gradient(False),
        draw=rounded(draw_attention),
        mistakes=usual(False),
    ),
    Model(
        name="causal-attention",
        loss=partial(attention_loss, True),
        gradient=attention_gradient(True),
        draw=rounded(draw_attention),
        mistakes=usual(True)
        | {
            "mask-forgotten": attention_gradient(False),
            "mask-forgotten-backward": attention_gradient(True, future=True),
        },
    ),
]
