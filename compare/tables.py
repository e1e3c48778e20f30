"""Load tables for regression: a built-in one, or a user's CSV file."""

from collections.abc import Sequence
from pathlib import Path

from compare.csv_cells import read_csv
from compare.csv_columns import OTHER_COLUMNS, choose, numbers
from compare.dataset import Dataset
from compare.people import PEOPLE, raw
from compare.wording import InputError, no_such_file

BDIMS = Path(__file__).parent / "data" / "bdims.csv"

#: The built-in tables by name, and their columns; the target is last.
#: `bdims`: 507 people, Heinz, Peterson, Johnson & Kerk, "Exploring Relationships in Body
#: Dimensions", Journal of Statistics Education 11(2), 2003; cm, 1 for male, kg.
BUILT_IN = {"article": ("height", "weight"), "bdims": ("hgt", "sex", "wgt")}

#: A data set with a numeric target.
Table = Dataset


def table_named(text: str, target: str | None = None, features: Sequence[str] = ()) -> Table:
    """Load the built-in table of that name, else the CSV file at that path.

    Args:
        text: `article` (weight in lb by height in in), `bdims`, or the path of a file with a header
            line, in UTF-8.
        target: the column to predict; the last one unless given.
        features: the columns to predict it from; all others unless given. Columns that are not
            used may hold anything.

    Raises:
        InputError: there is neither a table nor a file of that name, it cannot be read or lacks a
            column, or a cell in use is not a number; names line and column.
    """
    columns = BUILT_IN.get(text)
    if columns is None and (message := no_such_file(text, BUILT_IN)):
        raise InputError(message)
    file = None if text == "article" else read_csv(Path(text) if columns is None else BDIMS)
    where, names = (text, BUILT_IN["article"]) if file is None else (file.where, file.names)
    if file and "intercept" in names:
        place = file.at(file.header, names.index("intercept"))
        raise InputError(f"{place}: a name which the regression itself uses; expected a new name")
    columns = columns or names
    target = columns[-1] if target is None else target
    features = features or [name for name in columns if name != target]
    positions = choose(where, names, features, target)
    if file is None:
        values = raw(PEOPLE)[:, ::-1][:, positions]
    else:
        values = numbers(file, positions, OTHER_COLUMNS)
    name = text if text in BUILT_IN else Path(text).name
    return Table(name, tuple(features), target, None, values[:, :-1], values[:, -1])
