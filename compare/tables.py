"""Tables of numbers for regression: two that come with the project, or a CSV file of the user's."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.csv_cells import Csv, read_csv
from compare.csv_columns import OTHER_COLUMNS, choose, numbers
from compare.people import PEOPLE, raw
from compare.wording import InputError, no_such_file

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


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Table:
    """The built-in table of that name, else the CSV file at that path.

    Args:
        text: `article` (weight in lb by height in in), `bdims`, or a path.
        target, features: as for `read_table`; a built-in table has its own defaults.

    Raises:
        InputError: as `read_table` does, or there is neither a table nor a file of that name.
    """
    if text in BUILT_IN:
        target = target or BUILT_IN[text][-1]
        features = features or [column for column in BUILT_IN[text] if column != target]
        if text == "bdims":
            return read_table(BDIMS, target, features, text)
        positions = _positions(text, BUILT_IN[text], target, features)
        return _table(text, BUILT_IN[text], raw(PEOPLE)[:, ::-1][:, positions], positions)
    if message := no_such_file(text, BUILT_IN):
        raise InputError(message)
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
        InputError: the file cannot be read, lacks a column, or a cell in use is not a number;
            names line and column.
    """
    table = read_csv(path)
    _refuse_the_name_intercept(table)
    positions = _positions(table.where, table.names, target, features)
    values = numbers(table, positions, OTHER_COLUMNS)
    return _table(name or path.name, table.names, values, positions)


def _positions(
    where: str, names: Sequence[str], target: str | None, features: Sequence[str]
) -> list[int]:
    """Where the features stand in the header, and the target last."""
    target = names[-1] if target is None else target
    return choose(where, names, features or [n for n in names if n != target], target)


def _refuse_the_name_intercept(table: Csv) -> None:
    if "intercept" in table.names:
        place = table.at(table.header, table.names.index("intercept"))
        raise InputError(f"{place}: a name which the regression itself uses; expected a new name")


def _table(name: str, names: Sequence[str], values: np.ndarray, positions: list[int]) -> Table:
    *features, target = (names[at] for at in positions)
    return Table(name, tuple(features), target, values[:, :-1], values[:, -1])
