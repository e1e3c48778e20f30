"""What may be absent of results, where a test knows that it is there."""

from typing import TypeVar

from benchmarks.results import Cell, Row

T = TypeVar("T")


def sure(found: T | None) -> T:
    """What was found; the test fails if nothing was."""
    assert found is not None
    return found


def row_of(cell: Cell, name: str) -> Row:
    """The row of that name; the test fails if there is none."""
    return sure(cell.row(name))
