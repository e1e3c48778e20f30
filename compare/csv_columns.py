"""Select columns of a CSV file and convert them to numbers or classes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from compare.csv_cells import Csv, Row, as_float
from compare.limits import LARGEST_VALUE, SMALLEST_VALUE
from compare.wording import MOST_LISTED, InputError, listed, near_miss, quoted, shown

#: Common spellings of a missing value. "none" is not one of them: it may be a class.
MISSING = frozenset(
    ["", "?", "#N/A", "<NA>", "N/A", "n/a", "NA", "na", "NaN", "NAN", "nan", "NULL", "Null", "null"]
)

#: A column of whole numbers with more distinct values than this holds numbers, not classes.
MOST_CLASSES = 10

#: The end of an error message: what the user can do about a column that does not fit.
OTHER_COLUMNS = ", or other columns (--target, --feature)"


def choose(
    where: str, names: Sequence[str], features: Sequence[str], target: str | None = None
) -> list[int]:
    """Return the positions of the features among the columns, then of the target, if any.

    Raises:
        InputError: there is no such column, or no feature, or one column is named twice.
    """
    wanted = [*features, *([] if target is None else [target])]
    for column in wanted:
        if column not in names:
            hint = near_miss(column, names) if len(names) > MOST_LISTED else ""
            raise InputError(
                f"{where}: no column {quoted(column)}{hint}; expected one of {listed(names)}"
            )
    if not features or len(set(wanted)) < len(wanted):
        found = f"features {', '.join(map(quoted, features)) or 'none'}"
        found = found if target is None else f"target {quoted(target)} and {found}"
        expected = "at least one feature, all different"
        more = "" if target is None else " and none the target"
        raise InputError(f"{where}: {found}; expected {expected}{more}")
    return [names.index(column) for column in wanted]


def numbers(table: Csv, positions: Sequence[int], otherwise: str = "") -> np.ndarray:
    """Convert the columns at `positions` to float64, shape (rows, positions).

    An error message ends with `otherwise`.

    Raises:
        InputError: a cell is empty, says that a value is missing, or is not a number of at most
            `LARGEST_VALUE` in size; the first such row, and in it the first of the positions.
    """
    rows = [[_number(table, row, at, otherwise) for at in positions] for row in table.rows]
    return np.array(rows, dtype=np.float64)


def _number(table: Csv, row: Row, position: int, otherwise: str) -> float:
    cell = row.cells[position].strip()
    value = as_float(cell)
    if value is not None and abs(value) <= LARGEST_VALUE:
        return value
    if value is not None and cell not in MISSING:
        hint = f" of at most {LARGEST_VALUE:g} in size"
    elif "," in cell and as_float(cell.replace(",", ".")) is not None:
        hint = ", with a point in place of the comma"
    else:
        hint = _missing(cell)
    raise InputError(
        f"{table.at(row, position)}: {quoted(cell)}; expected a finite number{hint}{otherwise}"
    )


def _missing(cell: str) -> str:
    """Return an addition to the error message where a cell is empty or marked as missing."""
    if cell not in MISSING:
        return ""
    return ", not a missing value" if cell else ", not an empty cell"


def check_varies(table: Csv, position: int, column: np.ndarray, otherwise: str = "") -> None:
    """Refuse a column of numbers, shape (rows,), that is constant: it cannot be standardised.

    Raises:
        InputError: its values differ by `SMALLEST_VALUE` at most.
    """
    spread = np.ptp(column)
    if spread <= SMALLEST_VALUE:
        value = shown(table.rows[0].cells[position].strip())
        found = f"values within {spread:g} of each other" if spread else f"{value} in every row"
        raise InputError(
            f"{table.throughout(position)}: {found}; expected a column that varies{otherwise}"
        )


def holds_classes(table: Csv, position: int) -> bool:
    """Guess from its cells whether a column holds classes, which decides a network's loss.

    It does if one of them is text, or if all are whole numbers, of at most `MOST_CLASSES` values:
    docs/networks.md tells users so, and `--target-kind` says otherwise.
    """
    values = {as_float(row.cells[position].replace(",", ".")) for row in table.rows}
    return None in values or (
        len(values) <= MOST_CLASSES
        and all(v is not None and v.is_integer() and abs(v) <= LARGEST_VALUE for v in values)
    )


def classes(table: Csv, position: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes in a column, and the class of each row.

    If all classes are numbers, they are sorted as numbers, and 1 and 1.0 are one class, spelled as
    it first occurs; otherwise they are sorted as text.

    Returns:
        The labels, stripped of surrounding space, and the index of each row's label: int64, shape
        (rows,).

    Raises:
        InputError: a cell is empty or says that a value is missing, there is only one class, or a
            class has only one row: it cannot be in what is trained on and in what is tested on.
    """
    labels = [row.cells[position].strip() for row in table.rows]
    values = [as_float(label) for label in labels]
    keys: list[Any] = labels if None in values else values
    sizes = Counter(keys)
    for row, label in zip(table.rows, labels, strict=True):
        if hint := _missing(label):
            where = table.at(row, position)
            raise InputError(f"{where}: {quoted(label)}; expected a class or a number{hint}")
    if alone := [at for at, key in enumerate(keys) if sizes[key] == 1]:
        # In a column of numbers, text is the more likely mistake.
        at = min(alone, key=lambda at: values[at] is not None)
        raise InputError(
            f"{table.at(table.rows[at], position)}: class {quoted(labels[at])} in this row only; "
            "expected at least two rows of each class, one to train on and one to test on, or "
            "--target-kind number"
        )
    if len(sizes) == 1:
        raise InputError(
            f"{table.throughout(position)}: {quoted(labels[0])} in every row; "
            "expected at least two classes, or another --target"
        )
    # In reverse, so that the first spelling wins.
    spelling = dict(zip(reversed(keys), reversed(labels), strict=True))
    codes = {key: code for code, key in enumerate(sorted(spelling))}
    return tuple(spelling[key] for key in codes), np.array([codes[key] for key in keys], np.int64)
