"""Read a CSV file with a header and commas: its rows, and its columns as numbers or classes."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compare.limits import LARGEST_VALUE
from compare.wording import LONGEST_PATH, InputError, quoted, shown

#: A column of whole numbers with more distinct values than this holds numbers, not classes.
MOST_CLASSES = 10

#: What stands for a missing value, in lower case. "none" is not one of them: it may be a class.
MISSING = ("", "?", "#n/a", "<na>", "n/a", "na", "nan", "null")


@dataclass(frozen=True)
class Table:
    """Cells by row and column, unconverted."""

    where: str  #: the path, as messages show it
    names: tuple[str, ...]  #: of the columns; empty where the header has none
    rows: list[dict[str, str]]  #: at least one; cells by name
    lines: list[int]  #: where each row ends in the file, counted from 1

    def at(self, row: int, name: str) -> str:
        """Locate a cell of a row, counted from 0."""
        return f"{self.where}, line {self.lines[row]}, column {shown(name)}"


def read_csv(path: Path) -> Table:
    """Read a CSV file in UTF-8: a header, and rows of cells with commas between them.

    Raises:
        InputError: the file cannot be read or is no such file, the name of a column is a number or
            that of another, or a row has more or fewer cells than the header.
    """
    where = shown(str(path), LONGEST_PATH)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _table(where, csv.DictReader(file, strict=True))
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}; expected a CSV file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 text; expected a CSV file in UTF-8") from error


def _table(where: str, reader: csv.DictReader) -> Table:
    rows, lines = [], []
    try:
        reader.fieldnames = names = [name.strip() for name in reader.fieldnames or ()]
        for at, name in enumerate(names):
            if (name and name in names[:at]) or as_float(name) is not None:
                raise InputError(
                    f"{where}, column {at + 1}: {quoted(name)} in the header; expected a name that "
                    "no other column has"
                )
        for row in reader:
            if None in row or None in row.values():  # where what is too much stands, and too little
                more = "more" if None in row else "fewer"
                raise InputError(
                    f"{where}, line {reader.line_num}: {more} cells than in the header; expected "
                    f"{len(names)} with commas between them"
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(
            f"{where}, line {reader.reader.line_num}: {error}; expected cells with commas between "
            "them"
        ) from error
    if not rows:
        raise InputError(f"{where}: no rows; expected a header and rows below it")
    return Table(where, tuple(names), rows, lines)


def as_float(cell: str) -> float | None:
    """Return the number in a cell, which may be nan or infinite; None for text, and for 1_000."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def numbers(table: Table, names: Sequence[str]) -> np.ndarray:
    """Convert columns to float64, shape (rows, names).

    Raises:
        InputError: a cell is no number of at most `LARGEST_VALUE` in size.
    """
    rows = [[_number(table, at, name) for name in names] for at in range(len(table.rows))]
    return np.array(rows, dtype=np.float64)


def _number(table: Table, row: int, name: str) -> float:
    value = as_float(cell := table.rows[row][name])
    if value is None or not abs(value) <= LARGEST_VALUE:
        raise InputError(
            f"{table.at(row, name)}: {quoted(cell)}; expected a number of at most "
            f"{LARGEST_VALUE:g} in size, or other columns (--target, --feature)"
        )
    return value


def holds_classes(table: Table, name: str) -> bool:
    """Whether a target holds classes: text, or at most `MOST_CLASSES` different whole numbers."""
    values = {as_float(row[name]) for row in table.rows}
    whole = all(value is not None and value.is_integer() for value in values)
    return None in values or (whole and len(values) <= MOST_CLASSES)


def classes(table: Table, name: str) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes in a column, and the class of each row.

    If all classes are numbers, they are sorted as numbers, and 1 and 1.0 are one class, spelled as
    it first occurs; otherwise they are sorted as text.

    Returns:
        The labels, without surrounding space, and the index of each row's label: int64, shape
        (rows,).

    Raises:
        InputError: a value is missing, there is only one class, or a class has only one row: it
            cannot be in what is trained on and in what is tested on.
    """
    labels = [row[name].strip() for row in table.rows]
    values = list(map(as_float, labels))
    keys: list[Any] = labels if None in values else values
    sizes = Counter(keys)
    for row, label in enumerate(labels):
        if label.lower() in MISSING:
            raise InputError(f"{table.at(row, name)}: {quoted(label)}; expected a class")
    alone = [row for row, key in enumerate(keys) if sizes[key] == 1]
    if alone or len(sizes) == 1:
        # In a column of numbers, text is the more likely mistake.
        row = min(alone or [0], key=lambda row: values[row] is not None)
        raise InputError(
            f"{table.at(row, name)}: {quoted(labels[row])} in {'this row only' if alone else 'all'}"
            "; expected at least two classes, and two rows of each, to train on and to test on"
        )
    # In reverse, so that the first spelling wins.
    spelling = dict(zip(reversed(keys), reversed(labels), strict=True))
    codes = {key: code for code, key in enumerate(sorted(spelling))}
    return tuple(spelling[key] for key in codes), np.array([codes[key] for key in keys], np.int64)
