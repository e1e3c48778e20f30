"""A table of texts, for a terminal and for a document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rich.table
from rich.console import Console
from rich.measure import Measurement


def markdown(heads: Sequence[str], marks: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table for a document; marks say how each column is aligned."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows))


@dataclass(frozen=True)
class Table:
    """Heads and rows; columns of words are aligned left, those of numbers right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)

    def markdown(self) -> str:
        """Write it for a document."""
        marks = [":--" if at in self.words else "--:" for at in range(len(self.heads))]
        return markdown(self.heads, marks, self.rows)

    def show(self, out: Console) -> None:
        """Print it in full width, also in a pipe; terminals wrap it."""
        table = rich.table.Table(box=None, pad_edge=False)
        for at, head in enumerate(self.heads):
            table.add_column(head, justify="left" if at in self.words else "right", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        narrow = out.width
        out.width = max(narrow, Measurement.get(out, out.options.update(width=1000), table).maximum)
        out.print(table)
        out.width = narrow
