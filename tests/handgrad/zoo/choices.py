"""Losses that select, away from ties: the largest, the sorted, all but one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import one_hot, rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def hinge_loss(params: Any, x: Any, labels: Any) -> Any:
    """Multi-class hinge: mean of max(0, 1 + largest other score - score of the label)."""
    z = x @ params["layer"]["w"] + params["layer"]["b"][None, :]
    hot = jax.nn.one_hot(labels, z.shape[1], dtype=bool)
    own = jnp.sum(jnp.where(hot, z, 0.0), axis=1)
    return jnp.mean(jnp.maximum(1 + jnp.max(jnp.where(hot, -jnp.inf, z), axis=1) - own, 0.0))


def hinge_gradient(margin: float = 1.0, own: bool = True, everyone: bool = False) -> Gradient:
    def gradient(params: Any, x: Any, labels: Any) -> Any:
        # z = x @ w + b
        z = x @ params["layer"]["w"] + params["layer"]["b"][None, :]
        hot = one_hot(labels, z.shape[1])
        others = np.where(hot, -np.inf, z)
        rival = others.max(axis=1)
        # l = max(0, 1 + rival - z[label])
        violated = margin + rival - z[hot] > 0
        dz = one_hot(others.argmax(axis=1), z.shape[1]).astype(z.dtype) - (hot if own else 0)
        dz = np.where(violated[:, None] | everyone, dz, 0 * dz) / len(x)
        return {"layer": {"w": x.T @ dz, "b": dz.sum(axis=0)}}

    return gradient


def draw_hinge(rng: np.random.Generator) -> Any:
    """The labels are those of the scores, but for a few."""
    w, b, x = size(rng) * rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(7, 2))
    labels = np.where(rng.random(7) < 0.6, (x @ w + b).argmax(axis=1), rng.integers(0, 3, size=7))
    return {"layer": {"w": w, "b": b}}, x, labels


HINGE = Model(
    name="multi-class-hinge",
    loss=hinge_loss,
    gradient=hinge_gradient(),
    draw=rounded(draw_hinge),
    mistakes={
        "margin-forgotten": hinge_gradient(margin=0.0),
        "label-term-dropped": hinge_gradient(own=False),
        "mask-forgotten": hinge_gradient(everyone=True),
        "missing-mean": m.scaled_by_batch(hinge_gradient()),
    },
)


def ordered_loss(w: Any, c: Any) -> Any:
    """An ordered average: c · sort(w)²."""
    return jnp.sum(c * jnp.square(jnp.sort(w)))


def ordered_gradient(inverse: bool = True, sort: bool = True, inner: bool = True) -> Gradient:
    def gradient(w: Any, c: Any) -> Any:
        # s = w[order], L = Σ c s²
        order = np.argsort(w)
        # w_order[i] = s_i, so that dw[order] = ds
        rank = np.argsort(order) if inverse else order
        return 2 * (c[rank] if sort else c) * (w if inner else w[order])

    return gradient


ORDERED = Model(
    name="ordered-average",
    loss=ordered_loss,
    gradient=ordered_gradient(),
    draw=rounded(lambda rng: (size(rng) * rng.normal(size=7), rng.normal(size=7))),
    mistakes={
        "permutation-not-inverted": ordered_gradient(inverse=False),
        "sort-forgotten": ordered_gradient(sort=False),
        "sorted-values": ordered_gradient(inner=False),
        "one-element-off": m.one_element_off(ordered_gradient()),
    },
)


def product_loss(w: Any, x: Any) -> Any:
    """A product: Π w_i x_i; in some draws one w is 0, and only its derivative is not."""
    return jnp.prod(w * x)


def product_gradient(start: int = 0, factors: bool = True, sign: float = 1.0) -> Gradient:
    def gradient(w: Any, x: Any) -> Any:
        f = w * x
        # L = f_1 f_2 ... f_n: the product of all before times that of all after
        before = np.concatenate([np.ones_like(f[:1]), np.cumprod(f)[:-1]])
        after = np.concatenate([np.cumprod(f[::-1])[::-1][1:], np.ones_like(f[:1])])
        if start:
            before = np.cumprod(f)
        # f = w x
        return sign * before * after * (x if factors else 1)

    return gradient


def draw_product(rng: np.random.Generator) -> Any:
    w = rng.normal(size=5) * size(rng, large=5.0, small=0.1)
    if rng.random() < 0.2:
        w[rng.integers(0, 5)] = 0.0
    return w, rng.normal(size=5)


PRODUCT = Model(
    name="product",
    loss=product_loss,
    gradient=product_gradient(),
    draw=rounded(draw_product),
    mistakes={
        "off-by-one": product_gradient(start=1),
        "inputs-forgotten": product_gradient(factors=False),
        "sign": product_gradient(sign=-1.0),
        "one-element-zeroed": m.one_element_zeroed(product_gradient()),
    },
)

MODELS = [HINGE, ORDERED, PRODUCT]
