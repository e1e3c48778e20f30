"""The data sets that need no file hold what their sources hold."""

import sys
from typing import Any

import pytest

from compare.data import BUILT_IN, dataset_named, table_named
from compare.wording import InputError


@pytest.mark.parametrize(
    ("name", "features", "rows", "x", "y"),
    [
        ("article", ("weight", "height"), (4, 2), [[133, 65], [160, 72], [152, 70]], [1, 0, 0]),
        ("davis", ("weight", "height"), (200, 112), [[77, 182], [58, 161], [53, 161]], [0, 1, 1]),
        ("bdims", ("wgt", "hgt"), (507, 260), [[65.6, 174], [71.8, 175.3], [80.7, 193.5]], [0] * 3),
    ],
)
def test_ours(name: str, features: Any, rows: Any, x: Any, y: Any) -> None:
    """Their first rows, and how many there are, of whom how many are women."""
    data = dataset_named(name)
    assert (data.features, data.target, data.classes) == (features, BUILT_IN[name], ("M", "F"))
    assert (len(data.x), data.y.sum()) == rows
    assert (data.x[:3].tolist(), data.y[:3].tolist()) == (x, y)


def test_the_wrong_row_of_davis_is_corrected() -> None:
    data = dataset_named("davis", features=["height", "weight"])
    assert data.x[[0, 11]].tolist() == [[182, 77], [166, 57]]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("digits", tuple("0123456789")),
        ("iris", ("setosa", "versicolor", "virginica")),
        ("wine", ("class_0", "class_1", "class_2")),
        ("breast-cancer", ("malignant", "benign")),
    ],
)
def test_scikit_learns_classes(name: str, classes: tuple[str, ...]) -> None:
    from sklearn import datasets  # which takes a second

    data = dataset_named(name)
    x, y = getattr(datasets, f"load_{name.replace('-', '_')}")(return_X_y=True)
    assert (data.x == x).all()
    assert (data.y == y).all()
    assert data.classes == classes
    assert type(data.features[0]) is str  # and no string of NumPy's


def test_diabetes_in_its_own_units() -> None:
    data = dataset_named("diabetes")
    assert (data.features[:3], data.x.shape) == (("age", "sex", "bmi"), (442, 10))
    assert data.x[0, :3].tolist() == [59, 2, 32.1]
    assert data.y[:2].tolist() == [151, 75]


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError, match=r"^digits: needs scikit-learn, which is not installed"):
        dataset_named("digits")


def test_the_built_in_tables() -> None:
    article = table_named("article")
    assert article.x[:, 0].tolist() == [65, 72, 70, 60]
    assert article.y.tolist() == [133, 160, 152, 120]
    assert table_named("article", target="height").features == ("weight",)
    bdims = table_named("bdims")
    assert bdims.x.shape == (507, 2)
    assert bdims.x[:, 1].sum() == 247  # men
    assert table_named("bdims", features=["hgt"]).x.shape == (507, 1)
