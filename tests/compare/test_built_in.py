"""The data sets that need no file hold what their sources hold."""

import sys
from typing import Any

import numpy as np
import pytest

from compare.datasets import dataset_named
from compare.wording import InputError


def test_davis_with_the_wrong_row_and_without() -> None:
    data, raw = dataset_named("davis"), dataset_named("davis", raw=True)
    assert (data.features, data.target, data.classes) == (("weight", "height"), "sex", ("M", "F"))
    assert data.x[:3].tolist() == raw.x[:3].tolist() == [[77, 182], [58, 161], [53, 161]]
    assert data.y[:3].tolist() == [0, 1, 1]
    assert data.y.sum() == 112  # women
    assert raw.x[11].tolist() == [166, 57]
    assert data.x[11].tolist() == [57, 166]
    assert np.flatnonzero((data.x != raw.x).any(axis=1)).tolist() == [11]
    assert data.y.tolist() == raw.y.tolist()
    assert data.note.endswith("56 kg and 163 cm; corrected to 57 kg and 166 cm")
    assert raw.note.endswith("56 kg and 163 cm; kept as printed")


def test_bdims() -> None:
    data = dataset_named("bdims")
    assert (data.features, data.target, data.classes) == (("wgt", "hgt"), "sex", ("M", "F"))
    assert data.x.shape == (507, 2)
    assert data.x[:2].tolist() == [[65.6, 174], [71.8, 175.3]]
    assert data.y[:2].tolist() == [0, 0]
    assert data.y.sum() == 260  # women


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
    assert data.features[:3] == ("age", "sex", "bmi")
    assert data.x.shape == (442, 10)
    assert data.x[0, :3].tolist() == [59, 2, 32.1]
    assert data.y[:2].tolist() == [151, 75]


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(InputError, match=r"^digits: needs scikit-learn, which is not installed"):
        dataset_named("digits")
    assert len(dataset_named("davis").y) == 200


def test_some_of_the_features() -> None:
    swapped = dataset_named("davis", features=["height", "weight"])
    assert swapped.x[0].tolist() == [182, 77]
    assert swapped.x.flags.c_contiguous
    assert swapped.note


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("davis", {"target": "weight"}, "target 'weight'; expected 'sex', its only one"),
        ("bdims", {"kind": "number"}, "kind 'number'; expected 'classes', which its target is"),
        ("bdims", {"raw": True}, "the raw data; expected davis, the only data set with a"),
    ],
)
def test_refused_options(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: {message}"):
        dataset_named(name, **options)
