"""How a mistake is planted in the general network, and in which networks.

Each replaces one function that `manual.network` calls, so that it spreads through the chain as it
would in real code.
"""

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import autodiff.network
import manual.network
from manual.activations import ACTIVATIONS
from manual.affine import Layer, affine_backward_parameters
from manual.losses import LOSSES
from manual.network import Network
from tests.network_strategies import Described

Gradient = Callable[..., list[Layer]]


class Plant(NamedTuple):
    """A mistake, and where it is one."""

    slug: str
    variant: str
    gradient: Callable[[Network], Gradient]  #: the wrong gradient of a network
    activation: str | None = None  #: that the network must have; None: any
    output: str | None = None
    loss: str | None = None
    square: bool = False  #: whether all layers have one size, so that no shape tells

    def __str__(self) -> str:
        """Readable as a test's name."""
        return f"{self.slug}:{self.variant}"


#: Sizes and examples; in `SQUARE` a transposition keeps the shape, and n differs from it.
PRIME = (((5, 3, 2), 7), ((2, 5, 3, 7), 11), ((3, 7, 2), 13))
SQUARE = (((3, 3, 3), 5), ((2, 2, 2, 2), 7), ((5, 5, 5), 3))
_MAKES = (("tanh", "mse"), ("sigmoid", "huber"), ("softplus", "bce"))


def hosts(plant: Plant) -> list[Described]:
    """Three networks in which the mistake is one."""
    made = []
    for (sizes, n), (hidden, loss) in zip(SQUARE if plant.square else PRIME, _MAKES, strict=True):
        output = plant.output or "identity"
        if plant.output and plant.loss is None:
            loss = "mse"
        net = Network(sizes, plant.activation or hidden, output, plant.loss or loss, l2=0.1)
        made.append(Described(net, n))
    return made


@functools.cache
def loss_of(network: Network) -> Callable[..., Any]:
    """The loss in JAX; one object for each network, so that it is compiled once."""
    return partial(autodiff.network.loss, network)


def replaced(network: Network, **functions: Any) -> Gradient:
    """The gradient with other functions in the place of those that `manual.network` calls."""

    def wrong(params: Any, x: Any, y: Any) -> list[Layer]:
        with patch.multiple(manual.network, **functions):
            return manual.network.gradient(network, params, x, y)

    return wrong


def with_backward(table: dict[str, Any], name: str, backward: Callable[..., Any]) -> dict[str, Any]:
    return table | {name: table[name]._replace(backward=backward)}


def in_activation(slope: Callable[[Any], Any]) -> Callable[[Network], Gradient]:
    """The hidden activation's backward step with another slope, a function of z."""

    def plant(net: Network) -> Gradient:
        pairs = with_backward(ACTIVATIONS, net.activation, lambda da, z: da * slope(z))
        return replaced(net, ACTIVATIONS=pairs)

    return plant


def in_output(backward: Callable[[Any, Any], Any]) -> Callable[[Network], Gradient]:
    return lambda net: replaced(net, ACTIVATIONS=with_backward(ACTIVATIONS, net.output, backward))


def in_loss(wrong: Callable[[Any, Any], Any]) -> Callable[[Network], Gradient]:
    """The loss's backward step as a function of the right answer and the cache."""

    def plant(net: Network) -> Gradient:
        right = LOSSES[net.loss].backward
        pairs = with_backward(LOSSES, net.loss, lambda dl, cache: wrong(right(dl, cache), cache))
        return replaced(net, LOSSES=pairs)

    return plant


def in_parameters(change: Callable[[Any, Any, Layer], Any]) -> Callable[[Network], Gradient]:
    """The affine step's dw and db as a function of dz, cache, and the right answer."""

    def wrong(dz: Any, cache: Any) -> Any:
        return change(dz, cache, affine_backward_parameters(dz, cache))

    return lambda net: replaced(net, affine_backward_parameters=wrong)


def in_inputs(wrong: Callable[[Any, Any], Any]) -> Callable[[Network], Gradient]:
    return lambda net: replaced(net, affine_backward_inputs=wrong)


def after(change: Callable[[Any, Any, list[Layer]], Any]) -> Callable[[Network], Gradient]:
    """The right gradient, then `change(network, params, grads)`."""

    def plant(net: Network) -> Gradient:
        def wrong(params: Any, x: Any, y: Any) -> Any:
            return change(net, params, manual.network.gradient(net, params, x, y))

        return wrong

    return plant
