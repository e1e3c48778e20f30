"""A network of any shape in a sweep: its lines for one case, mapped over a block of cases."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

import autodiff.network
import manual.network
from compare.networks.functions import LOSSES
from compare.networks.ranges import backward, forward
from compare.rounding import Format, Range
from compare.sweep.settings import Settings
from compare.sweep.subject import APART, Compared, Kept
from compare.trees import layers_like, split
from manual.affine import Layer
from manual.network import Network

#: Parameters compared at once.
AT_ONCE = 15


@dataclass(frozen=True)
class AnyNetwork:
    """A network of any shape as the subject of a sweep."""

    settings: Settings
    network: Network

    @property
    def names(self) -> list[str]:
        """The names of the parameters, w0[0,0] and so on, layer by layer, weights before biases."""
        return names(self.network.sizes)

    @property
    def floats(self) -> Format:
        """What rounding costs; an underflow may be multiplied by a slope's factors below 4."""
        return Format(self.settings.floats.u, 16 * self.settings.floats.tiny)

    def compared(self, numbers: list[Any], kept: Kept) -> Compared:
        """See `Subject`."""
        shape = numbers[0].shape
        case = kept(as_arrays(self.settings, [number.reshape(-1) for number in numbers]))
        loss = partial(autodiff.network.loss, self.network)
        by_hand = jax.vmap(partial(manual.network.gradient, self.network))(*case)
        by_autodiff = jax.vmap(jax.grad(loss))(*case)
        allowed = APART * _flat(self._errors(*case)) + self.floats.tiny
        arrays = (_flat(by_hand), _flat(by_autodiff), allowed)
        return Compared(*(_at_once(kept(array), shape) for array in arrays))

    def losses(self, numbers: list[Any]) -> Any:
        """See `Subject`."""
        case = as_arrays(self.settings, [number.reshape(-1) for number in numbers])
        losses = jax.vmap(partial(manual.network.loss, self.network))(*case)
        return losses.reshape(numbers[0].shape)

    def _errors(self, params: list[Layer], x: Any, y: Any) -> list[Layer]:
        """Bound the errors of dw and db: the chain rule on ranges."""
        network = self.network
        exact = partial(Range, floats=self.floats)
        layers = [(exact(w), exact(b)) for w, b in params]
        inputs, slopes, a = forward(network, layers, exact(x), lambda f, z: f.in_the_middle(z))
        residual = LOSSES[network.loss].in_the_middle(a, exact(y))
        back = backward(network, layers, inputs, slopes, residual)
        return [Layer(step.dw.radius, step.db.radius) for step in back]


def names(sizes: tuple[int, ...]) -> list[str]:
    """Return the names of all parameters: w0[i,j], b0[j], w1[i,j] and so on."""
    found = []
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        found += [f"w{layer}[{i},{j}]" for i in range(n_in) for j in range(n_out)]
        found += [f"b{layer}[{j}]" for j in range(n_out)]
    return found


def as_arrays(settings: Settings, numbers: list[Any]) -> tuple[list[Layer], Any, Any]:
    """Arrange the numbers of n cases, each of shape (n,), as parameters, x and y; n comes first."""
    network = settings.network
    assert network is not None
    of_parameters = settings.parameters
    of_inputs = of_parameters + settings.examples * network.sizes[0]
    params = split(jnp.stack(numbers[:of_parameters], axis=-1), layers_like(network.sizes))
    x = jnp.stack(numbers[of_parameters:of_inputs], axis=-1)
    y = jnp.stack(numbers[of_inputs:], axis=-1)
    x = x.reshape(-1, settings.examples, network.sizes[0])
    y = y.reshape(-1, settings.examples, settings.targets)
    if network.loss == "softmax-ce":
        classes = network.sizes[-1]
        every = jnp.arange(classes, dtype=y.dtype)[None, None, :]
        y = (jnp.floor(y * classes) == every).astype(x.dtype)
    return params, x, y


def _flat(layers: list[Any]) -> Any:
    """Join layers, whose arrays have n as first axis, into shape (n, p)."""
    parts = [part.reshape(part.shape[0], -1) for layer in layers for part in layer]
    return jnp.concatenate(parts, axis=-1)


def _at_once(array: Any, shape: tuple[int, ...]) -> list[Any]:
    parts = [array[:, at : at + AT_ONCE] for at in range(0, array.shape[-1], AT_ONCE)]
    return [part.T.reshape(-1, *shape) for part in parts]
