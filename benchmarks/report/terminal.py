"""Print results on a terminal: a table and conclusions for each cell, and a closing line."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from benchmarks.names import LABELS
from benchmarks.report.lines import COLUMNS, WORDS, about, closing, lines, missing, title
from benchmarks.report.summary import summary
from benchmarks.results import Results


def show(results: Results, out: Console) -> None:
    """Print everything, cell after cell."""
    for line in about(results):
        out.print(line, soft_wrap=True)
    for cell in results.cells:
        out.print(f"\n{title(cell)}", soft_wrap=True)
        table = Table(box=None, pad_edge=False)
        for at, column in enumerate(COLUMNS):
            table.add_column(column, justify="left" if at in WORDS else "right", no_wrap=True)
        for line in lines(cell):
            table.add_row(*line)
        whole(out, table)
        for line in (*missing(cell), *closing(cell)):
            out.print(line, soft_wrap=True)
    rows = {line.name: LABELS[line.name] for cell in results.cells for line in lines(cell)}
    width = max(map(len, rows), default=0)
    out.print()
    for name, meaning in rows.items():
        out.print(f"{name:{width}}  {meaning}", soft_wrap=True)
    out.print()
    for line in (*summary(results), *results.left_out, *results.refused, *results.failed):
        out.print(line, soft_wrap=True)
    out.print(f"\n{last_word(results)}", soft_wrap=True)


def whole(out: Console, table: Table) -> None:
    """Print a table in full width, also in a pipe; terminals wrap it."""
    narrow = out.width
    out.width = max(narrow, Measurement.get(out, out.options.update(width=1000), table).maximum)
    out.print(table)
    out.width = narrow


def last_word(results: Results) -> str:
    """State whether all answers were right."""
    cells, failed, refused = len(results.cells), len(results.failed), len(results.refused)
    if failed or refused:
        wrong = [f"{failed} wrong answer{'s' * (failed != 1)}"] * bool(failed)
        unjudged = [f"{refused} cell{'s' * (refused != 1)} that could not be judged"] * bool(
            refused
        )
        return f"{' and '.join([*wrong, *unjudged])}: no time for those."
    if not results.right:
        return "Nothing was timed."
    rows = sum(len(lines(cell)) for cell in results.cells)
    return f"{rows} rows in {cells} cells, every answer right before and after it was timed."
