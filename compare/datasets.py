"""Data sets to learn from: some that come with the project or scikit-learn, or a user's CSV file.

A network knows a class by its code, which is its place among the labels. Where the classes are
the sexes, male is 0 and female is 1, as in the article.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compare import csv_cells, csv_columns
from compare.built_in import BUILT_IN, built_in
from compare.csv_cells import Csv
from compare.csv_columns import OTHER_COLUMNS
from compare.dataset import Dataset
from compare.wording import InputError, listed, no_such_file, shown

#: What a target may be; `auto` looks at its cells, see `compare.csv_columns.holds_classes`.
KINDS = ("classes", "number", "auto")

#: Rows of a user's file; with fewer there is nothing to both train and test on.
FEWEST_ROWS = 4


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Rows to predict from, and the cells they came from, as they are written in the file."""

    header: tuple[str, ...]
    cells: list[list[str]]  #: one list for each row, as long as the header
    lines: tuple[int, ...]  #: in which each row begins, counted from 1
    x: np.ndarray  #: float64, shape (rows, features)


def dataset_named(
    text: str,
    target: str | None = None,
    features: Sequence[str] = (),
    kind: str = "auto",
    raw: bool = False,
) -> Dataset:
    """The built-in data set of that name, else the CSV file at that path.

    Args:
        text: one of `BUILT_IN`, or a path; a file with the name of a built-in one is `./iris`.
        target: the column to predict. A file needs it, a built-in data set has its own.
        features: the columns to predict it from, all others unless given. Columns of a file that
            are not used may hold anything.
        kind: one of `KINDS`: whether the target is one of classes or a number.
        raw: of davis, keep the row that is known to be wrong.

    Raises:
        InputError: there is neither a data set nor a file of that name, scikit-learn is needed
            and missing, the arguments do not fit, or the file has a mistake: see
            `compare.csv_cells` and `compare.csv_columns` for those that are looked for.
    """
    if kind not in KINDS:
        raise InputError(f"kind {kind!r}; expected one of {', '.join(KINDS)}")
    if raw and text != "davis":
        raise InputError(
            f"{shown(text)}: the raw data; expected davis, the only data set with a "
            "correction to leave out"
        )
    if text in BUILT_IN:
        return _selected(built_in(text, raw), target, features, kind)
    if message := no_such_file(text, BUILT_IN):
        raise InputError(message)
    return _from_file(Path(text), target, features, kind)


def read_features(path: Path, features: Sequence[str]) -> FeatureRows:
    """Read what a trained network is to predict from.

    Args:
        path: a CSV file with a header, of one row or more.
        features: the columns, in the order in which the network takes them. Others may hold
            anything.

    Raises:
        InputError: as `dataset_named` does for the file, its header, and the cells in use.
    """
    table = csv_cells.read_csv(path)
    x = csv_columns.numbers(table, csv_columns.choose(table.heading, table.names, features))
    cells = [row.cells for row in table.rows]
    return FeatureRows(tuple(table.header.cells), cells, tuple(row.line for row in table.rows), x)


def _from_file(path: Path, target: str | None, features: Sequence[str], kind: str) -> Dataset:
    table = csv_cells.read_csv(path)
    if target is None:
        columns = listed(table.names)
        raise InputError(
            f"{table.heading}: no target named; expected --target with one of {columns}"
        )
    features = features or _all_but(table, target)
    *inputs, output = csv_columns.choose(table.heading, table.names, features, target)
    if len(table.rows) < FEWEST_ROWS:
        raise InputError(
            f"{table.where}: {len(table.rows)} rows below the header; "
            f"expected at least {FEWEST_ROWS}"
        )
    x = csv_columns.numbers(table, inputs, OTHER_COLUMNS)
    for position, column in zip(inputs, x.T, strict=True):
        otherwise = ": leave this one out by naming the others with --feature"
        csv_columns.check_varies(table, position, column, otherwise)
    classes, y = _target(table, output, kind)
    return Dataset(path.name, tuple(features), target, classes, x, y)


def _all_but(table: Csv, target: str) -> list[str]:
    """The features of a file whose reader names none: only columns that have names."""
    for position, cell in enumerate(table.header.cells):
        if not cell.strip() and table.names[position] != target:
            raise InputError(
                f"{table.where}, line {table.header.line}, column {position + 1}: no name in the "
                "header; expected one, or the names of the other columns with --feature"
            )
    return [name for name in table.names if name != target]


def _target(table: Csv, position: int, kind: str) -> tuple[tuple[str, ...] | None, np.ndarray]:
    guessed = kind == "auto"
    if kind == "classes" or (guessed and csv_columns.holds_classes(table, position)):
        return csv_columns.classes(table, position, guessed)
    (y,) = csv_columns.numbers(table, [position], OTHER_COLUMNS).T
    csv_columns.check_varies(table, position, y, ", or another --target")
    return None, y


def _selected(whole: Dataset, target: str | None, features: Sequence[str], kind: str) -> Dataset:
    """A built-in data set with the features that are wanted, its target being what it is."""
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
    *inputs, _ = csv_columns.choose(whole.name, names, features, whole.target)
    return replace(whole, features=tuple(features), x=np.ascontiguousarray(whole.x[:, inputs]))
