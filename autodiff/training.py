"""Training of a pure loss on minibatches: one compiled scan, optimisers by optax.

A stretch of training is a matrix of row numbers, one minibatch a row.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import optax
from jax import lax

from autodiff.sgd import Loss

#: By the names that the command line uses; each takes a learning rate.
OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
    "adam": optax.adam,
}


class Carry(NamedTuple):
    """The state of a training between updates."""

    params: Any
    state: Any  #: the optimiser's state


class Step(NamedTuple):
    """One update: the gradient at the old parameters, and the state after it."""

    grads: Any
    after: Carry


class Training(NamedTuple):
    """The functions of one training, compiled but for the first.

    All take and return JAX arrays; to compute in float64 call them where 64 bits are enabled.
    """

    init: Callable[[Any], Carry]
    #: (carry, xs, ys, batches) -> the carry after every update: every leaf has a new first axis.
    walk: Callable[..., Carry]
    #: (carries, xs, ys, batches) -> `Step`, of n trainings side by side, a minibatch each.
    steps: Callable[..., Step]


def training(loss: Loss, optimiser: str, learning_rate: float) -> Training:
    """Make a training.

    Args:
        loss: (params, x, y) -> scalar, pure; params is any pytree, x and y are minibatches.
        optimiser: one of `OPTIMISERS`.
        learning_rate: η.

    Raises:
        KeyError: no optimiser of that name.
    """
    transformation = OPTIMISERS[optimiser](learning_rate)
    gradient = jax.grad(loss)

    def init(params: Any) -> Carry:
        return Carry(params, transformation.init(params))

    def step(carry: Carry, xs: jax.Array, ys: jax.Array, batch: jax.Array) -> Step:
        grads = gradient(carry.params, xs[batch], ys[batch])
        # optax raises floats to integer powers, which strict promotion would refuse.
        with jax.numpy_dtype_promotion("standard"):
            updates, state = transformation.update(grads, carry.state, carry.params)
            params: Any = optax.apply_updates(carry.params, updates)
        return Step(grads, Carry(params, state))

    def walk(carry: Carry, xs: jax.Array, ys: jax.Array, batches: jax.Array) -> Carry:
        def update(carry: Carry, batch: jax.Array) -> tuple[Carry, Carry]:
            after = step(carry, xs, ys, batch).after
            return after, after

        return lax.scan(update, carry, batches)[1]

    return Training(init, jax.jit(walk), jax.jit(jax.vmap(step, in_axes=(0, None, None, 0))))
