"""Results as tables of a document; the same file gives the same text."""

from collections.abc import Iterable

from benchmarks.report.lines import COLUMNS, Line, closing, lines, missing, title
from benchmarks.results import Cell, Results


def markdown(results: Results) -> str:
    """A table for each cell, what follows from it below."""
    return "\n\n".join(_cell(cell) for cell in results.cells) + "\n"


def _cell(cell: Cell) -> str:
    notes = [f"- {line}" for line in (*missing(cell), *closing(cell))]
    return "\n\n".join([f"**{title(cell)}**", table(lines(cell)), "\n".join(notes)])


def table(rows: Iterable[Line]) -> str:
    """Rows with the columns of a cell."""
    left = (0, COLUMNS.index("", 1))
    marks = [":--" if at in left else "--:" for at in range(len(COLUMNS))]
    body = [(f"`{row.name}`", *row[1:]) for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (COLUMNS, marks, *body))
