"""Data sets, built-in or from a CSV file with a header and commas, for a network or least squares.

A network needs to be told the target of a file, since what it is decides the loss; least squares
predicts the last column unless told otherwise, as any column of numbers will do. A class is encoded
as its index among the labels: of the sexes male is 0 and female is 1, as in the article.

For a training a data set is split, standardised and encoded. Means and scales are those of the
training part alone, so nothing leaks from the test part.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from compare.limits import LARGEST_VALUE, SMALLEST_VALUE
from compare.people import PEOPLE
from compare.wording import LONGEST_PATH, install, listed, near_miss, quoted, refused, shown

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

#: The features of those that come with the project.
OURS = {"article": ("weight", "height"), "davis": ("weight", "height"), "bdims": ("wgt", "hgt")}

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

#: A column of whole numbers with more distinct values than this holds numbers, not classes.
MOST_CLASSES = 10

#: What stands for a missing value, in lower case. "none" is not one of them: it may be a class.
MISSING = ("", "?", "#n/a", "<na>", "n/a", "na", "nan", "null")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Features and a target, which is a class or a number."""

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
        whole = _built_in(text)
        if target not in (None, whole.target):
            raise refused(text, f"target {target!r}", f"{whole.target!r}, its only one")
        features = _features(text, (*whole.features, whole.target), features, whole.target)
        x = whole.x[:, [whole.features.index(name) for name in features]]
        return replace(whole, features=features, x=np.ascontiguousarray(x))
    table = _read(text, BUILT_IN)
    if target is None:
        raise refused(table.where, "no target", f"--target with one of {listed(table.names)}")
    features = _features(table.where, table.names, features, target)
    if (rows := len(table.rows)) < FEWEST_ROWS:
        raise refused(table.where, f"{rows} rows", f"at least {FEWEST_ROWS}")
    x = _numbers(table, features)
    labels, y = _classes(table, target) or (None, _numbers(table, [target])[:, 0])
    return Dataset(Path(text).name, features, target, labels, x, y)


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Dataset:
    """Load one of `TABLES`, else the CSV file at that path, for least squares.

    As `dataset_named` does, but for any target of numbers: the last column unless given.
    """
    table = _ours(text) if text in TABLES else _read(text, TABLES)
    if "intercept" in table.names:
        raise refused(table.where, "a column intercept, which the regression adds", "another name")
    columns = TABLES.get(text, table.names)
    target = columns[-1] if target is None else target
    features = _features(table.where, columns, features, target)
    values = _numbers(table, (*features, target))
    return Dataset(Path(text).name, features, target, None, values[:, :-1], values[:, -1])


def _built_in(name: str) -> Dataset:
    if name in OURS:
        table, target = _ours(name), BUILT_IN[name]
        x, note = _numbers(table, OURS[name]), ""
        if name == "davis":
            x[WRONG_ROW], note = x[WRONG_ROW, ::-1], CORRECTED
        female = np.array([row[target] in ("F", "0") for row in table.rows.values()])
        return Dataset(name, OURS[name], target, SEXES, x, female.astype(np.int64), note)
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        missing = "needs scikit-learn, which is not installed"
        raise refused(name, missing, install("data")) from error
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


@dataclass(frozen=True)
class Table:
    """Cells by row and column, unconverted."""

    where: str  #: the path, as messages show it
    names: tuple[str, ...]  #: of the columns; empty where the header has none
    rows: dict[int, dict[str, str]]  #: at least one; cells by name, by the line where a row ends

    def at(self, line: int, name: str) -> str:
        """Locate a cell."""
        return f"{self.where}, line {line}, column {shown(name)}"


def _ours(name: str) -> Table:
    """Return a table that comes with the project, with all of its columns."""
    if name != "article":
        return _read(str(FILES / f"{name}.csv"))
    names = ("weight", "height", "gender")
    people = [{of: str(getattr(person, of)) for of in names} for person in PEOPLE]
    return Table(name, names, dict(enumerate(people, 2)))


def _read(text: str, names: Collection[str] = ()) -> Table:
    """Read a CSV file in UTF-8: a header, and rows of cells with commas between them.

    Args:
        text: its path.
        names: those of data sets that may stand in its place, one of which may be misspelled.

    Raises:
        InputError: the file cannot be read or is no such file, the name of a column is a number or
            that of another, or a row has more or fewer cells than the header.
    """
    where = shown(text, LONGEST_PATH)
    try:
        with Path(text).open(encoding="utf-8-sig", newline="") as file:
            return _table(where, csv.DictReader(file, strict=True))
    except (FileNotFoundError, NotADirectoryError) as error:
        found = f"no such file{near_miss(text, names)}"
        raise refused(where, found, f"a CSV file or one of {', '.join(names)}") from error
    except OSError as error:
        raise refused(where, error.strerror or str(error), "a CSV file") from error
    except UnicodeDecodeError as error:
        raise refused(where, "not UTF-8 text", "a CSV file in UTF-8") from error


def _table(where: str, reader: csv.DictReader) -> Table:
    rows, between = {}, "with commas between them"
    try:
        reader.fieldnames = names = [name.strip() for name in reader.fieldnames or ()]
        for at, name in enumerate(names):
            if (name and name in names[:at]) or _as_float(name) is not None:
                found = f"{quoted(name)} in the header"
                raise refused(f"{where}, column {at + 1}", found, "a name that no other column has")
        for row in reader:
            if None in row or None in row.values():  # where what is too much stands, and too little
                found = f"{'more' if None in row else 'fewer'} cells than in the header"
                raise refused(f"{where}, line {reader.line_num}", found, f"{len(names)} {between}")
            rows[reader.line_num] = row
    except csv.Error as error:
        line = f"{where}, line {reader.reader.line_num}"
        raise refused(line, str(error), f"cells {between}") from error
    if not rows:
        raise refused(where, "no rows", "a header and rows below it")
    return Table(where, tuple(names), rows)


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
            found = f"no column {quoted(name)}{near_miss(name, names)}"
            raise refused(where, found, f"one of {listed(names)}")
    if not features or len(set(wanted)) < len(wanted):
        given = ", ".join(map(quoted, features)) or "none"
        expected = "at least one feature, all different and none the target"
        raise refused(where, f"target {quoted(target)} and features {given}", expected)
    return features


def _as_float(cell: str) -> float | None:
    """Return the number in a cell, which may be nan or infinite; None for text, and for 1_000."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _numbers(table: Table, names: Sequence[str]) -> np.ndarray:
    """Convert columns to float64, shape (rows, names).

    Raises:
        InputError: a cell is no number of at most `LARGEST_VALUE` in size, or a column is constant
            up to rounding: such a one cannot be standardised.
    """

    def number(line: int, name: str) -> float:
        value = _as_float(cell := table.rows[line][name])
        if value is None or not abs(value) <= LARGEST_VALUE:
            expected = f"a number of at most {LARGEST_VALUE:g} in size, or other columns"
            raise refused(table.at(line, name), quoted(cell), f"{expected} (--target, --feature)")
        return value

    values = np.array([[number(line, name) for name in names] for line in table.rows])
    for name, column in zip(names, values.T, strict=True):
        # The mean of n numbers has a relative error of n u, so deviations from it may have that.
        noise = len(column) * 2.0**-53 * np.abs(column).max()
        if (spread := np.ptp(column)) <= max(noise, SMALLEST_VALUE):
            expected = "a column that varies, or others (--target, --feature)"
            found = f"its values differ by {spread:g}"
            raise refused(f"{table.where}, column {shown(name)}", found, expected)
    return values


def _classes(table: Table, name: str) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Return the classes in a column, and the class of each row; None if it holds numbers.

    A column of text holds classes, and one of at most `MOST_CLASSES` different whole numbers. If
    all classes are numbers, they are sorted as numbers, and 1 and 1.0 are one class, spelled as it
    first occurs; otherwise they are sorted as text.

    Returns:
        The labels, without surrounding space, and the index of each row's label: int64, shape
        (rows,).

    Raises:
        InputError: a value is missing, there is only one class, or a class has only one row: it
            cannot be in what is trained on and in what is tested on.
    """
    lines, labels = [*table.rows], [row[name].strip() for row in table.rows.values()]
    values = list(map(_as_float, labels))
    keys: list[Any] = labels if None in values else values
    _, firsts, codes, sizes = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    if None not in values and (len(sizes) > MOST_CLASSES or not all(v.is_integer() for v in keys)):
        return None
    for line, label in zip(lines, labels, strict=True):
        if label.lower() in MISSING:
            raise refused(table.at(line, name), quoted(label), "a class")
    alone = sorted(firsts[sizes == 1])
    if alone or len(sizes) == 1:
        # In a column of numbers, text is the more likely mistake.
        row = min(alone or [0], key=lambda row: values[row] is not None)
        found = f"{quoted(labels[row])} in {'this row only' if alone else 'all'}"
        expected = "at least two classes, and two rows of each, to train on and to test on"
        raise refused(table.at(lines[row], name), found, expected)
    return tuple(labels[row] for row in firsts), codes.astype(np.int64)


class Scale(NamedTuple):
    """Subtract a mean, divide by a standard deviation, column by column; of one, nothing at all."""

    mean: np.ndarray = np.zeros(1)  #: float64, shape (columns,)
    sd: np.ndarray = np.ones(1)  #: float64, shape (columns,); 1 for a column that does not vary

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Standardise values of shape (n, columns)."""
        return (values - self.mean) / self.sd


def scale_of(values: np.ndarray) -> Scale:
    """Compute the scale of the columns of `values`, shape (n, columns)."""
    sd = values.std(axis=0)
    # Rounding of the mean may leave a constant column with a tiny nonzero deviation.
    noise = 4 * len(values) * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
    return Scale(values.mean(axis=0), np.where(sd <= noise, 1.0, sd))


@dataclass(frozen=True, eq=False)
class Prepared:
    """The prepared training and test data; arrays in the dtype of the training."""

    x: np.ndarray  #: to train on, standardised, shape (n, features)
    y: np.ndarray  #: shape (n, outputs)
    test_x: np.ndarray
    test_y: np.ndarray
    scale: Scale  #: of the features
    target: Scale  #: of a numeric target; the identity for classes


def split(y: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose row numbers to train on and to test on, each part with its share of every class.

    The rows are shuffled, put in the order of their targets, and taken for the test at equal
    distances; so no class of two rows or more is missing from the training.

    Args:
        y: targets, shape (n,).
        fraction: of the rows to test on, above 0 and at most one half; at least one row is taken.
        seed: a whole number from 0 up.
    """
    # The 2 makes these draws independent of others from the same seed.
    shuffled = np.random.default_rng([seed, 0, 2]).permutation(len(y))
    ordered = shuffled[np.argsort(y[shuffled], kind="stable")]
    tests = max(1, round(fraction * len(y)))
    chosen = np.zeros(len(y), dtype=bool)
    chosen[ordered[((np.arange(tests) + 0.5) * len(y) / tests).astype(int)]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def prepare(data: Dataset, outputs: int, fraction: float, seed: int, dtype: Any) -> Prepared:
    """Split, standardise and encode.

    Args:
        data: features and target.
        outputs: how many the network has: 1 for a number or for two classes (the probability of
            the second), else one for each class.
        fraction, seed: see `split`.
        dtype: of the arrays.
    """
    train, test = split(data.y, fraction, seed)
    y, scale, target = data.y[:, None].astype(np.float64), scale_of(data.x[train]), Scale()
    if data.classes is None:
        target = scale_of(y[train])
    elif outputs > 1:
        y = np.eye(outputs)[data.y]
    x, y = scale.standardised(data.x).astype(dtype), target.standardised(y).astype(dtype)
    return Prepared(x[train], y[train], x[test], y[test], scale, target)


def codes(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class of each row: output at least one half, or the largest output."""
    return (outputs[:, 0] >= 0.5).astype(int) if outputs.shape[1] == 1 else outputs.argmax(axis=1)
