"""Stochastic gradient descent as one compiled loop over a pure loss.

Source: the article, section "Optimizer": w ← w - η ∂L/∂w, one sample at a time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

Loss = Callable[[Any, jax.Array, jax.Array], jax.Array]


class Step(NamedTuple):
    """One update: the gradient at the old parameters, and the new parameters."""

    grads: Any
    params: Any


def step(loss: Loss) -> Callable[[Any, Any, Any, Any], Step]:
    """The function (params, x, y, learning_rate) -> `Step` that updates on one sample of `loss`.

    Args:
        loss: (params, x, y) -> scalar, pure; params is any pytree.
    """
    gradient = jax.grad(loss)

    def update(params: Any, x: jax.Array, y: jax.Array, learning_rate: jax.Array) -> Step:
        grads = gradient(params, x, y)
        return Step(grads, jax.tree.map(lambda w, dw: w - learning_rate * dw, params, grads))

    return update


def train(loss: Loss) -> Callable[[Any, Any, Any, Any, Any], Any]:
    """The function (params, xs, ys, learning_rate, order) -> trajectory: the whole training.

    One `lax.scan` over all updates, so that the loop itself is compiled. It carries `params` leaf
    by leaf, and XLA's CPU loops pay for every leaf and every slice of one: give few, whole arrays.

    Args:
        loss: (params, x, y) -> scalar, pure.

    Returns:
        A function whose result has the structure of params, each leaf with a new first axis: the
        parameters after each of the order.size updates.
    """
    update = step(loss)

    def descend(
        params: Any, xs: jax.Array, ys: jax.Array, learning_rate: jax.Array, order: jax.Array
    ) -> Any:
        def one_sample(params: Any, sample: jax.Array) -> tuple[Any, Any]:
            params = update(params, xs[sample], ys[sample], learning_rate).params
            return params, params

        _, trajectory = lax.scan(one_sample, params, jnp.ravel(order))
        return trajectory

    return descend
