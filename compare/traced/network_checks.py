"""The checks of a pass through a network of any shape: autodiff, exact values, bounds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

import autodiff.network
from autodiff import sgd
from autodiff.intermediates import See
from autodiff.precision import in_float64
from compare.reference import STABLE, network_loss
from compare.traced.assemble import Checks
from compare.traced.witnesses import OF_DATA, WHOLE, Bounds, Run, Witnesses
from manual.affine import Layer
from manual.network import Network


@cache
def losses(network: Network, loss: Callable[..., Any]) -> Run:
    """Return a network's loss as a function of named parameters: whole, and without λ Σ w².

    Args:
        network: its description.
        loss: (network, params, x, y, see=) -> the loss in JAX; the example is one row of each.
    """

    def run(named: Any, example: Any, see: See) -> dict[str, Any]:
        layers = range(len(network.activations))
        params = [autodiff.network.Layer(named[f"w{at}"], named[f"b{at}"]) for at in layers]
        whole = loss(network, params, *example, see=see)
        if not network.l2:
            return {WHOLE: whole}
        return {WHOLE: whole, OF_DATA: loss(replace(network, l2=0.0), params, *example, see=see)}

    return run


@cache
def _reference(network: Network) -> Callable[[str], Run]:
    return lambda form: losses(network, partial(network_loss, form=form))


@cache
def _step(network: Network) -> Callable[..., sgd.Step]:
    """Compile the gradient and update of the step that training by autodiff takes."""
    return in_float64(jax.jit(sgd.step(partial(autodiff.network.loss, network))))


def checks(
    network: Network, params: list[Layer], x: np.ndarray, y: np.ndarray, rate: float
) -> Checks:
    """Return the checks of a pass and a step."""
    layers = [autodiff.network.Layer(*layer) for layer in params]
    step = _step(network)(layers, x, y, rate)
    witnesses = Witnesses(losses(network, autodiff.network.loss), _named(params), (x, y))
    bounds = Bounds(_reference(network), STABLE, witnesses)
    return Checks(witnesses, bounds, rate, _named(step.grads), _named(step.params))


def _named(layers: Sequence[Any]) -> dict[str, Any]:
    """Name the arrays w0, b0, w1 and so on."""
    return {
        f"{letter}{at}": array
        for at, layer in enumerate(layers)
        for letter, array in zip(Layer._fields, layer, strict=True)
    }
