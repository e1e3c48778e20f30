"""Why a goal is missed, where it is: looked up in the compiled programs and the parts of a time.

A goal that is missed and stands not here stops the page from being made: it has to be looked into.
"""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.results import Cell


class Reason(NamedTuple):
    """Of a kind of cell."""

    holds: Callable[[Cell], bool]
    text: str


REASONS = (
    Reason(
        lambda cell: cell.about.get("batch") == 1,
        "with one example dw is an outer product; `jax.grad` makes its transpose and copies that "
        "(`transpose` and `copy` in the compiled program), the hand lines write it as it is",
    ),
    Reason(
        lambda cell: cell.case == "digits" and cell.threads == "all",
        "what is not a product takes one thread, one pass after the other, while the products take "
        "all; on one thread the same passes weigh half as much",
    ),
    Reason(
        lambda cell: cell.case == "digits" and cell.threads == "1",
        "biases, rectifiers and sums run over the arrays one pass after the other",
    ),
)


def reason(cell: Cell) -> str | None:
    """Why a goal is missed in a cell; None if nobody has looked."""
    return next((found.text for found in REASONS if found.holds(cell)), None)
