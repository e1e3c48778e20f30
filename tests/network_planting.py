"""In which networks the mistakes of `models.general_network` are tried."""

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import autodiff.network
from manual.network import Network
from models.general_network import Variant
from tests.network_strategies import Described

#: Sizes and examples; in `SQUARE` a transposition keeps the shape, and n differs from it.
PRIME = (((5, 3, 2), 7), ((2, 5, 3, 7), 11), ((3, 7, 2), 13))
SQUARE = (((3, 3, 3), 5), ((2, 2, 2, 2), 7), ((5, 5, 5), 3))
_MAKES = (("tanh", "mse"), ("sigmoid", "huber"), ("softplus", "bce"))


def hosts(plant: Variant) -> list[Described]:
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
