"""`Rule`, a row of the tables of rules: how an operation runs on series, rounds, and costs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from handgrad.program import cost


class Rounds(Enum):
    """Where an operation rounds in floats, for Monte Carlo arithmetic to imitate."""

    NOTHING = auto()  #: it rearranges or selects numbers, or its body rounds by itself
    RESULT = auto()  #: each result, once
    SUM = auto()  #: a sum of many terms, in any order
    TRANSFORM = auto()  #: a Fourier transform, each result by the size of all
    ARGUMENTS = auto()  #: backward stable: exact for slightly perturbed arguments


@dataclass(frozen=True)
class Rule:
    """The rule of one operation of JAX. Calling the rule runs the operation.

    `run(run, equation, *operands)` returns the output, or a list of several. It must not use a
    derivative rule of JAX.
    """

    run: Callable[..., Any]
    rounds: Rounds = Rounds.NOTHING
    elementwise: bool = False
    rearranges: bool = False  #: whether it only rearranges elements
    #: Whether it runs without real operands too: most have a body, whose operations are counted.
    structured: bool = False
    cost: Callable[[Any], float] = cost.largest  #: equation -> count of operations on numbers
    numpy: tuple[str, ...] = ()  #: other names of the same function in NumPy

    def __call__(self, run: Any, eqn: Any, *operands: Any) -> Any:
        """Run the operation."""
        return self.run(run, eqn, *operands)


def elementwise(run: Callable[..., Any], *numpy: str) -> Rule:
    """Make the rule of an elementwise function that rounds its result."""
    return Rule(run, Rounds.RESULT, elementwise=True, numpy=numpy)


def choice(run: Callable[..., Any], *numpy: str) -> Rule:
    """Make the rule of an elementwise function that does not round: a comparison, a choice."""
    return Rule(run, elementwise=True, numpy=numpy)
