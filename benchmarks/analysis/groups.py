"""Group the cells of one case that differ in size only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.results import CONTENDER, Cell, Results


@dataclass(frozen=True)
class Group:
    """Cells that differ in size alone, in order of size; each has a contender with a time."""

    case: str
    dtype: str
    threads: str
    precision: str
    device: str
    cells: list[Cell]
    fingerprint: Mapping[str, Any]  #: the machine and versions that they were measured on

    def stem(self, what: str) -> str:
        """Return a file name without theme and suffix: `width-float32-all-highest-cpu`."""
        return f"{what}-{self.dtype}-{self.threads}-{self.precision}-{self.device}"


def groups(results: Results) -> list[Group]:
    """Return all groups, in the order of the results."""
    found: dict[tuple[str, str, str, str, str], list[Cell]] = {}
    for cell in results.cells:
        if cell.timed(CONTENDER):
            kind = (cell.case, cell.dtype, cell.threads, cell.precision, cell.device)
            found.setdefault(kind, []).append(cell)
    return [
        Group(*kind, sorted(cells, key=lambda cell: cell.size), results.fingerprint)
        for kind, cells in found.items()
    ]


def contenders(group: Group) -> list[str]:
    """Return the names of the contenders that have a time in some cell."""
    return list(dict.fromkeys(row.name for cell in group.cells for row in cell.timed(CONTENDER)))
