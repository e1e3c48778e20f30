"""A network of any depth and width: its loss, and the gradient of it by the chain rule.

Forward, layer by layer:      (1) z = a @ w + b      (2) a = f(z)
then, for all examples,       (3) L = loss(a, y)     (4) L + λ Σ w²
Backward, the same steps undone in reverse order, each by the `_backward` that stands next to its
`_forward` in `manual.affine`, `manual.activations` and `manual.losses`.

Source: the article, "a neural network can have any number of layers with any number of neurons";
its 2-2-1 network is `Network((2, 2, 1), output="sigmoid")`, and `manual.article` spells that one
out. Backpropagation in this form: Rumelhart, Hinton & Williams, Nature 323, 1986.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from manual.activations import ACTIVATIONS, sigmoid
from manual.affine import (
    Layer,
    affine_backward_inputs,
    affine_backward_parameters,
    affine_forward,
)
from manual.arrays import Array, namespace
from manual.losses import LOSSES, softmax


@dataclass(frozen=True)
class Network:
    """The description of a network, without its parameters.

    Args:
        sizes: number of inputs, of units in each hidden layer, and of outputs; two or more.
        activation: of the hidden layers, one of `manual.activations.ACTIVATIONS`.
        output: of the last layer; `identity` for the losses on logits.
        loss: one of `manual.losses.LOSSES`.
        l2: λ, the weight of Σ w² over all weights; biases are not penalised.

    Raises:
        ValueError: a size below 1, fewer than two sizes, an unknown name, λ negative or not finite,
            or a loss on logits behind an output activation.
    """

    sizes: tuple[int, ...]
    activation: str = "sigmoid"
    output: str = "identity"
    loss: str = "mse"
    l2: float = 0.0

    def __post_init__(self) -> None:
        """Refuse an invalid description."""
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"sizes: got {self.sizes}, expected two or more numbers from 1 up")
        for what, name, names in (
            ("activation", self.activation, ACTIVATIONS),
            ("output", self.output, ACTIVATIONS),
            ("loss", self.loss, LOSSES),
        ):
            if name not in names:
                raise ValueError(f"{what}: got {name!r}, expected one of {', '.join(names)}")
        if self.loss in LINKS and self.output != "identity":
            raise ValueError(
                f"output: got {self.output!r}, expected identity: {self.loss} is on logits"
            )
        if self.loss == "softmax-ce" and self.sizes[-1] < 2:
            raise ValueError("sizes: got 1 output, expected one for each class with softmax-ce")
        if not 0 <= self.l2 < math.inf:
            raise ValueError(f"l2: got {self.l2}, expected a finite number from 0 up")

    @property
    def activations(self) -> tuple[str, ...]:
        """The name of each layer's activation, first layer first."""
        return (self.activation,) * (len(self.sizes) - 2) + (self.output,)


#: The functions from logits to probabilities, for the losses on logits.
LINKS = {"bce": sigmoid, "softmax-ce": softmax}


class Cache(NamedTuple):
    """The values that the backward pass needs, and nothing else: memory is linear in depth.

    Parameters are kept by reference; those of the first layer are only needed for L2.
    """

    affine: list[Any]  #: of each layer
    activation: list[Any]  #: of each layer
    loss: Any


def draw_parameters(network: Network, seed: int, dtype: Any = np.float64) -> list[Layer]:
    """Random weights and zero biases, by NumPy's default generator, layer by layer.

    Weights come from N(0, g/n_in), so that pre-activations of standardised inputs have a variance
    of about g, the activation's gain (He et al., ICCV 2015).

    Args:
        network: its description.
        seed: a whole number from 0 up; equal seeds give equal bits.
        dtype: of the parameters; drawn in float64 and rounded.

    Raises:
        ValueError: the seed is negative.
    """
    rng = np.random.default_rng(seed)
    layers = []
    sizes = zip(network.sizes, network.sizes[1:], network.activations, strict=False)
    for n_in, n_out, activation in sizes:
        gain = ACTIVATIONS[activation].gain
        w = rng.normal(scale=math.sqrt(gain / n_in), size=(n_in, n_out))
        layers.append(Layer(w.astype(dtype), np.zeros(n_out, dtype)))
    return layers


def forward(network: Network, params: list[Layer], x: Array, y: Array) -> tuple[Array, Cache]:
    """Compute the loss and the cache for the backward pass.

    Args:
        network: its description.
        params: one `Layer` for each layer, float32 or float64.
        x: inputs, one example a row, shape (n, n_in), the dtype of the parameters.
        y: targets, shape (n, n_out), the same dtype.

    Returns:
        The loss, a scalar of that dtype, and the cache.

    Raises:
        ValueError: a shape or a dtype does not fit.
    """
    _check(network, params, x, y)
    a, affine, activation = x, [], []
    for (w, b), name in zip(params, network.activations, strict=True):
        z, cache = affine_forward(a, w, b)  # (1)
        affine.append(cache)
        a, cache = ACTIVATIONS[name].forward(z)  # (2)
        activation.append(cache)
    loss, cache = LOSSES[network.loss].forward(a, y)  # (3)
    if network.l2:
        xp = namespace(x)
        loss = loss + network.l2 * sum(xp.sum(w * w) for w, _ in params)  # (4)
    return loss, Cache(affine, activation, cache)


def backward(network: Network, cache: Cache) -> list[Layer]:
    """The gradient of the loss by the parameters, shaped and typed like them."""
    grads: list[Layer] = []
    # (3) L = loss(a, y)
    da = LOSSES[network.loss].backward(1.0, cache.loss)
    for at in reversed(range(len(network.activations))):
        # (2) a = f(z)
        dz = ACTIVATIONS[network.activations[at]].backward(da, cache.activation[at])
        # (1) z = a @ w + b
        dw, db = affine_backward_parameters(dz, cache.affine[at])
        if network.l2:
            # (4) L + λ Σ w², and ∂(λ w²)/∂w = 2 λ w
            dw = dw + 2 * network.l2 * cache.affine[at].w
        grads.append(Layer(dw, db))
        if at > 0:
            # (1) again, except for the first layer, whose inputs need no derivative
            da = affine_backward_inputs(dz, cache.affine[at])
    return grads[::-1]


def value_and_gradient(
    network: Network, params: list[Layer], x: Array, y: Array
) -> tuple[Array, list[Layer]]:
    """The loss and its gradient; arguments and errors as for `forward`."""
    loss, cache = forward(network, params, x, y)
    return loss, backward(network, cache)


def gradient(network: Network, params: list[Layer], x: Array, y: Array) -> list[Layer]:
    """The gradient alone; arguments and errors as for `forward`."""
    return value_and_gradient(network, params, x, y)[1]


def loss(network: Network, params: list[Layer], x: Array, y: Array) -> Array:
    """The loss alone; arguments and errors as for `forward`."""
    return forward(network, params, x, y)[0]


def predict(network: Network, params: list[Layer], x: Array) -> Array:
    """Compute the outputs, shape (n, n_out), for x of shape (n, n_in), logits as probabilities."""
    a = x
    for (w, b), name in zip(params, network.activations, strict=True):
        z, _ = affine_forward(a, w, b)
        a, _ = ACTIVATIONS[name].forward(z)
    return LINKS[network.loss](a) if network.loss in LINKS else a


def _check(network: Network, params: list[Layer], x: Array, y: Array) -> None:
    """Broadcasting hides mistakes, so shapes come first."""
    n = x.shape[0] if len(x.shape) == 2 else -1
    wanted = [(("x", x), (n, network.sizes[0])), (("y", y), (n, network.sizes[-1]))]
    if len(params) != len(network.sizes) - 1:
        raise ValueError(f"params: got {len(params)} layers, expected {len(network.sizes) - 1}")
    for at, (w, b) in enumerate(params):
        n_in, n_out = network.sizes[at : at + 2]
        wanted += [((f"params[{at}].w", w), (n_in, n_out)), ((f"params[{at}].b", b), (n_out,))]
    dtype = params[0].w.dtype
    for (name, array), shape in wanted:
        if tuple(array.shape) != shape or n < 1:
            expected = str(shape).replace("-1", "n")
            raise ValueError(f"{name}: got shape {tuple(array.shape)}, expected {expected}, n > 0")
        if array.dtype != dtype:
            raise ValueError(f"{name}: got {array.dtype}, expected {dtype} as params[0].w is")
