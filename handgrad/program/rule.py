"""One row of the tables of rules: how an operation runs on series, and what is known about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from handgrad.program import cost


class Rounds(Enum):
    """Where floats round in an operation, as Monte Carlo arithmetic imitates it."""

    NOTHING = auto()  #: it moves or chooses numbers, or its parts round by themselves
    RESULT = auto()  #: each result, once
    SUM = auto()  #: a sum of many terms, in any order
    ARGUMENTS = auto()  #: backward stable: exact for arguments a little off


@dataclass(frozen=True)
class Rule:
    """One operation of JAX. Calling the rule runs it.

    `run(run, equation, *operands)` gives the output, or a list of several. It may use no derivative
    rule of JAX.
    """

    run: Callable[..., Any]
    rounds: Rounds = Rounds.NOTHING
    elementwise: bool = False
    moves: bool = False  #: whether it moves elements about, and computes nothing
    structured: bool = False  #: whether it is made of operations, which are run one by one
    cost: Callable[[Any], float] = (
        cost.largest
    )  #: equation -> about how many numbers it goes through
    numpy: tuple[str, ...] = ()  #: NumPy's functions that do the same under other names

    def __call__(self, run: Any, eqn: Any, *operands: Any) -> Any:
        """Run the operation."""
        return self.run(run, eqn, *operands)


def elementwise(run: Callable[..., Any], *numpy: str) -> Rule:
    """A function of each element that rounds its result."""
    return Rule(run, Rounds.RESULT, elementwise=True, numpy=numpy)


def choice(run: Callable[..., Any], *numpy: str) -> Rule:
    """A comparison or a choice, element by element, which rounds nothing."""
    return Rule(run, elementwise=True, numpy=numpy)
