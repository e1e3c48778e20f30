"""The numbers of a figure along an axis: times by size, floors, and where lines cross."""

from dataclasses import dataclass

import numpy as np

from benchmarks import names
from benchmarks.analysis.axes import crossovers
from benchmarks.analysis.floors import floor
from benchmarks.results import CONTENDER, FLOOR, JAX, PYTHON, Cell, Row
from benchmarks.statistics import Samples, spread

#: Whose crossings are marked: which of two to use is a question for each of these pairs.
PAIRS = (
    (names.HAND, names.GRAD),
    (names.HAND_JIT, names.GRAD),
    (names.FLOATS, names.HAND),
)


@dataclass(frozen=True)
class Line:
    """Seconds of one call by size: the median and the quartiles, all of shape (cells,)."""

    name: str
    sizes: np.ndarray
    lower: np.ndarray
    median: np.ndarray
    upper: np.ndarray

    def at(self, size: float) -> float:
        """The median between two cells, interpolated in logarithms."""
        logs = np.interp(np.log(size), np.log(self.sizes), np.log(self.median))
        return float(np.exp(logs))


def line(cells: list[Cell], name: str) -> Line:
    """Of one row, in the cells where it has times."""
    found = [(cell.size[0], row) for cell in cells if (row := cell.row(name)) and row.timed]
    return _line(name, [(size, row.samples) for size, row in found])


def floor_line(cells: list[Cell], called: str) -> Line | None:
    """The floor of what is called as a Python function, or of what JAX has compiled."""
    # A floor depends on how a row is called, and on nothing else of the row.
    row = Row(f"floor-{called}", FLOOR, called)
    found = [(cell.size[0], below) for cell in cells if (below := floor(cell, row))]
    return _line(row.name, found) if found else None


def floors(cells: list[Cell]) -> dict[str, Line]:
    """Both floors, where they were measured and something is called that way."""
    called = {row.called for cell in cells for row in cell.timed(CONTENDER)}
    lines = {way: floor_line(cells, way) for way in (JAX, PYTHON) if way in called}
    return {way: found for way, found in lines.items() if found}


@dataclass(frozen=True)
class Mark:
    """Where two lines cross."""

    size: float
    seconds: float
    winner: str  #: the faster one beyond it
    loser: str


def marks(cells: list[Cell], lines: dict[str, Line]) -> list[Mark]:
    """The crossings of the pairs, in order of size."""
    found = []
    for name, other in PAIRS:
        for crossing in crossovers(cells, name, other):
            size = crossing.size.middle
            seconds = float(np.sqrt(lines[name].at(size) * lines[other].at(size)))
            found.append(Mark(size, seconds, crossing.winner, crossing.loser))
    return sorted(found, key=lambda mark: mark.size)


def _line(name: str, found: list[tuple[int, Samples]]) -> Line:
    sizes, samples = zip(*found, strict=True)
    spreads = np.array([spread(each) for each in samples])
    return Line(name, np.array(sizes, dtype=float), *spreads[:, 1:].T)
