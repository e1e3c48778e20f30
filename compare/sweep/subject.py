"""The interface of a network in a sweep."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax

from compare.rounding import Range

jax.tree_util.register_dataclass(Range, ["middle", "radius"], ["floats"])

#: An identity that forces an array to be computed once and stored. See `in_memory`.
Kept = Callable[[Any], Any]


class Compared(NamedTuple):
    """Both gradients of a block of cases, and the largest distance of right ones.

    Lists of arrays of shape (ROWS, LANES), or (k, ROWS, LANES) for k parameters at once, in the
    order of the subject's names.
    """

    by_hand: list[Any]
    autodiff: list[Any]
    allowed: list[Any]


class Subject(Protocol):
    """A network whose gradients are compared."""

    @property
    def names(self) -> list[str]:
        """The names of the parameters."""
        ...

    def compared(self, numbers: list[Any], kept: Kept) -> Compared:
        """Compute both gradients and bounds from the numbers drawn by `compare.sweep.cases`."""
        ...

    def losses(self, numbers: list[Any]) -> Any:
        """Compute the loss of each case by hand, (ROWS, LANES)."""
        ...


#: The distance of two right gradients in error bounds: one each. (The excess over 2 covers the
#: rounding of the bounds themselves, some dozens of operations of 2⁻²⁴ or less.)
APART = 2.01


def in_memory(never: Any) -> Kept:
    """Return an identity that XLA cannot optimise away.

    XLA on a CPU recomputes an array in every loop that reads it if it considers that cheap: random
    bits and long chains of products, over and over. An array that passes through a loop of zero
    iterations is stored in memory and read back.

    Args:
        never: 0, but only known at run time.
    """

    def kept(tree: Any) -> Any:
        return jax.lax.fori_loop(
            0, never, lambda _, t: jax.tree.map(lambda leaf: leaf + 1, t), tree
        )

    return kept
