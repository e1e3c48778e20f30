"""A table of texts, for a terminal and for a document."""

from collections.abc import Sequence
from dataclasses import dataclass

import rich.table
from rich.console import Console
from rich.measure import Measurement


@dataclass(frozen=True)
class Table:
    """Heads and rows; columns of words are aligned left, those of numbers right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)

    def markdown(self) -> str:
        """Write it for a document."""
        marks = [":--" if at in self.words else "--:" for at in range(len(self.heads))]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.heads, marks, *self.rows))

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
