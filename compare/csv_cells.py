"""Read CSV files: the header, numbered rows of cells, and a cell as a number.

`compare.csv_columns` selects columns and converts them.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compare.files import expect_regular
from compare.wording import LONGEST_PATH, InputError, quoted, shown

#: What separates cells in files called CSV.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}

#: A number with a comma, which may be a decimal comma or stand between thousands: 1,500.
WITH_A_COMMA = re.compile(r"[+-]?[\d.' \xa0\u202f]*,[\d.,]+(?:e[+-]?\d+)?", re.ASCII | re.I)


@dataclass(frozen=True)
class Row:
    """The cells of one row, and the line of the file where it begins, counted from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Csv:
    """A file's cells, unconverted."""

    where: str  #: the path, as messages show it
    header: Row
    names: tuple[str, ...]  #: of the columns; a column without a name is called `column N`
    rows: list[Row]  #: at least one, each with as many cells as the header

    def at(self, row: Row, position: int) -> str:
        """Locate a cell: file, line and column, both counted from 1, and the column's name."""
        return f"{self.where}, line {row.line}, {self._column(position)}"

    @property
    def heading(self) -> str:
        """The location of the header."""
        return f"{self.where}, line {self.header.line}"

    def throughout(self, position: int) -> str:
        """Locate all cells of a column."""
        first, last = self.rows[0].line, self.rows[-1].line
        return f"{self.where}, lines {first} to {last}, {self._column(position)}"

    def _column(self, position: int) -> str:
        return f"column {position + 1} ({shown(self.names[position])})"


def read_csv(path: Path) -> Csv:
    """Read a CSV file with a header: UTF-8, double quotes, any line endings.

    Cells are separated by commas unless the header has none and one other of `SEPARATORS`. Empty
    lines are skipped, but count as lines.

    Raises:
        InputError: the file cannot be read or is not such a file, the header has a number, or a
            name twice, a row has more or fewer cells than the header, or a number a comma.
    """
    where = shown(str(path), LONGEST_PATH)
    expect_regular(path, "a CSV file")
    text = _text(where, path)
    found = _separators(text)
    separator = found[0] if len(found) == 1 else ","
    lines = list(_rows(where, text, separator))
    if len(lines) < 2:
        found = "one line" if lines else "no lines"
        raise InputError(f"{where}: {found} of cells; expected a header and rows below it")
    header, *rows = lines
    if len(found) > 1 and (
        len(header.cells) == 1 or any(len(row.cells) != len(header.cells) for row in rows)
    ):
        raise InputError(
            f"{where}, line {header.line}: {' and '.join(SEPARATORS[sign] for sign in found)}; "
            "expected one of them between the names, and double quotes around a name with another"
        )
    names = _names(where, header)
    for row in rows:
        if len(row.cells) != len(names):
            hint = f" and separated by {SEPARATORS[separator]}"
            if separator == ",":
                other = _other_separator(header) or _other_separator(row)
                hint = f"{hint}, not {other}" if other else ""
            raise InputError(
                f"{where}, line {row.line}: {len(row.cells)} cells; "
                f"expected {len(names)}, as many as the header has{hint}"
            )
    table = Csv(where, header, names, rows)
    if separator != ",":
        _expect_points(table)
    return table


def as_float(cell: str) -> float | None:
    """Return the number in a cell, or None.

    Python's 1_000 and digits of other scripts are refused; inf and nan are left to the caller.
    """
    cell = cell.strip()
    try:
        return float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None


def _text(where: str, path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; expected a CSV file") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("latin-1")
        line = len(re.findall("\r\n|\r|\n", before)) + 1  # as `csv` counts
        raise InputError(
            f"{where}, line {line}: not UTF-8 text; expected a CSV file in UTF-8"
        ) from error


def _separators(text: str) -> list[str]:
    """Return the separators that the header has outside of quotes."""
    header = re.split("[\r\n]", re.sub('"[^"]*"', "", text.lstrip(" \r\n")), maxsplit=1)[0]
    return [sign for sign in SEPARATORS if sign in header]


def _expect_points(table: Csv) -> None:
    """Refuse a number with a comma anywhere: then no point in the file is certain, either."""
    for row in table.rows:
        for at, cell in enumerate(row.cells):
            if WITH_A_COMMA.fullmatch(cell.strip()):
                raise InputError(
                    f"{table.at(row, at)}: {quoted(cell.strip())}; expected numbers with a decimal "
                    "point and nothing between thousands, in all columns"
                )


def _rows(where: str, text: str, separator: str) -> Iterator[Row]:
    """Yield the rows that are not empty. A quoted row may span several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Its own words have the separator as it is, which may be a tab.
            said = "text after a closing quote" if "expected after" in str(error) else error
            raise InputError(
                f"{where}, line {line}: {said}; expected cells separated by "
                f"{SEPARATORS[separator]}, and an end to every quote of the row that begins here"
            ) from error
        if any(map(str.strip, cells)):
            yield Row(line, cells)


def _names(where: str, header: Row) -> tuple[str, ...]:
    """Return the columns' names; a column without one is named after its position."""
    separator = _other_separator(header)
    if separator and len(header.cells) == 1:
        raise InputError(
            f"{where}, line {header.line}: one column, {quoted(header.cells[0])}; expected cells "
            f"separated by commas, not {separator}"
        )
    names = tuple(cell.strip() or f"column {at}" for at, cell in enumerate(header.cells, start=1))
    for at, name in enumerate(names, start=1):
        place = f"{where}, line {header.line}, column {at}"
        if as_float(name) is not None:
            raise InputError(
                f"{place}: the number {shown(name)} in the header; expected a new name "
                "(is the line of names missing?)"
            )
        if name in names[: at - 1]:
            raise InputError(f"{place}: the name {quoted(name)} a second time; expected a new name")
    return names


def _other_separator(row: Row) -> str | None:
    """Return the separator that would split this row into more cells than commas do, if any."""
    counts = {sign: sum(cell.count(sign) for cell in row.cells) for sign in [*SEPARATORS][1:]}
    sign = max(counts, key=lambda sign: counts[sign])
    return SEPARATORS[sign] if counts[sign] >= len(row.cells) else None
