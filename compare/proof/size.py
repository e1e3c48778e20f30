"""Decide, by counting, whether a proof is small enough to be attempted.

Its time depends on the numbers of formulas, cases and variables. Within the limits a proof takes at
most about a minute on a slow machine, and mostly seconds.
"""

from dataclasses import dataclass

from compare.limits import count_parameters
from manual.network import Network

#: Activations with two pieces.
KINKED = ("relu", "leaky-relu")

#: Exponentials and logarithms of one activation.
_VARIABLES = {"sigmoid": 1, "tanh": 1, "softplus": 2}


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
        if activation in KINKED:
            cases *= 2**units
        # After a ReLU, a pre-activation is a different number in every case.
        variables += units * cases * _VARIABLES.get(activation, 0)
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
