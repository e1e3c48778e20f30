"""Losses that select or order: sorted numbers, and a product of all but one."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from models.helpers import one_element_off, one_element_zeroed, size
from models.model import of_loss


def ordered_loss(w: Any, c: Any) -> Any:
    """An ordered average: c · sort(w)²."""
    return jnp.sum(c * jnp.square(jnp.sort(w)))


def ordered_gradient(w: Any, c: Any) -> Any:
    # s = w[order], L = Σ c s²
    order = np.argsort(w)
    # w_order[i] = s_i, so that dw[order] = ds
    rank = np.argsort(order)
    return 2 * c[rank] * w


ORDERED = of_loss(
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


PRODUCT = of_loss(
    *("product", product_loss, product_gradient, draw_product),
    {
        "off-by-one": "before = np.concatenate([np.cumprod(f)])",
        "inputs-forgotten": ("after * x", "after"),
        "sign": "return -before * after * x",
        "one-element-zeroed": one_element_zeroed,
    },
)

MODELS = [ORDERED, PRODUCT]
