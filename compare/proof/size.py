"""Whether a proof is small enough to be attempted: decided by counting, before anything is done.

How long it takes follows from how many formulas there are, how many cases, and how many variables.
The limits are such that what is within them ends in about a minute on a slow machine, and most of
it in seconds.
"""

from dataclasses import dataclass

from compare.limits import count_parameters
from manual.network import Network

#: What has two pieces.
KINKED = ("relu", "leaky-relu")

#: Exponentials and logarithms that come with one number.
_VARIABLES = {"sigmoid": 1, "tanh": 1, "softplus": 2}


@dataclass(frozen=True)
class Size:
    """What there is to do, at most."""

    formulas: int  #: partial derivatives, each with a term for every output of every example
    cases: int  #: sign patterns
    variables: int  #: exponentials and logarithms

    def within(self, limit: "Size") -> bool:
        """Whether nothing is above a limit; formulas count once for every case."""
        return (
            self.formulas <= limit.formulas
            and self.cases <= limit.cases
            and self.formulas * self.cases <= WORK
            and self.variables <= limit.variables
        )

    def __str__(self) -> str:
        return f"formulas: {self.formulas}, cases: {self.cases}, variables: {self.variables}"


#: Formulas times cases.
WORK = 10_000

#: What is attempted.
LARGEST = Size(formulas=400, cases=256, variables=64)

#: What is attempted for two examples, unless said otherwise.
SMALL = Size(formulas=160, cases=64, variables=32)


def size_of(network: Network, examples: int) -> Size:
    """What the proof for a network and some examples takes."""
    outputs, classes = network.sizes[-1], 1
    cases, variables = 1, 0  # of one example
    for units, activation in zip(network.sizes[1:], network.activations, strict=True):
        if activation in KINKED:
            cases *= 2**units
        # What comes after a ReLU is another number in every case.
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
