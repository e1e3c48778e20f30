"""The reasons for missed goals, found in the compiled programs and the parts of a time.

A missed goal without a reason here is an error when the page is built: it has to be investigated.
"""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks import names
from benchmarks.goals import TAX, Goal
from benchmarks.results import Cell

#: Operations that only move numbers.
MOVES = ("copy", "transpose")
COSTLY = ("dot", "exponential", "divide")

#: A tax below this is not explained by a softmax's two small products and a slope's exponential.
MOST_FOR_DIGITS = 0.8


class Reason(NamedTuple):
    """A reason, and the goals and cells that it applies to."""

    holds: Callable[[Goal, Cell], bool]
    text: str


def counts(cell: Cell, operation: str) -> tuple[int, int]:
    """Count an operation in the compiled hand lines and in the compiled `jax.grad`."""
    rows = (cell.row(name) for name in (names.HAND_JIT, names.GRAD))
    by_hand, auto = (row.operations.get(operation, [0])[0] if row else 0 for row in rows)
    return by_hand, auto


def moved(cell: Cell, operation: str) -> int:
    """Return the largest result of an operation in the compiled `jax.grad`, in numbers."""
    row = cell.row(names.GRAD)
    return row.operations.get(operation, [0, 0])[1] if row else 0


def _copies_more(goal: Goal, cell: Cell) -> bool:
    """One example, and `jax.grad`'s program moves more, arrays as large as a weight matrix."""
    more = [
        counts(cell, move)[1] > counts(cell, move)[0]
        and moved(cell, move) >= cell.about["sizes"][1] ** 2
        for move in MOVES
    ]
    one = cell.about.get("batch") == 1
    return goal.what == TAX and goal.found.middle > 1 and one and any(more)


def _asks_for_more(goal: Goal, cell: Cell) -> bool:
    """The hand lines' program has more of what takes time, and takes somewhat more of it."""
    more = [counts(cell, operation)[0] > counts(cell, operation)[1] for operation in COSTLY]
    return goal.what == TAX and MOST_FOR_DIGITS < goal.found.middle < 1 and any(more)


def _floor_of_all_threads(goal: Goal, cell: Cell) -> bool:
    return goal.what != TAX and cell.case == "digits" and cell.threads == "all"


def _floor_of_one_thread(goal: Goal, cell: Cell) -> bool:
    return goal.what != TAX and cell.case == "digits" and cell.threads == "1"


REASONS = (
    Reason(
        _copies_more,
        "with one example dw is an outer product; `jax.grad` makes its transpose and copies that",
    ),
    Reason(
        _asks_for_more,
        "the hand-written lines compute more, so that small slopes keep their digits",
    ),
    Reason(
        _floor_of_all_threads,
        "only the products use all threads; the rest runs on one, one pass after the other",
    ),
    Reason(
        _floor_of_one_thread,
        "NumPy's products take longer than the fastest library's, and biases, rectifiers and sums "
        "run over the arrays one pass after the other",
    ),
)


def reason(goal: Goal, cell: Cell) -> str | None:
    """Return why a goal is missed in its cell; None if no reason is known."""
    return next((found.text for found in REASONS if found.holds(goal, cell)), None)


def evidence(cell: Cell) -> str:
    """Describe how the two compiled programs differ: counts by hand and by `jax.grad`."""
    found = []
    for operation in (*COSTLY, *MOVES):
        by_hand, auto = counts(cell, operation)
        most = f", of {moved(cell, operation):,} numbers at most" if operation in MOVES else ""
        if by_hand != auto:
            found.append(f"`{operation}` {by_hand} and {auto}{most}")
    return "; ".join(found)
