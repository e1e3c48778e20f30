"""What autodiff, the truth, and the ranges of rounding say of a pass through any network."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np

import autodiff.network
from autodiff import sgd
from autodiff.precision import in_float64
from autodiff.seeing import See
from compare.networks.ranges import CANCELLING, STABLE, loss_ranges, step_ranges
from compare.rounding import Range, exactly
from compare.traced.assemble import Check
from compare.traced.witnesses import Derivative, Value, Witnesses, descended
from manual.affine import Layer
from manual.network import Network

#: The loss, and the loss without what λ Σ w² adds.
WHOLE, OF_DATA = "L", "L_data"


@dataclass(frozen=True)
class Losses:
    """The loss in JAX, of parameters by name, and its part of the data."""

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
def _step(network: Network) -> Callable[..., sgd.Step]:
    """Gradient and update by the very step that training by autodiff takes, compiled once."""
    return in_float64(jax.jit(sgd.step(partial(autodiff.network.loss, network))))


class Checks:
    """What the other witnesses say of the numbers of one pass, by the names of these."""

    def __init__(
        self, network: Network, params: list[Layer], x: np.ndarray, y: np.ndarray, rate: float
    ) -> None:
        self.network, self.x, self.y, self.rate = network, x, y, rate
        self.params = {
            f"{letter}{at}": array
            for at, layer in enumerate(params)
            for letter, array in layer._asdict().items()
        }
        self.witnesses = Witnesses(Losses(network), self.params, (x, y))
        self.step = self._stepped(params)
        one = ([(w[None], b[None]) for w, b in params], x[None], y[None])
        self.ranges = step_ranges(network, *one)
        self.losses = {
            WHOLE: loss_ranges(network, *one)[0],
            OF_DATA: loss_ranges(replace(network, l2=0.0), *one)[0],
        }

    def _stepped(self, params: list[Layer]) -> sgd.Step:
        layers = [autodiff.network.Layer(*layer) for layer in params]
        return _step(self.network)(layers, self.x, self.y, self.rate)

    def of(self, name: str) -> Check:
        """A `Check` of a computed number."""
        if name in self.losses:
            value, span = Value(name), self.losses[name]
            by = self.witnesses
            return Check(by.by_autodiff(value), by.exactly(value), span, span)
        what, letter, layer, index, end = _parsed(name)
        if end == "_new":
            return self._of_update(letter, layer, index)
        at = Value(f"{letter}{layer}", index if letter in "wb" else (0, *index))
        meaning = at
        if what == "d":
            meaning = Derivative(Value(OF_DATA if end == "_data" else WHOLE), at)
        elif what == "da_d":
            meaning = Derivative(Value(f"a{layer}", at.at), at)
        exact = self.witnesses.exactly(meaning)
        if what == "d" and letter in "wb" and end != "_data":
            by_autodiff = float(getattr(self.step.grads[layer], letter)[index])
        else:
            by_autodiff = self.witnesses.by_autodiff(meaning)
        field = {"": letter, "d": f"d{letter}", "da_d": "slope"}[what]
        field += "_of_data" if end == "_data" or (field == "dw" and not self.network.l2) else ""
        return Check(by_autodiff, exact, *self._spans(field, layer, at.at))

    def _spans(self, field: str, layer: int, index: tuple[int, ...]) -> Iterator[Range]:
        if field in ("z", "a"):
            yield from [getattr(self.ranges, field)[layer][0, *index]] * 2
        else:
            for form in (STABLE, CANCELLING):
                yield getattr(self.ranges.by_form[form][layer], field)[0, *index]

    def _of_update(self, letter: str, layer: int, index: tuple[int, ...]) -> Check:
        start = float(self.params[f"{letter}{layer}"][index])
        gradient = Derivative(Value(WHOLE), Value(f"{letter}{layer}", index))
        by_autodiff = float(getattr(self.step.params[layer], letter)[index])
        exact = descended(start, self.rate, self.witnesses.exactly(gradient))
        spans = self._spans(f"d{letter}", layer, index)
        return Check(
            by_autodiff, exact, *(exactly(start) - exactly(self.rate) * span for span in spans)
        )


def _parsed(name: str) -> tuple[str, str, int, tuple[int, ...], str]:
    """What is asked, of which letter, layer and index, and what follows the name."""
    found = re.fullmatch(r"(da_d|d|)([abwz])(\d+)\[([\d,]+)\](_new|_data|)", name)
    assert found is not None, name
    what, letter, layer, index, end = found.groups()
    return what, letter, int(layer), tuple(map(int, index.split(","))), end
