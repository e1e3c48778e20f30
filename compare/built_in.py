"""The built-in data sets: three of the project, five of scikit-learn; two are tables as well."""

from pathlib import Path
from typing import Any

import numpy as np

from compare.csv_cells import Csv, Row, read_csv
from compare.csv_columns import choose, numbers
from compare.dataset import Dataset
from compare.people import PEOPLE, raw, targets
from compare.wording import InputError, install

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

DAVIS = Path(__file__).parent / "data" / "davis.csv"

#: Heinz, Peterson, Johnson & Kerk, "Exploring Relationships in Body Dimensions", Journal of
#: Statistics Education 11(2), 2003.
BDIMS = DAVIS.with_name("bdims.csv")

#: Davis's table has one row with weight and height exchanged, an outlier that would bend any fitted
#: line. The file keeps it as printed; `built_in` corrects it unless told otherwise.
WRONG_ROW = 11
WHAT_IS_WRONG = (
    "row 12 was printed as 166 kg and 57 cm, exchanged: she herself reported 56 kg and 163 cm; "
)


def built_in(name: str, printed: bool = False) -> Dataset:
    """Return the built-in data set of that name.

    Args:
        name: one of `BUILT_IN`.
        printed: for davis, keep the row that is known to be wrong.

    Raises:
        InputError: it needs scikit-learn, which is not installed.
    """
    if name == "article":
        y = targets(PEOPLE).astype(np.int64)
        return Dataset(name, ("weight", "height"), BUILT_IN[name], SEXES, raw(PEOPLE), y)
    if name == "davis":
        return _davis(printed)
    return _bdims() if name == "bdims" else _from_scikit_learn(name)


def built_in_table(name: str) -> Csv:
    """Return the table of that name, one of `TABLES`."""
    if name == "bdims":
        return read_csv(BDIMS)
    columns = TABLES[name]
    rows = [Row(at, [str(p.height), str(p.weight)]) for at, p in enumerate(PEOPLE, start=2)]
    return Csv(name, Row(1, [*columns]), columns, rows)


def _davis(printed: bool) -> Dataset:
    table, features = read_csv(DAVIS), ("weight", "height")
    x = numbers(table, choose(table.where, table.names, features))
    done = "kept as printed"
    if not printed:
        x[WRONG_ROW] = x[WRONG_ROW, ::-1]
        done = "corrected to 57 kg and 166 cm"
    sex = table.names.index("sex")
    y = np.array([SEXES.index(row.cells[sex]) for row in table.rows], np.int64)
    return Dataset("davis", features, BUILT_IN["davis"], SEXES, x, y, WHAT_IS_WRONG + done)


def _bdims() -> Dataset:
    table, features = read_csv(BDIMS), ("wgt", "hgt")
    values = numbers(table, choose(table.where, table.names, features, "sex"))
    x, male = np.ascontiguousarray(values[:, :-1]), values[:, -1]  # 1 for men in the file
    return Dataset("bdims", features, "sex", SEXES, x, (1 - male).astype(np.int64))


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
