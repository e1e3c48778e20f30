"""What is asked of a block of cases, whichever network they are of."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax

#: Identity; what goes through it is computed once, and kept in memory. See `in_memory`.
Kept = Callable[[Any], Any]


class Compared(NamedTuple):
    """Both gradients of a block of cases, and how far apart right ones may be.

    Lists of arrays of shape (ROWS, LANES), or (k, ROWS, LANES) for k parameters at once, in the
    order of the subject's names.
    """

    by_hand: list[Any]
    autodiff: list[Any]
    allowed: list[Any]


class Subject(Protocol):
    """A network."""

    @property
    def names(self) -> list[str]:
        """Of its parameters."""
        ...

    def compared(self, numbers: list[Any], kept: Kept) -> Compared:
        """Of the numbers that `compare.sweep.cases` draws."""
        ...

    def losses(self, numbers: list[Any]) -> Any:
        """The loss of each case by hand, (ROWS, LANES)."""
        ...


#: Right gradients may be so many errors apart: one each. (What is above 2 is for the rounding of
#: the errors themselves, some dozens of operations of 2⁻²⁴ or less.)
APART = 2.01


def in_memory(never: Any) -> Kept:
    """An identity that XLA does not see through.

    XLA on a CPU computes an array anew in every loop that reads it, if that is cheap, or seems to
    be: random bits and long chains of products, over and over. What passes through a loop of no
    rounds is written to memory, and read.

    Args:
        never: 0, known when the program runs.
    """

    def kept(tree: Any) -> Any:
        return jax.lax.fori_loop(
            0, never, lambda _, t: jax.tree.map(lambda leaf: leaf + 1, t), tree
        )

    return kept
