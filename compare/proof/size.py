"""Decide, by counting, whether a proof is small enough to be attempted.

Its time depends on the numbers of formulas, cases and variables. Within the limits a proof takes at
most about a minute on a slow machine, and mostly seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from compare.limits import count_parameters
from compare.proof.arrays import Array
from compare.proof.cases import leaves
from compare.proof.field import Field
from compare.proof.number import InexactError, Number
from compare.proof.prove import ROOM
from manual.activations import ACTIVATIONS
from manual.network import Network


@dataclass(frozen=True)
class Size:
    """An upper bound on the work of a proof."""

    formulas: int  #: partial derivatives, each with a term for every output of every example
    cases: int  #: sign patterns
    variables: int  #: exponentials and logarithms

    def within(self, limit: "Size") -> bool:
        """Whether nothing exceeds a limit; formulas count once for every case."""
        return (
            self.formulas <= limit.formulas
            and self.cases <= limit.cases
            and self.formulas * self.cases <= WORK
            and self.variables <= limit.variables
        )

    def __str__(self) -> str:
        return f"formulas: {self.formulas}, cases: {self.cases}, variables: {self.variables}"


#: The limit on formulas times cases.
WORK = 10_000

#: The largest proof that is attempted.
LARGEST = Size(formulas=400, cases=256, variables=64)

#: The largest proof for which two examples are the default.
SMALL = Size(formulas=160, cases=64, variables=32)


def size_of(network: Network, examples: int) -> Size:
    """Compute the size of the proof for a network and some examples."""
    outputs, classes = network.sizes[-1], 1
    cases, variables = 1, 0  # of one example
    for units, activation in zip(network.sizes[1:], network.activations, strict=True):
        pieces, functions = _counted(ACTIVATIONS[activation].forward)
        cases *= pieces**units
        # After a ReLU, a pre-activation is a different number in every case.
        variables += units * cases * functions
    if network.loss == "huber":
        cases *= 4**outputs
    elif network.loss in ("bce", "softmax-ce"):
        variables += 2 * outputs * cases
        classes = outputs if network.loss == "softmax-ce" else 1
    return Size(
        count_parameters(network.sizes) * outputs * classes * examples,
        cases**examples,
        variables * examples,
    )


@cache
def _counted(forward: Callable[[Any], tuple[Any, Any]]) -> tuple[int, int]:
    """Count an activation's pieces, and the exponentials and logarithms of all, on a symbol.

    Its slope needs no further ones: the field is closed under differentiation.
    """
    field = Field(["z"], ROOM)
    try:
        a, _ = forward(Array(Number(field, field.named["z"])))
    except InexactError:  # which the proof reports
        return 1, 0
    return sum(1 for _ in leaves(a.number.tree)), len(field.extensions)
