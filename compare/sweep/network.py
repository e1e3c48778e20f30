"""A network of any shape in a sweep: its lines for one case, mapped over a block of cases."""

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp

import autodiff.network
import manual.network
from compare.networks import flat
from compare.sweep.links import ACTIVATIONS, RESIDUALS
from compare.sweep.rounded import Charge, Rounded, exact, matmul, product, summed, total, transposed
from compare.sweep.settings import Settings
from compare.sweep.subject import APART, Compared, Kept
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
    def charge(self) -> Charge:
        """The charge for rounding; an underflow may be multiplied by a slope's factors below 4."""
        return Charge(self.settings.floats.u, 16 * self.settings.floats.tiny)

    def compared(self, numbers: list[Any], kept: Kept) -> Compared:
        """See `Subject`."""
        shape = numbers[0].shape
        case = kept(as_arrays(self.settings, [number.reshape(-1) for number in numbers]))
        loss = partial(autodiff.network.loss, self.network)
        by_hand = jax.vmap(partial(manual.network.gradient, self.network))(*case)
        by_autodiff = jax.vmap(jax.grad(loss))(*case)
        allowed = APART * _flat(self._errors(*case)) + self.charge.tiny
        arrays = (_flat(by_hand), _flat(by_autodiff), allowed)
        return Compared(*(_at_once(kept(array), shape) for array in arrays))

    def losses(self, numbers: list[Any]) -> Any:
        """See `Subject`."""
        case = as_arrays(self.settings, [number.reshape(-1) for number in numbers])
        losses = jax.vmap(partial(manual.network.loss, self.network))(*case)
        return losses.reshape(numbers[0].shape)

    def _errors(self, params: list[Layer], x: Any, y: Any) -> list[Layer]:
        """Bound the errors of dw and db: the chain rule on numbers with error bounds."""
        charge, network = self.charge, self.network
        inputs, slopes, a = [], [], exact(x)
        for (w, b), name in zip(params, network.activations, strict=True):
            inputs.append(a)
            z = total([matmul(a, exact(w), charge), exact(b[..., None, :])], charge)
            a, slope = ACTIVATIONS[name](z, charge)
            slopes.append(slope)
        residual = RESIDUALS[network.loss](a, y, charge)
        # Eight units cover every order of multiplying 2/n and its factors.
        rounding = 8 * charge.u * abs(residual.value)
        n = y.shape[-2]
        da = Rounded(residual.value / n, (residual.error + rounding) / n)
        errors = []
        for at in reversed(range(len(params))):
            dz = product(da, slopes[at], charge)
            dw = matmul(transposed(inputs[at]), dz, charge)
            w = params[at].w
            if network.l2:
                decay = 2 * network.l2 * w
                dw = total([dw, Rounded(decay, 4 * charge.u * abs(decay))], charge)
            errors.append(Layer(dw.error, summed(dz, -2, charge).error))
            da = matmul(dz, transposed(exact(w)), charge)
        return errors[::-1]


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
    params = flat.split(jnp.stack(numbers[:of_parameters], axis=-1), network.sizes)
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
