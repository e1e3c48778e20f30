"""Load data sets, built-in ones or a user's CSV files: for a network, or for least squares.

A network needs to be told the target of a file, since what it is decides the loss; least squares
predicts the last column unless told otherwise, as any column of numbers will do.

A class is encoded as its index among the labels. Where the classes are the sexes, male is 0 and
female is 1, as in the article.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from compare.built_in import BUILT_IN, TABLES, built_in, built_in_table
from compare.csv_cells import Csv, read_csv
from compare.csv_columns import (
    OTHER_COLUMNS,
    check_varies,
    choose,
    classes,
    holds_classes,
    numbers,
)
from compare.dataset import Dataset
from compare.wording import InputError, listed, no_such_file, shown

#: Fewest rows of a user's file: fewer cannot be split into a training and a test part.
FEWEST_ROWS = 4


def dataset_named(
    text: str,
    target: str | None = None,
    features: Sequence[str] = (),
    kind: str = "auto",
    raw: bool = False,
) -> Dataset:
    """Load the built-in data set of that name, else the CSV file at that path.

    Args:
        text: one of `BUILT_IN`, or a path; a file with the name of a built-in one is `./iris`.
        target: the column to predict. A file needs it, a built-in data set has its own.
        features: the columns to predict it from, all others unless given. Columns of a file that
            are not used may hold anything.
        kind: whether the target is one of `classes` or a `number`; `auto` looks at its cells, see
            `compare.csv_columns.holds_classes`.
        raw: for davis, keep the row that is known to be wrong.

    Raises:
        InputError: there is neither a data set nor a file of that name, scikit-learn is needed
            and missing, the arguments do not fit, or the file has a mistake: see
            `compare.csv_cells` and `compare.csv_columns` for those that are looked for.
    """
    if raw and text != "davis":
        raise InputError(
            f"{shown(text)}: the raw data; expected davis, the only data set with a "
            "correction to leave out"
        )
    if text in BUILT_IN:
        return _selected(built_in(text, raw), target, features, kind)
    return _from_file(_read(text, BUILT_IN), Path(text).name, target, features, kind)


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Dataset:
    """Load the built-in table of that name, else the CSV file at that path, for least squares.

    Args:
        text: one of `TABLES`, or a path.
        target: the column to predict; the last one unless given.
        features: the columns to predict it from, all others unless given. Columns that are not
            used may hold anything.

    Raises:
        InputError: there is neither a table nor a file of that name, it cannot be read or lacks a
            column, or a cell in use is not a number; names line and column.
    """
    table = built_in_table(text) if text in TABLES else _read(text, TABLES)
    if "intercept" in table.names:
        place = table.at(table.header, table.names.index("intercept"))
        raise InputError(f"{place}: a name which the regression itself uses; expected a new name")
    columns = TABLES.get(text, table.names)
    target = columns[-1] if target is None else target
    features = features or [name for name in columns if name != target]
    values = numbers(table, choose(table.where, table.names, features, target), OTHER_COLUMNS)
    name = text if text in TABLES else Path(text).name
    return Dataset(name, tuple(features), target, None, values[:, :-1], values[:, -1])


def read_features(path: Path, features: Sequence[str]) -> tuple[Csv, np.ndarray]:
    """Read the features that a trained network predicts from.

    Args:
        path: a CSV file with a header, of one row or more.
        features: the columns, in the order in which the network takes them. Others may hold
            anything.

    Returns:
        The file's cells, and the features, float64, shape (rows, features).

    Raises:
        InputError: as `dataset_named` does for the file, its header, and the cells in use.
    """
    table = read_csv(path)
    return table, numbers(table, choose(table.heading, table.names, features))


def _read(text: str, built_in_names: Collection[str]) -> Csv:
    if message := no_such_file(text, built_in_names):
        raise InputError(message)
    return read_csv(Path(text))


def _from_file(
    table: Csv, name: str, target: str | None, features: Sequence[str], kind: str
) -> Dataset:
    if target is None:
        columns = listed(table.names)
        raise InputError(
            f"{table.heading}: no target named; expected --target with one of {columns}"
        )
    features = features or _all_but(table, target)
    *inputs, output = choose(table.heading, table.names, features, target)
    if len(table.rows) < FEWEST_ROWS:
        raise InputError(
            f"{table.where}: {len(table.rows)} rows below the header; "
            f"expected at least {FEWEST_ROWS}"
        )
    x = numbers(table, inputs, OTHER_COLUMNS)
    for position, column in zip(inputs, x.T, strict=True):
        otherwise = ": leave this one out by naming the others with --feature"
        check_varies(table, position, column, otherwise)
    labels, y = _target(table, output, kind)
    return Dataset(name, tuple(features), target, labels, x, y)


def _all_but(table: Csv, target: str) -> list[str]:
    """Return all columns but the target, each of which must have a name."""
    for position, cell in enumerate(table.header.cells):
        if not cell.strip() and table.names[position] != target:
            raise InputError(
                f"{table.where}, line {table.header.line}, column {position + 1}: no name in the "
                "header; expected one, or the names of the other columns with --feature"
            )
    return [name for name in table.names if name != target]


def _target(table: Csv, position: int, kind: str) -> tuple[tuple[str, ...] | None, np.ndarray]:
    if kind == "classes" or (kind == "auto" and holds_classes(table, position)):
        return classes(table, position)
    (y,) = numbers(table, [position], OTHER_COLUMNS).T
    check_varies(table, position, y, ", or another --target")
    return None, y


def _selected(whole: Dataset, target: str | None, features: Sequence[str], kind: str) -> Dataset:
    """Select features of a built-in data set; its target cannot be changed."""
    if target not in (None, whole.target):
        raise InputError(
            f"{whole.name}: target {target!r}; expected {whole.target!r}, its only one"
        )
    only = "number" if whole.classes is None else "classes"
    if kind not in ("auto", only):
        raise InputError(f"{whole.name}: kind {kind!r}; expected {only!r}, which its target is")
    if not features:
        return whole
    names = (*whole.features, whole.target)
    *inputs, _ = choose(whole.name, names, features, whole.target)
    return replace(whole, features=tuple(features), x=np.ascontiguousarray(whole.x[:, inputs]))
