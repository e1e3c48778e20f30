"""CSV files as a header and numbered rows of cells, and what a cell says.

Every rule about what a CSV file may look like stands here; `compare.csv_columns` chooses columns
and reads whole ones.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compare.wording import LONGEST_PATH, InputError, quoted, shown

#: Signs that separate cells in files that are called CSV all the same.
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

#: The UTF-32 mark of little-endian files begins like that of UTF-16, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclass(frozen=True)
class Row:
    """The cells of one row, and the line of the file that it begins in, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Csv:
    """A file's cells, as they are written."""

    where: str  #: the path, as messages show it
    header: Row
    names: tuple[str, ...]  #: of the columns; one without a name is called `column` and its number
    rows: list[Row]  #: at least one, each with as many cells as the header

    def at(self, row: Row, position: int) -> str:
        """Where a cell stands: file, line, column, both counted from 1, and the column's name."""
        return f"{self.where}, line {row.line}, {self._column(position)}"

    @property
    def heading(self) -> str:
        """Where the names of the columns stand."""
        return f"{self.where}, line {self.header.line}"

    def throughout(self, position: int) -> str:
        """Where all cells of a column stand."""
        first, last = self.rows[0].line, self.rows[-1].line
        return f"{self.where}, lines {first} to {last}, {self._column(position)}"

    def _column(self, position: int) -> str:
        return f"column {position + 1} ({shown(self.names[position])})"


def read_csv(path: Path) -> Csv:
    """Read a CSV file that has a header: UTF-8, commas, double quotes, any ends of lines.

    Lines without anything in their cells are left out, and counted.

    Raises:
        InputError: the file cannot be read or is not such a file, the header has a number, or a
            name twice, or a row has more or fewer cells than the header.
    """
    where = shown(str(path), LONGEST_PATH)
    lines = list(_rows(where, _text(where, path)))
    if len(lines) < 2:
        raise InputError(
            f"{where}: {len(lines)} lines of cells; expected a header and rows below it"
        )
    header, *rows = lines
    _check_separator(where, header, rows)
    _check_header(where, header, rows)
    names = _names(where, header)
    for row in rows:
        if len(row.cells) != len(names):
            separator = _other_separator(header) or _other_separator(row)
            hint = f" and separated by commas, not {separator}" if separator else ""
            raise InputError(
                f"{where}, line {row.line}: {len(row.cells)} cells; "
                f"expected {len(names)}, as many as the header has{hint}"
            )
    return Csv(where, header, names, rows)


def as_float(cell: str) -> float | None:
    """The number that a cell holds, or None.

    Python's own 1_000 and digits of other scripts are none; inf and nan are the caller's to judge.
    """
    cell = cell.strip()
    try:
        return float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None


def _text(where: str, path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; expected a CSV file") from error
    if encoding := _wide_encoding(data):
        raise InputError(f"{where}: {encoding} text; expected a CSV file in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(error.object[: error.start].decode("latin-1"))
        raise InputError(
            f"{where}, line {line}: not UTF-8 text; expected a CSV file in UTF-8"
        ) from error
    if "\0" in text:
        line = _line_of(text[: text.index("\0")])
        raise InputError(f"{where}, line {line}: a NUL byte; expected a CSV file, which is text")
    return text


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or UTF-16 by the NUL in every other byte of its beginning."""
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return name
    even, odd = (set(data[start:64:2]) for start in (0, 1))
    return "UTF-16" if len(data) > 1 and (even == {0}) != (odd == {0}) else None


def _line_of(before: str) -> int:
    """The number of the line that comes after the text `before`, counted as `csv` counts."""
    return len(re.findall("\r\n|\r|\n", before)) + 1


def _rows(where: str, text: str) -> Iterator[Row]:
    """The rows that hold anything. A row in quotes may take several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{where}, line {line}: {error}; expected comma-separated values, and an end to "
                "every quote of the row that begins here"
            ) from error
        if any(map(str.strip, cells)):
            yield Row(line, cells)


def _check_separator(where: str, header: Row, rows: list[Row]) -> None:
    """Refuse a file of other separators, in which commas are only part of names and numbers."""
    separator = _other_separator(header)
    if separator and len(header.cells) == 1:
        found = f"one column, {quoted(header.cells[0])}"
    elif separator and all(_other_separator(row) == separator for row in rows):
        found = f"more {separator} than commas, as in every other line"
    else:
        return
    raise InputError(
        f"{where}, line {header.line}: {found}; expected cells separated by commas, not {separator}"
    )


def _check_header(where: str, header: Row, rows: list[Row]) -> None:
    """Refuse a first line that is none: a title, a comment, or words separated by spaces."""
    if len(header.cells) > 1:
        return
    found = f"{where}, line {header.line}: one column, {quoted(header.cells[0])}"
    if all(len(row.cells) > 1 for row in rows):
        raise InputError(
            f"{found}, and {len(rows[0].cells)} cells in line {rows[0].line}; expected the "
            "columns' names first, separated by commas"
        )
    for name, sign in (("spaces", None), ("colons", ":")):
        words = len(header.cells[0].split(sign))
        if words > 1 and all(len(row.cells[0].split(sign)) == words for row in rows):
            raise InputError(f"{found}; expected cells separated by commas, not {name}")


def _names(where: str, header: Row) -> tuple[str, ...]:
    """The columns' names; one without a name is called by its position."""
    names = tuple(cell.strip() or f"column {at}" for at, cell in enumerate(header.cells, start=1))
    seen = set()
    for at, name in enumerate(names, start=1):
        place = f"{where}, line {header.line}, column {at}"
        if as_float(name) is not None:
            raise InputError(
                f"{place}: the number {shown(name)} in the header; expected a new name "
                "(is the line of names missing?)"
            )
        if name in seen:
            raise InputError(f"{place}: the name {quoted(name)} a second time; expected a new name")
        seen.add(name)
    return names


def _other_separator(row: Row) -> str | None:
    """What seems to separate the cells of this row, if commas make fewer cells of it."""
    counts = {sign: sum(cell.count(sign) for cell in row.cells) for sign in OTHER_SEPARATORS}
    sign = max(counts, key=lambda sign: counts[sign])
    return OTHER_SEPARATORS[sign] if counts[sign] >= len(row.cells) else None
