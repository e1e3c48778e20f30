"""The people of the article, the shift of their data, and tables for regression.

The network sees weight minus 135 lb and height minus 66 in, 0 for male and 1 for female. The
article calls this normalisation; it is a translation, made to give small whole numbers.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

POUNDS_PER_KG = 1 / 0.45359237  # by definition of the international pound
INCHES_PER_CM = 1 / 2.54  # by definition of the international inch


@dataclass(frozen=True)
class Person:
    """One row of the article's table."""

    name: str
    weight: float  #: lb
    height: float  #: in
    gender: str | None  #: "F", "M", or None where it is to be predicted


PEOPLE = (
    Person("Alice", 133, 65, "F"),
    Person("Bob", 160, 72, "M"),
    Person("Charlie", 152, 70, "M"),
    Person("Diana", 120, 60, "F"),
)

#: The two whose gender the article predicts after training.
NEWCOMERS = (Person("Emily", 128, 63, None), Person("Frank", 155, 68, None))

SHIFT = np.array([135.0, 66.0])  # lb, in


def raw(people: tuple[Person, ...]) -> np.ndarray:
    """Weight (lb) and height (in) of n people, float64, shape (n, 2)."""
    return np.array([[p.weight, p.height] for p in people], dtype=np.float64)


def shifted(x: np.ndarray, shift: np.ndarray = SHIFT) -> np.ndarray:
    """x - shift: what the network is given. x in lb and in, shape (..., 2); see `mean_shift`."""
    return np.asarray(x, dtype=np.float64) - shift


def unshifted(x: np.ndarray, shift: np.ndarray = SHIFT) -> np.ndarray:
    """The inverse of `shifted`: back to lb and in."""
    return np.asarray(x, dtype=np.float64) + shift


def mean_shift(x: np.ndarray) -> np.ndarray:
    """The mean of each column: the shift that centres the data, x of shape (n, n_features)."""
    return np.asarray(x, dtype=np.float64).mean(axis=0)


def targets(people: tuple[Person, ...]) -> np.ndarray:
    """1 for female, 0 for male, float64, shape (n,)."""
    return np.array([float(p.gender == "F") for p in people])


def label(probability: float) -> str:
    """"F" from one half upwards, "M" below."""
    return "F" if probability >= 0.5 else "M"


def from_metric(weight: float, height: float) -> tuple[float, float]:
    """kg and cm to lb and in."""
    return weight * POUNDS_PER_KG, height * INCHES_PER_CM


@dataclass(frozen=True)
class Table:
    """Named columns of numbers for regression."""

    name: str
    columns: tuple[str, ...]
    values: np.ndarray  #: float64, shape (rows, columns)

    def column(self, name: str) -> np.ndarray:
        """The values of one column, shape (rows,). Raises ValueError for a name it lacks."""
        return self.values[:, self.columns.index(name)]


class TableError(ValueError):
    """A table that cannot be read: the message says where and what was expected."""


#: Tables that come with the project, by name. `bdims`: 507 people, Heinz, Peterson, Johnson & Kerk,
#: "Exploring Relationships in Body Dimensions", Journal of Statistics Education 11(2), 2003.
BUILT_IN = ("article", "bdims")


def built_in(name: str) -> Table:
    """A table by its name in `BUILT_IN`: `article` (height in, weight lb) or `bdims` (cm, kg).

    Raises:
        KeyError: there is none of that name.
    """
    if name == "article":
        x = raw(PEOPLE)
        return Table(name, ("height", "weight"), x[:, ::-1])
    if name == "bdims":
        return read_table(Path(__file__).parent / "data" / "bdims.csv", name)
    raise KeyError(name)


def read_table(path: Path, name: str | None = None) -> Table:
    """Read a CSV of numbers with a header line.

    Raises:
        TableError: the file cannot be read, or a line of it does not fit; names line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}; expected a CSV file") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 text; expected a CSV file") from error
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num}: {error}; expected CSV") from error
    if not lines:
        raise TableError(f"{path}: empty; expected a header line and rows of numbers")
    header = _header(path, *lines[0])
    if len(lines) == 1:
        raise TableError(f"{path}: no rows; expected numbers below the header")
    rows = [_row(path, number, cells, header) for number, cells in lines[1:]]
    return Table(name or path.name, header, np.array(rows, dtype=np.float64))


def _header(path: Path, number: int, cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    for position, name in enumerate(names, start=1):
        if not name or _number(name) is not None:
            raise TableError(
                f"{path}, line {number}, column {position}: {name!r} in the header; "
                "expected a column's name"
            )
        if name in names[: position - 1]:
            raise TableError(
                f"{path}, line {number}, column {position}: the name {name!r} stands twice; "
                "expected different names"
            )
    return names


def _row(path: Path, number: int, cells: list[str], header: tuple[str, ...]) -> list[float]:
    if len(cells) != len(header):
        raise TableError(
            f"{path}, line {number}: {len(cells)} cells; expected {len(header)}, as in the header"
        )
    values = []
    for position, (cell, name) in enumerate(zip(cells, header, strict=True), start=1):
        value = _number(cell)
        if value is None or not math.isfinite(value):
            raise TableError(
                f"{path}, line {number}, column {position} ({name}): {cell.strip()!r}; "
                "expected a finite number"
            )
        values.append(value)
    return values


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
