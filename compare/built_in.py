"""The data sets that need no file of the user's: the project's three, and scikit-learn's five."""

from typing import Any

import numpy as np

from compare import csv_cells, csv_columns, davis, people
from compare.dataset import Dataset
from compare.tables import BDIMS
from compare.wording import InputError

#: The names of data sets that need no file, and what they are.
BUILT_IN = {
    "article": "4 people: weight (lb), height (in); target gender, M or F; the article's table",
    "davis": "200 people: weight (kg), height (cm); target sex, M or F; C. Davis, 1990",
    "bdims": "507 people: wgt (kg), hgt (cm); target sex, M or F; Heinz et al., 2003",
    "digits": "1797 images: 64 pixels, 0 to 16; target digit, 0 to 9; scikit-learn",
    "iris": "150 flowers: 4 lengths and widths (cm); target species, 3 of them; scikit-learn",
    "wine": "178 wines: 13 measurements; target cultivar, 3 of them; scikit-learn",
    "breast-cancer": "569 tumours: 30 measurements; target diagnosis, 2 of them; scikit-learn",
    "diabetes": "442 patients: 10 measurements; target progression, a number; scikit-learn",
}

SEXES = ("M", "F")

#: What the rows of scikit-learn's data sets are labelled with, which the loaders do not say.
SCIKIT_LEARN_TARGETS = {
    "digits": "digit",
    "iris": "species",
    "wine": "cultivar",
    "breast-cancer": "diagnosis",
    "diabetes": "progression",
}


def built_in(name: str, raw: bool = False) -> Dataset:
    """The data set of that name.

    Args:
        name: one of `BUILT_IN`.
        raw: of davis, keep the row that is known to be wrong.

    Raises:
        InputError: it needs scikit-learn, which is not installed.
    """
    if name == "article":
        return _article()
    if name == "davis":
        return _davis(raw)
    return _bdims() if name == "bdims" else _from_scikit_learn(name)


def _article() -> Dataset:
    x, y = people.raw(people.PEOPLE), people.targets(people.PEOPLE).astype(np.int64)
    return Dataset("article", ("weight", "height"), "gender", SEXES, x, y)


def _davis(raw: bool) -> Dataset:
    x, sexes, note = davis.people(raw)
    y = np.array([SEXES.index(sex) for sex in sexes], dtype=np.int64)
    return Dataset("davis", davis.FEATURES, "sex", SEXES, x, y, note)


def _bdims() -> Dataset:
    table, features = csv_cells.read_csv(BDIMS), ("wgt", "hgt")
    values = csv_columns.numbers(
        table, csv_columns.choose(table.where, table.names, features, "sex")
    )
    x, male = np.ascontiguousarray(values[:, :-1]), values[:, -1]  # 1 for men in the file
    return Dataset("bdims", features, "sex", SEXES, x, (1 - male).astype(np.int64))


def _from_scikit_learn(name: str) -> Dataset:
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: needs scikit-learn, which is not installed; expected the extra 'data'"
        ) from error
    # Its own units, as of every other data set; scikit-learn standardises this one unless told.
    options = {"scaled": False} if name == "diabetes" else {}
    bunch: Any = getattr(datasets, f"load_{name.replace('-', '_')}")(**options)
    names = bunch.get("target_names")
    return Dataset(
        name,
        features=tuple(map(str, bunch.feature_names)),
        target=SCIKIT_LEARN_TARGETS[name],
        classes=None if names is None else tuple(map(str, names)),
        x=np.ascontiguousarray(bunch.data, dtype=np.float64),
        y=np.asarray(bunch.target, dtype=np.float64 if names is None else np.int64),
    )
