"""A network of any shape as the subject of a proof. Everything is counted from 0."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

import manual.network
from compare.proof.arrays import Array
from compare.proof.number import Number
from compare.proof.subject import Run
from compare.symbols import Symbol, element
from manual.affine import Layer, affine_forward
from manual.network import Cache, Network


class Entry:
    """The names of an array's elements, w0[2,1]; for one example, without the example's index."""

    def __init__(self, letter: str, layer: int | None, shape: tuple[int, ...]):
        self.letter, self.layer, self.shape = letter, layer, shape

    def names(self) -> Iterator[tuple[tuple[int, ...], Symbol]]:
        """Yield the indices and the symbol of every element."""
        of_one_example = self.letter not in "wb" and self.shape[0] == 1
        for at in np.ndindex(self.shape):
            yield at, element(self.letter, self.layer, at[1:] if of_one_example else at)

    def symbols(self) -> dict[str, Symbol]:
        """Return the symbols by their texts."""
        return {symbol.text: symbol for _, symbol in self.names()}

    def array(self, numbers: Mapping[str, Number]) -> Array:
        """Build the array from numbers by name."""
        array = np.empty(self.shape, dtype=object)
        for at, symbol in self.names():
            array[at] = numbers[symbol.text]
        return Array(array)


def generators(units: int) -> list[tuple[int, ...]]:
    """Return generators of all permutations of some units, as new positions.

    The exchange of the first two, and the cycle of all: conjugating the exchange with cycles gives
    the exchange of any two neighbours, and these sort any order. A loss that is invariant under the
    generators is invariant under all. For two units, both are the same.
    """
    exchange, cycle = (1, 0, *range(2, units)), (*range(1, units), 0)
    return [exchange, cycle][: units - 1]


class General:
    """A network and some examples, as the subject of a proof.

    Args:
        network: its description.
        examples: how many; a power of two, so that 1/n is no rounded number.
    """

    def __init__(self, network: Network, examples: int):
        self.network, self.examples = network, examples
        self._layers = [
            Layer(Entry("w", at, sizes), Entry("b", at, sizes[1:]))
            for at, sizes in enumerate(pairwise(network.sizes))
        ]
        self._x = Entry("x", None, (examples, network.sizes[0]))
        self._y = Entry("y", None, (examples, network.sizes[-1]))
        entries = [entry for layer in self._layers for entry in layer]
        self.parameters: dict[str, Symbol] = {}
        for entry in entries:
            self.parameters |= entry.symbols()
        self.given = self._x.symbols() | self._y.symbols()
        self.permutations = tuple(
            self._permutation(at, places)
            for at, units in enumerate(network.sizes[1:-1])
            for places in generators(units)
        )

    def _permutation(self, hidden: int, places: tuple[int, ...]) -> dict[str, str]:
        """Return the parameters' new names when the units of hidden layer `hidden` are permuted."""
        new: dict[str, str] = {}
        for layer, (w, b) in enumerate(self._layers):
            for entry in (w, b):
                for at, symbol in entry.names():
                    *inputs, unit = at
                    moved = places[unit] if layer == hidden else unit
                    came = [places[i] if layer == hidden + 1 else i for i in inputs]
                    shown = ",".join(map(str, (*came, moved)))
                    new[symbol.text] = f"{entry.letter}{layer}[{shown}]"
        return new

    def loss(self, numbers: Mapping[str, Number]) -> Number:
        """See `Subject`."""
        loss, _ = manual.network.forward(self.network, *self._given(numbers))
        return loss.number

    def run(self, numbers: Mapping[str, Number]) -> Run:
        """See `Subject`."""
        params, x, y = self._given(numbers)
        loss, cache = manual.network.forward(self.network, params, x, y)
        grads = manual.network.backward(self.network, cache)
        by_hand = {
            symbol.text: array.numbers[at]
            for entries, arrays in zip(self._layers, grads, strict=True)
            for entry, array in zip(entries, arrays, strict=True)
            for at, symbol in entry.names()
        }
        return Run(loss.number, by_hand, dict(self._steps(params, cache)))

    def _given(self, numbers: Mapping[str, Number]) -> tuple[list[Layer], Array, Array]:
        params = [Layer(*(entry.array(numbers) for entry in layer)) for layer in self._layers]
        return params, self._x.array(numbers), self._y.array(numbers)

    def _steps(self, params: list[Layer], cache: Cache) -> Iterator[tuple[Symbol, Number]]:
        """Yield the pre-activations and, for hidden layers, the activations."""
        for layer, ((w, b), kept) in enumerate(zip(params, cache.affine, strict=True)):
            if layer:
                for at, symbol in Entry("a", layer - 1, kept.x.shape).names():
                    yield symbol, kept.x.numbers[at]
            z, _ = affine_forward(kept.x, w, b)
            for at, symbol in Entry("z", layer, z.shape).names():
                yield symbol, z.numbers[at]
