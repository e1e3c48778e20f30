"""Networks of any shape as pure JAX functions of a pytree of parameters.

Activations are `jax.nn`'s, losses optax's, derivatives `jax.grad`'s. The loss of an example sums
over its outputs; the loss is the mean over the examples, and λ Σ w² over all weights is added.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax

from autodiff.intermediates import See, as_it_is


class Network(Protocol):
    """The description of a network; any object with these attributes will do."""

    @property
    def activations(self) -> tuple[str, ...]:
        """The name of each layer's activation, first layer first; see `ACTIVATIONS`."""
        ...

    @property
    def loss(self) -> str:
        """One of `LOSSES`."""
        ...

    @property
    def l2(self) -> float:
        """λ, the weight of Σ w²; biases are not penalised."""
        ...


class Layer(NamedTuple):
    """One layer of units side by side: z = x @ w + b."""

    w: Any  #: shape (n_in, n_out)
    b: Any  #: shape (n_out,)


Params = list[Layer]

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky-relu": jax.nn.leaky_relu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "softplus": jax.nn.softplus,
    "identity": lambda z: z,
}

#: (outputs, targets), both of shape (n, n_out), to the n examples' losses.
LOSSES: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "mse": lambda a, y: jnp.sum(optax.squared_error(a, y), axis=-1),
    "bce": lambda z, y: jnp.sum(optax.sigmoid_binary_cross_entropy(z, y), axis=-1),
    "softmax-ce": optax.softmax_cross_entropy,
    "huber": lambda a, y: jnp.sum(optax.huber_loss(a, y), axis=-1),
}

#: The functions from logits to probabilities, for the losses on logits.
LINKS = {"bce": jax.nn.sigmoid, "softmax-ce": jax.nn.softmax}


def outputs(network: Network, params: Params, x: jax.Array, see: See = as_it_is) -> jax.Array:
    """Compute the last layer's outputs, shape (n, n_out), for x of shape (n, n_in).

    `see` is called with z0, a0, z1, a1 and so on, see `autodiff.intermediates`.
    """
    a = x
    for at, (layer, name) in enumerate(zip(params, network.activations, strict=True)):
        z = see(f"z{at}", a @ layer.w + layer.b[None, :])
        a = see(f"a{at}", ACTIVATIONS[name](z))
    return a


def predict(network: Network, params: Params, x: jax.Array) -> jax.Array:
    """The outputs, as probabilities where the loss is on logits; shapes as for `outputs`."""
    return LINKS.get(network.loss, lambda a: a)(outputs(network, params, x))


def loss(network: Network, params: Params, x: Any, y: Any, see: See = as_it_is) -> jax.Array:
    """The loss, a scalar: x of shape (n, n_in), y of shape (n, n_out), one floating dtype."""
    mean = jnp.mean(LOSSES[network.loss](outputs(network, params, x, see), y))
    if not network.l2:
        return mean
    return mean + network.l2 * sum(jnp.sum(jnp.square(w)) for w, _ in params)
