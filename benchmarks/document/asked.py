"""Finding in the stored results what the template asks of them."""

from typing import NamedTuple

from benchmarks.analysis.groups import groups
from benchmarks.results import Cell, Results, Row


class UnknownError(ValueError):
    """A placeholder that the results have no answer to; the message is one line."""


class Asked(NamedTuple):
    """The results, with what a verb needs to find in them."""

    results: Results

    def cell(self, label: str) -> Cell:
        """The cell of that label."""
        full = "/".join([*label.split("/"), "highest", "cpu"][:6])
        found = self.results.cell(full)
        if found is None:
            raise UnknownError(f"the results have no cell {full}")
        return found

    def row(self, label: str, name: str) -> tuple[Cell, Row]:
        """A row that has times, and its cell."""
        cell = self.cell(label)
        row = cell.row(name)
        if row is None or not row.timed:
            raise UnknownError(f"{cell.label} has no time of {name}")
        return cell, row

    def axis(self, case: str) -> list[Cell]:
        """The cells of `case/dtype/threads`, by size."""
        kind = [*case.split("/"), "highest", "cpu"][:5]
        for group in groups(self.results):
            if [group.case, group.dtype, group.threads, group.precision, group.device] == kind:
                return group.cells
        raise UnknownError(f"the results have no cells of {case}")
