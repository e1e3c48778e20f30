"""The checks of a pass through a network of any shape: autodiff, exact values, bounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

import autodiff.network
from autodiff import sgd
from autodiff.intermediates import See
from autodiff.precision import in_float64
from compare.reference import STABLE, network_loss
from compare.traced.assemble import Check, Computed
from compare.traced.witnesses import Bounds, Derivative, Run, Updated, Value, Witnesses, descended
from manual.affine import Layer
from manual.network import Network

#: The loss, and the loss without λ Σ w².
WHOLE, OF_DATA = "L", "L_data"


@dataclass(frozen=True)
class Losses:
    """The loss in JAX as a function of named parameters, whole and without λ Σ w²."""

    network: Network

    def __call__(self, named: Any, example: Any, see: See) -> dict[str, Any]:
        """A `compare.traced.witnesses.Run`; the example is x and y, each of one row."""
        network, (x, y) = self.network, example
        layers = range(len(network.activations))
        params = [autodiff.network.Layer(named[f"w{at}"], named[f"b{at}"]) for at in layers]
        whole = autodiff.network.loss(network, params, x, y, see)
        if not network.l2:
            return {WHOLE: whole}
        of_data = autodiff.network.loss(replace(network, l2=0.0), params, x, y, see)
        return {WHOLE: whole, OF_DATA: of_data}


@cache
def _reference(network: Network) -> Callable[[str], Run]:
    """The loss of a form, as `Losses` has it."""
    layers = range(len(network.activations))

    def of_form(form: str) -> Run:
        def run(named: Any, example: Any, see: See) -> dict[str, Any]:
            params = [(named[f"w{at}"], named[f"b{at}"]) for at in layers]
            whole = network_loss(network, params, *example, see=see, form=form)
            if not network.l2:
                return {WHOLE: whole}
            of_data = network_loss(replace(network, l2=0.0), params, *example, see=see, form=form)
            return {WHOLE: whole, OF_DATA: of_data}

        return run

    return of_form


@cache
def _step(network: Network) -> Callable[..., sgd.Step]:
    """Compile the gradient and update of the step that training by autodiff takes."""
    return in_float64(jax.jit(sgd.step(partial(autodiff.network.loss, network))))


class Checks:
    """The checks of the numbers of one pass, by autodiff, exact values and bounds."""

    def __init__(
        self, network: Network, params: list[Layer], x: np.ndarray, y: np.ndarray, rate: float
    ) -> None:
        self.rate = rate
        self.params = _named(params)
        self.witnesses = Witnesses(Losses(network), self.params, (x, y))
        layers = [autodiff.network.Layer(*layer) for layer in params]
        step = _step(network)(layers, x, y, rate)
        self.grads, self.updated = _named(step.grads), _named(step.params)
        self.bounds = Bounds(_reference(network), STABLE, self.witnesses)

    def of(self, computed: Computed) -> Check:
        """Return the check of a computed number."""
        meaning = computed.meaning
        if isinstance(meaning, Updated):
            return self._of_update(meaning.of)
        by_autodiff = self._by_autodiff(meaning)
        return Check(by_autodiff, self.witnesses.exactly(meaning), *self.bounds.of(meaning))

    def _by_autodiff(self, meaning: Value | Derivative) -> float:
        if isinstance(meaning, Derivative) and meaning.of == Value(WHOLE):
            gradient = self.grads.get(meaning.by.of)
            if gradient is not None:
                return float(gradient[meaning.by.at])
        return self.witnesses.by_autodiff(meaning)

    def _of_update(self, of: Value) -> Check:
        start = float(self.params[of.of][of.at])
        gradient = Derivative(Value(WHOLE), of)
        exact = descended(start, self.rate, self.witnesses.exactly(gradient))
        spans = self.bounds.of_update(start, self.rate, gradient)
        return Check(float(self.updated[of.of][of.at]), exact, *spans)


def _named(layers: Sequence[Any]) -> dict[str, Any]:
    """Name the arrays w0, b0, w1 and so on."""
    return {
        f"{letter}{at}": array
        for at, layer in enumerate(layers)
        for letter, array in zip(Layer._fields, layer, strict=True)
    }
