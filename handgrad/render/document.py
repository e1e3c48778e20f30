"""Reports other than that on one gradient, as blocks that all formats render."""

from dataclasses import dataclass

from handgrad.render.content import Reading


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head; a row that is one text is a remark on the row above."""

    rows: tuple[tuple[str, ...] | str, ...]
    head: tuple[str, ...] = ()
    right: tuple[int, ...] = ()  #: the numbers of the columns that are aligned on the right
    indent: str = ""

    @property
    def widths(self) -> list[int]:
        """The width of each column."""
        cells = [row for row in (self.head, *self.rows) if row and not isinstance(row, str)]
        return [max(map(len, column)) for column in zip(*cells, strict=True)]


@dataclass(frozen=True)
class Document:
    """Paragraphs, tables and reports on gradients, one below the other."""

    blocks: tuple[str | Table | Reading, ...]
    close: bool = False  #: whether no line is left blank between them
