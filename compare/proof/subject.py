"""The subject of a proof: a loss and its hand-written gradient."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from compare.proof.number import Number
from compare.symbols import Symbol


class Run(NamedTuple):
    """The results of running the hand-written lines."""

    loss: Number
    by_hand: dict[str, Number]  #: ∂L/∂ each parameter, by its name
    steps: dict[Symbol, Number]  #: pre-activations and activations


class Subject(Protocol):
    """A network, some examples, and lines that differentiate its loss."""

    parameters: dict[str, Symbol]  #: by their names
    given: dict[str, Symbol]  #: inputs and targets
    #: Generators of the permutations of hidden units: each maps every parameter to its new name.
    #: Empty where no layer has two hidden units.
    permutations: tuple[dict[str, str], ...]

    def loss(self, numbers: Mapping[str, Number]) -> Number:
        """Compute the loss alone."""
        ...

    def run(self, numbers: Mapping[str, Number]) -> Run:
        """Run the hand-written lines on a number for each parameter, input and target."""
        ...
