"""Write results as Markdown tables; the same file gives the same text."""

from collections.abc import Iterable

from benchmarks.report.lines import COLUMNS, WORDS, Line, about, closing, lines, missing, title
from benchmarks.report.summary import summary
from benchmarks.results import Cell, Results


def markdown(results: Results) -> str:
    """Write the conditions, a table and conclusions for each cell, and the summary."""
    parts = ["\n".join(about(results)), *map(_cell, results.cells), _bullets(summary(results))]
    return "\n\n".join(filter(None, parts)) + "\n"


def _cell(cell: Cell) -> str:
    notes = _bullets([*missing(cell), *closing(cell)])
    return "\n\n".join([f"**{title(cell)}**", table(lines(cell)), notes])


def _bullets(found: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in found)


def table(rows: Iterable[Line]) -> str:
    """Write the table of a cell."""
    marks = [":--" if at in WORDS else "--:" for at in range(len(COLUMNS))]
    body = [(f"`{row.name}`", *row[1:]) for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (COLUMNS, marks, *body))
