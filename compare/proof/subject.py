"""What is to be proved: a loss, and what hand-written lines say is its gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from compare.proof.number import Number


@dataclass(frozen=True)
class Symbol:
    """How something is written."""

    text: str
    latex: str


class Run(NamedTuple):
    """What the lines made of some numbers."""

    loss: Number
    by_hand: dict[str, Number]  #: ∂L/∂ each parameter, by its name
    steps: dict[Symbol, Number]  #: pre-activations and activations


class Subject(Protocol):
    """A network, an example or some, and lines that differentiate its loss."""

    parameters: dict[str, Symbol]  #: by their names
    given: dict[str, Symbol]  #: inputs and targets
    #: Ways in which hidden units change places, of which all others are made: in each, for every
    #: parameter the one that it becomes. None at all where no layer has two hidden units.
    permutations: tuple[dict[str, str], ...]

    def loss(self, numbers: Mapping[str, Number]) -> Number:
        """What `run` says of the loss, without the rest."""
        ...

    def run(self, numbers: Mapping[str, Number]) -> Run:
        """Run the hand-written lines on a number for each parameter, input and target."""
        ...
