"""Data sets: built-in ones, or a user's CSV file; for a network, or for least squares.

A network needs to be told the target of a file, since what it is decides the loss; least squares
predicts the last column unless told otherwise, as any column of numbers will do. A class is encoded
as its index among the labels: of the sexes male is 0 and female is 1, as in the article.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compare.csv_table import Table, classes, holds_classes, numbers, read_csv
from compare.limits import SMALLEST_VALUE
from compare.people import PEOPLE, raw, targets
from compare.wording import InputError, install, listed, near_miss, no_such_file, quoted, shown

#: The names of the built-in data sets, and their targets.
BUILT_IN = {
    "article": "gender",  # 4 people: weight (lb), height (in); the article's table
    "davis": "sex",  # 200 people: weight (kg), height (cm); C. Davis, 1990
    "bdims": "sex",  # 507 people: wgt (kg), hgt (cm); Heinz et al., 2003
    # scikit-learn's; its loaders do not name the targets
    "digits": "digit",  # 1797 images: 64 pixels, 0 to 16; 0 to 9
    "iris": "species",  # 150 flowers: 4 lengths and widths (cm); 3 species
    "wine": "cultivar",  # 178 wines: 13 measurements; 3 cultivars
    "breast-cancer": "diagnosis",  # 569 tumours: 30 measurements; 2 diagnoses
    "diabetes": "progression",  # 442 patients: 10 measurements; a number
}

#: Those that are tables of numbers for least squares, too, and their columns; the target is last.
#: `article`: in, lb; `bdims`: cm, 1 for male, kg.
TABLES = {"article": ("height", "weight"), "bdims": ("hgt", "sex", "wgt")}

SEXES = ("M", "F")

FILES = Path(__file__).parent / "data"

#: Davis's table as printed has one row with weight and height exchanged, an outlier that would bend
#: any fitted line.
WRONG_ROW = 11
CORRECTED = (
    "row 12 was printed as 166 kg and 57 cm, exchanged: she herself reported 56 kg and 163 cm; "
    "corrected to 57 kg and 166 cm"
)

#: Fewest rows of a user's file: fewer cannot be split into a training and a test part.
FEWEST_ROWS = 4


@dataclass(frozen=True, eq=False)
class Dataset:
    """A table of features and a target, which is a class or a number."""

    name: str  #: its name on the command line, or the file's name
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...] | None  #: labels, position = code; None where the target is a number
    x: np.ndarray  #: float64, shape (rows, features), in the data's own units
    y: np.ndarray  #: int64 codes of classes, or float64, shape (rows,)
    note: str = ""  #: a remark for the user


def dataset_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Dataset:
    """Load the built-in data set of that name, else the CSV file at that path, for a network.

    Args:
        text: one of `BUILT_IN`, or a path; a file with the name of a built-in one is `./iris`.
        target: the column to predict. A file needs it, a built-in data set has its own.
        features: the columns to predict it from, all others that have a name unless given.
            Columns of a file that are not used may hold anything.

    Raises:
        InputError: there is neither a data set nor a file of that name, scikit-learn is needed
            and missing, the arguments do not fit, or the file has a mistake.
    """
    if text in BUILT_IN:
        return _selected(built_in(text), target, features)
    table = _read(text, BUILT_IN)
    if target is None:
        columns = listed(table.names)
        raise InputError(f"{table.where}: no target; expected --target with one of {columns}")
    features = _features(table.where, table.names, features, target)
    if (rows := len(table.rows)) < FEWEST_ROWS:
        raise InputError(f"{table.where}: {rows} rows; expected at least {FEWEST_ROWS}")
    x = numbers(table, features)
    for name, column in zip(features, x.T, strict=True):
        _check_varies(table, name, column)
    if holds_classes(table, target):
        labels, y = classes(table, target)
    else:
        labels, y = None, numbers(table, [target])[:, 0]
        _check_varies(table, target, y)
    return Dataset(Path(text).name, features, target, labels, x, y)


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Dataset:
    """Load the built-in table of that name, else the CSV file at that path, for least squares.

    Args:
        text: one of `TABLES`, or a path.
        target: the column to predict; the last one unless given.
        features: the columns to predict it from, all others that have a name unless given.
            Columns that are not used may hold anything.

    Raises:
        InputError: there is neither a table nor a file of that name, it cannot be read or lacks a
            column, or a cell in use is not a number; names line and column.
    """
    table = _table(text) if text in TABLES else _read(text, TABLES)
    if "intercept" in table.names:
        raise InputError(
            f"{table.where}: a column intercept, which the regression adds; expected another name"
        )
    columns = TABLES.get(text, table.names)
    target = columns[-1] if target is None else target
    features = _features(table.where, columns, features, target)
    values = numbers(table, (*features, target))
    return Dataset(Path(text).name, features, target, None, values[:, :-1], values[:, -1])


def built_in(name: str) -> Dataset:
    """Return the built-in data set of that name, one of `BUILT_IN`.

    Raises:
        InputError: it needs scikit-learn, which is not installed.
    """
    if name == "article":
        y = targets(PEOPLE).astype(np.int64)
        return Dataset(name, ("weight", "height"), "gender", SEXES, raw(PEOPLE), y)
    if name not in ("davis", "bdims"):
        return _from_scikit_learn(name)
    table = read_csv(FILES / f"{name}.csv")
    features = ("weight", "height") if name == "davis" else ("wgt", "hgt")
    x, note = numbers(table, features), ""
    if name == "davis":
        x[WRONG_ROW], note = x[WRONG_ROW, ::-1], CORRECTED
    female = np.array([row["sex"] in ("F", "0") for row in table.rows])
    return Dataset(name, features, "sex", SEXES, x, female.astype(np.int64), note)


def _from_scikit_learn(name: str) -> Dataset:
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: needs scikit-learn, which is not installed; expected {install('data')}"
        ) from error
    # In its own units, like every other data set; by default scikit-learn standardises this one.
    options = {"scaled": False} if name == "diabetes" else {}
    bunch: Any = getattr(datasets, f"load_{name.replace('-', '_')}")(**options)
    names = bunch.get("target_names")
    return Dataset(
        name,
        features=tuple(map(str, bunch.feature_names)),
        target=BUILT_IN[name],
        classes=None if names is None else tuple(map(str, names)),
        x=np.ascontiguousarray(bunch.data, dtype=np.float64),
        y=np.asarray(bunch.target, dtype=np.float64 if names is None else np.int64),
    )


def _table(name: str) -> Table:
    if name == "bdims":
        return read_csv(FILES / "bdims.csv")
    rows = [{"height": str(p.height), "weight": str(p.weight)} for p in PEOPLE]
    return Table(name, TABLES[name], rows, [*range(2, 2 + len(rows))])


def _read(text: str, built_in_names: Collection[str]) -> Table:
    if message := no_such_file(text, built_in_names):
        raise InputError(message)
    return read_csv(Path(text))


def _selected(whole: Dataset, target: str | None, features: Sequence[str]) -> Dataset:
    """Select features of a built-in data set; its target cannot be changed."""
    if target not in (None, whole.target):
        raise InputError(
            f"{whole.name}: target {target!r}; expected {whole.target!r}, its only one"
        )
    features = _features(whole.name, (*whole.features, whole.target), features, whole.target)
    x = whole.x[:, [whole.features.index(name) for name in features]]
    return replace(whole, features=features, x=np.ascontiguousarray(x))


def _features(
    where: str, names: Sequence[str], features: Sequence[str], target: str
) -> tuple[str, ...]:
    """Return the features, by default all named columns but the target.

    Raises:
        InputError: there is no such column, or no feature, or one column is named twice.
    """
    features = tuple(features or (name for name in names if name and name != target))
    for name in (wanted := (*features, target)):
        if name not in names:
            raise InputError(
                f"{where}: no column {quoted(name)}{near_miss(name, names)}; expected one of "
                f"{listed(names)}"
            )
    if not features or len(set(wanted)) < len(wanted):
        raise InputError(
            f"{where}: target {quoted(target)} and features "
            f"{', '.join(map(quoted, features)) or 'none'}; expected at least one feature, all "
            "different and none the target"
        )
    return features


def _check_varies(table: Table, name: str, column: np.ndarray) -> None:
    """Refuse a column of numbers, shape (rows,), that is constant: it cannot be standardised."""
    if (spread := np.ptp(column)) <= SMALLEST_VALUE:
        raise InputError(
            f"{table.where}, column {shown(name)}: its values differ by {spread:g}; expected a "
            "column that varies, or others (--target, --feature)"
        )
