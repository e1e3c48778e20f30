"""Training of `autodiff.network` on minibatches: one compiled scan, optimisers by optax.

A stretch of training is a matrix of row numbers, one minibatch a row. The state between updates,
`Carry`, is donated to the compiled function, so that a training holds its parameters once.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import optax
from jax import lax

from autodiff.network import Network, Params, loss, predict

#: By the names that the command line uses; each takes a learning rate.
OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "momentum": partial(optax.sgd, momentum=0.9),
    "adam": optax.adam,
}


class Carry(NamedTuple):
    """The state of a training."""

    params: Params
    state: Any  #: the optimiser's state


class Step(NamedTuple):
    """One update: the gradient at the old parameters, and the state after it."""

    grads: Params
    after: Carry


class Training(NamedTuple):
    """The compiled functions for one network, optimiser and learning rate.

    All take and return JAX arrays; to compute in float64 call them where 64 bits are enabled.
    """

    init: Callable[[Params], Carry]
    #: (carry, xs, ys, batches) -> the carry after all updates; the carry is donated.
    run: Callable[..., Carry]
    #: The same, returning the carry after every update: every leaf has a new first axis.
    walk: Callable[..., Carry]
    #: (params, x, y) -> the loss, and (params, x) -> outputs, as in `autodiff.network`.
    loss: Callable[..., jax.Array]
    predict: Callable[..., jax.Array]
    #: (carries, xs, ys, batches) -> `Step`, of n trainings side by side, a minibatch each.
    steps: Callable[..., Step]


@cache
def training(network: Network, optimiser: str, learning_rate: float) -> Training:
    """Compile a training; the same arguments return the same object.

    Raises:
        KeyError: no optimiser of that name.
    """
    transformation = OPTIMISERS[optimiser](learning_rate)
    gradient = jax.grad(partial(loss, network))

    def init(params: Params) -> Carry:
        return Carry(params, transformation.init(params))

    def step(carry: Carry, xs: jax.Array, ys: jax.Array, batch: jax.Array) -> Step:
        grads = gradient(carry.params, xs[batch], ys[batch])
        # optax raises floats to integer powers, which strict promotion would refuse.
        with jax.numpy_dtype_promotion("standard"):
            updates, state = transformation.update(grads, carry.state, carry.params)
            params: Any = optax.apply_updates(carry.params, updates)
        return Step(grads, Carry(params, state))

    def run(carry: Carry, xs: jax.Array, ys: jax.Array, batches: jax.Array) -> Carry:
        def update(carry: Carry, batch: jax.Array) -> tuple[Carry, None]:
            return step(carry, xs, ys, batch).after, None

        return lax.scan(update, carry, batches)[0]

    def walk(carry: Carry, xs: jax.Array, ys: jax.Array, batches: jax.Array) -> Carry:
        def update(carry: Carry, batch: jax.Array) -> tuple[Carry, Carry]:
            after = step(carry, xs, ys, batch).after
            return after, after

        return lax.scan(update, carry, batches)[1]

    return Training(
        init=init,
        run=jax.jit(run, donate_argnums=0),
        walk=jax.jit(walk),
        loss=jax.jit(partial(loss, network)),
        predict=jax.jit(partial(predict, network)),
        steps=jax.jit(jax.vmap(step, in_axes=(0, None, None, 0))),
    )
