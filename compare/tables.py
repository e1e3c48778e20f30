"""Tables of numbers for regression: two that come with the project, or a CSV file of the user's."""

import csv
import difflib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.datasets import PEOPLE, raw

BDIMS = Path(__file__).parent / "data" / "bdims.csv"

#: Tables that come with the project, by name, and their columns, the target that is meant last.
#: `bdims`: 507 people, Heinz, Peterson, Johnson & Kerk, "Exploring Relationships in Body
#: Dimensions", Journal of Statistics Education 11(2), 2003; cm, 1 for male, kg.
BUILT_IN = {"article": ("height", "weight"), "bdims": ("hgt", "sex", "wgt")}


@dataclass(frozen=True)
class Table:
    """Features and a target, with their names."""

    name: str
    features: tuple[str, ...]
    target: str
    x: np.ndarray  #: float64, shape (rows, features)
    y: np.ndarray  #: float64, shape (rows,)


class TableError(ValueError):
    """A table that cannot be used: the message says where, what was found, what was expected."""


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Table:
    """The built-in table of that name, else the CSV file at that path.

    Args:
        text: `article` (weight in lb by height in in), `bdims`, or a path.
        target, features: as for `read_table`; a built-in table has its own defaults.

    Raises:
        TableError: as `read_table` does, or there is neither a table nor a file of that name.
    """
    if text in BUILT_IN:
        target = target or BUILT_IN[text][-1]
        features = features or [column for column in BUILT_IN[text] if column != target]
        if text == "bdims":
            return read_table(BDIMS, target, features, text)
        people = raw(PEOPLE)[:, ::-1]
        positions = _positions(text, BUILT_IN[text], target, features)
        return _table(text, BUILT_IN[text], people[:, positions], positions)
    if not text or not Path(text).exists():
        near = difflib.get_close_matches(text, BUILT_IN, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise TableError(
            f"{text or repr(text)}: no such file{hint}; expected a CSV file or one of "
            f"{', '.join(BUILT_IN)}"
        )
    return read_table(Path(text), target, features)


def read_table(
    path: Path,
    target: str | None = None,
    features: Sequence[str] = (),
    name: str | None = None,
) -> Table:
    """Read features and a target from a CSV file with a header line.

    Args:
        path: the file, UTF-8.
        target: the column to predict; the last one unless given.
        features: the columns to predict it from; all others unless given. Columns that are not
            used may hold anything.
        name: what to call the table; the file's name unless given.

    Raises:
        TableError: the file cannot be read, lacks a column, or a cell in use is not a number;
            names line and column.
    """
    header, rows = _read_cells(path)
    positions = _positions(str(path), header, target, features)
    values = [[_number(path, line, cells, header, at) for at in positions] for line, cells in rows]
    return _table(name or path.name, header, np.array(values), positions)


def _positions(
    where: str, header: Sequence[str], target: str | None, features: Sequence[str]
) -> list[int]:
    """Where the features stand in the header, and the target last."""
    target = header[-1] if target is None else target
    features = features or [column for column in header if column != target]
    for column in (*features, target):
        if column not in header:
            raise TableError(f"{where}: no column {column!r}; expected one of {', '.join(header)}")
    if not features or target in features or len(set(features)) < len(features):
        raise TableError(
            f"{where}: target {target!r} and features {', '.join(map(repr, features)) or 'none'}; "
            "expected at least one feature, all different and none the target"
        )
    return [header.index(column) for column in (*features, target)]


def _table(name: str, header: Sequence[str], values: np.ndarray, positions: list[int]) -> Table:
    *features, target = (header[at] for at in positions)
    return Table(name, tuple(features), target, values[:, :-1], values[:, -1])


def _read_cells(path: Path) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    """The header, and the rows below it as cells with the number of the line they stand in."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}; expected a CSV file") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text; expected a CSV file") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error as error:
        raise TableError(
            f"{path}, line {reader.line_num}: {error}; expected comma-separated values"
        ) from error
    if len(lines) < 2:
        raise TableError(
            f"{path}: {len(lines)} lines of cells; expected a header and rows of numbers"
        )
    (first, names), *rows = lines
    header = _header(path, first, names)
    for line, cells in rows:
        if len(cells) != len(header):
            raise TableError(
                f"{path}, line {line}: {len(cells)} cells; "
                f"expected {len(header)}, as many as the header has"
            )
    return header, rows


def _header(path: Path, line: int, cells: list[str]) -> tuple[str, ...]:
    """The columns' names; one without a name is called by its position."""
    if len(cells) == 1 and any(separator in cells[0] for separator in ";\t|"):
        raise TableError(
            f"{path}, line {line}: one column, {cells[0]!r}; expected cells separated by commas"
        )
    names = tuple(cell.strip() or f"column {at}" for at, cell in enumerate(cells, start=1))
    for at, column in enumerate(names, start=1):
        if _as_float(column) is not None:
            found = f"the number {column} in the header"
        elif column in names[: at - 1]:
            found = f"the name {column!r} a second time"
        elif column == "intercept":
            found = "the name 'intercept', which the regression itself uses"
        else:
            continue
        raise TableError(f"{path}, line {line}, column {at}: {found}; expected a new name")
    return names


def _number(
    path: Path, line: int, cells: list[str], header: tuple[str, ...], position: int
) -> float:
    value = _as_float(cells[position])
    if value is None or not math.isfinite(value):
        raise TableError(
            f"{path}, line {line}, column {position + 1} ({header[position]}): "
            f"{cells[position].strip()!r}; expected a finite number, or other columns "
            "(--target, --feature)"
        )
    return value


def _as_float(text: str) -> float | None:
    """The number that a cell holds; Python's own 1_000 is not one."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
