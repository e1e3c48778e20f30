"""Group the cells of one case that differ in size only."""

from dataclasses import dataclass

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

    @property
    def stem(self) -> str:
        """The name of its figure's file: `width-float32-all-highest-cpu`."""
        return "-".join([self.case, self.dtype, self.threads, self.precision, self.device])


def groups(results: Results) -> list[Group]:
    """Return all groups, in the order of the results."""
    found: dict[tuple[str, str, str, str, str], list[Cell]] = {}
    for cell in results.cells:
        if cell.timed(CONTENDER):
            kind = (cell.case, cell.dtype, cell.threads, cell.precision, cell.device)
            found.setdefault(kind, []).append(cell)
    return [
        Group(*kind, sorted(cells, key=lambda cell: cell.size)) for kind, cells in found.items()
    ]
