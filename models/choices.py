"""Losses that select, away from ties: the largest, the sorted, all but one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import one_element_off, one_element_zeroed
from models.model import Model
from models.numerics import one_hot, size


def hinge_loss(params: Any, x: Any, labels: Any) -> Any:
    """Multi-class hinge: mean of max(0, 1 + largest other score - score of the label)."""
    z = x @ params["layer"]["w"] + params["layer"]["b"][None, :]
    hot = jax.nn.one_hot(labels, z.shape[1], dtype=bool)
    own = jnp.sum(jnp.where(hot, z, 0.0), axis=1)
    return jnp.mean(jnp.maximum(1 + jnp.max(jnp.where(hot, -jnp.inf, z), axis=1) - own, 0.0))


def hinge_gradient(params: Any, x: Any, labels: Any) -> Any:
    # z = x @ w + b
    z = x @ params["layer"]["w"] + params["layer"]["b"][None, :]
    hot = one_hot(labels, z.shape[1])
    others = np.where(hot, -np.inf, z)
    # l = max(0, 1 + rival - z[label]), rival = max(others)
    violated = 1 + others.max(axis=1) - z[hot] > 0
    drival = one_hot(others.argmax(axis=1), z.shape[1]).astype(z.dtype)
    dz = np.where(violated[:, None], drival - hot, 0 * z) / len(x)
    return {"layer": {"w": x.T @ dz, "b": dz.sum(axis=0)}}


def draw_hinge(rng: np.random.Generator) -> Any:
    """Draw labels that are those of the scores except a few."""
    w, b, x = size(rng) * rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(7, 2))
    labels = np.where(rng.random(7) < 0.6, (x @ w + b).argmax(axis=1), rng.integers(0, 3, size=7))
    return {"layer": {"w": w, "b": b}}, x, labels


HINGE = Model(
    *("multi-class-hinge", hinge_loss, hinge_gradient, draw_hinge),
    {
        "margin-forgotten": ("1 + others", "others"),
        "label-term-dropped": ("drival - hot", "drival"),
        "mask-forgotten": ("np.where(violated[:, None], drival - hot, 0 * z)", "(drival - hot)"),
        "missing-mean": (" / len(x)", ""),
    },
)


def ordered_loss(w: Any, c: Any) -> Any:
    """An ordered average: c · sort(w)²."""
    return jnp.sum(c * jnp.square(jnp.sort(w)))


def ordered_gradient(w: Any, c: Any) -> Any:
    # s = w[order], L = Σ c s²
    order = np.argsort(w)
    # w_order[i] = s_i, so that dw[order] = ds
    rank = np.argsort(order)
    return 2 * c[rank] * w


ORDERED = Model(
    *("ordered-average", ordered_loss, ordered_gradient),
    lambda rng: (size(rng) * rng.normal(size=7), rng.normal(size=7)),
    {
        "permutation-not-inverted": ("c[rank]", "c[order]"),
        "sort-forgotten": ("c[rank]", "c"),
        "sorted-values": ("* w\n", "* w[order]\n"),
        "one-element-off": one_element_off,
    },
)


def product_loss(w: Any, x: Any) -> Any:
    """A product: Π w_i x_i; in some draws one w is 0, and only its derivative is not."""
    return jnp.prod(w * x)


def product_gradient(w: Any, x: Any) -> Any:
    f = w * x
    # L = f_1 f_2 ... f_n: the product of all before times that of all after
    before = np.concatenate([np.ones_like(f[:1]), np.cumprod(f)[:-1]])
    after = np.concatenate([np.cumprod(f[::-1])[::-1][1:], np.ones_like(f[:1])])
    # f = w x
    return before * after * x


def draw_product(rng: np.random.Generator) -> Any:
    w = rng.normal(size=5) * size(rng, large=5.0, small=0.1)
    if rng.random() < 0.2:
        w[rng.integers(0, 5)] = 0.0
    return w, rng.normal(size=5)


PRODUCT = Model(
    *("product", product_loss, product_gradient, draw_product),
    {
        "off-by-one": ("[np.ones_like(f[:1]), np.cumprod(f)[:-1]]", "[np.cumprod(f)]"),
        "inputs-forgotten": ("after * x", "after"),
        "sign": ("return before", "return -before"),
        "one-element-zeroed": one_element_zeroed,
    },
)

MODELS = [HINGE, ORDERED, PRODUCT]
