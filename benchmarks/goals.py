"""The performance goals, and whether the rows of a run meet them."""

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import names
from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.floors import over_floor
from benchmarks.results import Cell, Results
from benchmarks.statistics import Band, Interval, band

TAX = f"autodiff tax, {names.GRAD} / {names.HAND_JIT}"

#: From so many units in the narrowest layer on both derivatives should take the same time.
WIDE = 64

#: A tie is meaningless if the noise, or the ratio's interval, reaches farther from 1 than this.
QUIET = 0.05


class Goal(NamedTuple):
    """A ratio that should be below a number, above it, or 1."""

    cell: str
    what: str
    target: str  #: the goal in words
    found: Interval
    met: bool | None  #: None: the noise is too large to say

    @property
    def word(self) -> str:
        """Whether the goal is met, in words."""
        return {True: "met", False: "missed", None: "hidden by noise"}[self.met]


def goals(results: Results) -> list[Goal]:
    """Return every goal for which the cells of a run have the rows."""
    return [goal for cell in results.cells for goal in _of(cell)]


def _of(cell: Cell) -> Iterator[Goal]:
    if cell.case == "digits" and cell.device == "cpu":
        yield from _floor(cell)
    if cell.case == "training":
        yield from _at_most(cell, names.GRAD, names.C, 1.5)
        yield from _at_least(cell, names.ARTICLE, names.GRAD, 100)
    if cell.case == "sample":
        yield from _at_most(cell, names.FLOATS, names.ARTICLE, 0.5)
    if min(cell.about["sizes"][1:-1]) >= WIDE:
        yield from _tax(cell)


def _floor(cell: Cell) -> Iterator[Goal]:
    row = cell.row(names.HAND)
    if found := row and over_floor(cell, row):
        met = _below(found, 1.05, noise(cell))
        yield Goal(cell.label, f"{names.HAND} / floor", "at most 1.05", found, met)


def _at_most(cell: Cell, name: str, other: str, most: float) -> Iterator[Goal]:
    if found := between(cell, name, other):
        met = _below(found, most, noise(cell))
        yield Goal(cell.label, f"{name} / {other}", f"at most {most:g}", found, met)


def _at_least(cell: Cell, name: str, other: str, least: float) -> Iterator[Goal]:
    if found := between(cell, name, other):
        # The inverse ratio should be below.
        other_way = Interval(*(1 / number for number in (found.middle, found.high, found.low)))
        met = _below(other_way, 1 / least, noise(cell))
        yield Goal(cell.label, f"{name} / {other}", f"at least {least:g}", found, met)


def _tax(cell: Cell) -> Iterator[Goal]:
    found, hidden = between(cell, names.GRAD, names.HAND_JIT), noise(cell)
    if found and hidden:
        tie = found.overlaps(*hidden)
        # A tie needs low noise; a difference beyond the noise counts, however large the noise.
        sure = _quiet(hidden) and _quiet(band(found))
        met = None if tie and not sure else tie
        yield Goal(cell.label, TAX, "1.00 within the noise", found, met)


def _below(found: Interval, most: float, hidden: Band | None) -> bool | None:
    """Decide by the interval, if it is on one side; else by its middle, if the noise is low."""
    if found.high <= most or found.low > most:
        return found.high <= most
    return found.middle <= most if _quiet(hidden) else None


def _quiet(hidden: Band | None) -> bool:
    return hidden is not None and hidden.high <= 1 + QUIET
