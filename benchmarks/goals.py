"""What the product should reach, and whether the rows of a run say that it does."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import names
from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.floors import over_floor
from benchmarks.results import Cell, Results
from benchmarks.statistics import Band, Interval

TAX = f"autodiff tax, {names.GRAD} / {names.HAND_JIT}"

#: From this width on autodiff should cost nothing beside the same lines by hand.
WIDE = 64


class Goal(NamedTuple):
    """A ratio that should be below a number, or above it."""

    cell: str
    what: str
    asked: str
    found: Interval
    met: bool


def goals(results: Results) -> list[Goal]:
    """Every goal that the cells of a run have the rows for."""
    return [goal for cell in results.cells for goal in _of(cell)]


def _of(cell: Cell) -> Iterator[Goal]:
    if cell.case == "digits":
        yield from _floor(cell)
    if cell.case == "training":
        yield from _at_most(cell, names.GRAD, names.C, 1.5)
        yield from _at_least(cell, names.ARTICLE, names.GRAD, 100)
    if cell.case == "sample":
        yield from _at_most(cell, names.FLOATS, names.ARTICLE, 0.5)
    if _width(cell) >= WIDE:
        yield from _tax(cell)


def _width(cell: Cell) -> int:
    """The narrowest hidden layer."""
    return min(cell.about["sizes"][1:-1])


def _floor(cell: Cell) -> Iterator[Goal]:
    row = cell.row(names.HAND)
    found = over_floor(cell, row) if row is not None and row.timed else None
    if found:
        yield Goal(cell.label, f"{names.HAND} / floor", "at most 1.05", found, _below(found, 1.05))


def _at_most(cell: Cell, name: str, other: str, most: float) -> Iterator[Goal]:
    if found := between(cell, name, other):
        met = _below(found, most)
        yield Goal(cell.label, f"{name} / {other}", f"at most {most:g}", found, met)


def _at_least(cell: Cell, name: str, other: str, least: float) -> Iterator[Goal]:
    if found := between(cell, name, other):
        met = found.middle >= least
        yield Goal(cell.label, f"{name} / {other}", f"at least {least:g}", found, met)


def _tax(cell: Cell) -> Iterator[Goal]:
    found, hidden = between(cell, names.GRAD, names.HAND_JIT), noise(cell)
    if found and hidden:
        yield Goal(cell.label, TAX, "at most 1.00 within noise", found, _hidden(found, hidden))


def _below(found: Interval, most: float) -> bool:
    return found.middle <= most


def _hidden(found: Interval, hidden: Band) -> bool:
    """Autodiff is a tie, or faster than the same lines by hand."""
    return found.low <= hidden.high
