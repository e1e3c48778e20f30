"""A user's file becomes features and a target, or one line says where it is at fault."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compare.csv_cells import Row
from compare.datasets import dataset_named, read_features
from compare.wording import InputError

FLOWERS = """\
petal,colour,height,note
1.5,red,30,
2,blue,41,tall
2.5, red ,29.5,"on a
slope"
1,blue,37,NA
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return path


def refusal(text: str, *args: Any, **options: Any) -> str:
    with pytest.raises(InputError) as raised:
        dataset_named(text, *args, **options)
    assert str(raised.value).isprintable()
    return str(raised.value)


def test_a_file_of_classes_and_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, FLOWERS)
    data = dataset_named(str(path), "colour", ["height", "petal"])
    assert (data.name, data.features, data.target) == ("table.csv", ("height", "petal"), "colour")
    assert data.classes == ("blue", "red")
    assert data.x.tolist() == [[30, 1.5], [41, 2], [29.5, 2.5], [37, 1]]
    assert data.y.tolist() == [1, 0, 1, 0]
    assert (data.x.dtype, data.y.dtype, data.note) == (np.float64, np.int64, "")
    data = dataset_named(str(path), "height", ["petal"])
    assert data.classes is None
    assert data.y.tolist() == [30, 41, 29.5, 37]
    assert data.y.dtype == np.float64
    assert data.x.shape == (4, 1)


def column(values: list[str]) -> str:
    return "x,y\n" + "".join(f"{j},{value}\n" for j, value in enumerate(values))


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["10", "9", "9", "10"], ("9", "10")),  # in order of numbers, not of text
        (["1.0", "0", "1", "0.0"], ("0", "1.0")),  # as first written
        (["10", "9", "x", "10", "9", "x"], ("10", "9", "x")),  # in order of text
        ([str(j) for j in range(11)] * 2, None),
        (["1e101", "1", "1e101", "x", "1", "x"], ("1", "1e101", "x")),
        (["none", "mild", "mild", "none"], ("mild", "none")),
    ],
)
def test_what_a_target_is(
    tmp_path: Path, values: list[str], classes: tuple[str, ...] | None
) -> None:
    path = str(written(tmp_path, column(values)))
    data = dataset_named(path, "y")
    assert data.classes == classes
    if classes is None:
        assert data.y.tolist() == [float(value) for value in values]
        assert len(dataset_named(path, "y", kind="classes").classes or ()) == len(set(values))
    elif "x" not in values and "none" not in values:
        assert [float(classes[code]) for code in data.y] == [float(value) for value in values]
        assert dataset_named(path, "y", kind="number").classes is None


#: A file, what is named of it, and how the message goes on after the path.
AT_FAULT = {
    "text among numbers": (
        "a,b,y\n1,2,p\n\n3,x,q\n5,6,p\n7,8,q\n",
        {},
        ", line 4, column 2 (b): 'x'; expected a finite number, or other columns",
    ),
    "an empty cell": (
        "a,y\n1,p\n ,q\n3,p\n4,q\n",
        {},
        ", line 3, column 1 (a): ''; expected a finite number, not an empty cell",
    ),
    "a missing class": (
        "a,y\n1,p\n2,NA\n3,p\n4,NA\n",
        {"kind": "classes"},
        ", line 3, column 2 (y): 'NA'; expected a class or a number, not a missing value",
    ),
    "a decimal comma": (
        'a,y\n1,p\n"2,5",q\n3,p\n4,q\n',
        {},
        ", line 3, column 1 (a): '2,5'; expected a finite number, with a point",
    ),
    "a constant feature": (
        "a,c,y\n1, 7,p\n2,7.0,q\n\n3,7,p\n4,7,q\n",
        {},
        ", lines 2 to 6, column 2 (c): 7 in every row; expected a column that varies",
    ),
    "one class": (
        "a,y\n1, p\n2,p\n3,p\n4,p\n",
        {},
        ", lines 2 to 5, column 2 (y): 'p' in every row; expected at least two classes",
    ),
    "a class of one row": (
        "a,y\n1,p\n2,q\n3,r\n4,p\n5,q\n",
        {},
        ", line 4, column 2 (y): class 'r' in this row only; expected at least two rows",
    ),
    "three rows": ("a,y\n1,p\n2,q\n3,p\n", {}, ": 3 rows below the header; expected at least 4"),
    "no name": (
        "a, ,y\n1,2,p\n2,3,q\n3,4,p\n4,5,q\n",
        {},
        ", line 1, column 2: no name in the header; expected one",
    ),
    "no target": (
        "a,b,y\n1,2,p\n",
        {"target": None},
        ", line 1: no target named; expected --target with one of a, b, y",
    ),
    "no such target among many columns": (
        ",".join([*"abcdefghijkl", "height"]) + "\n" + "1," * 12 + "1\n",
        {"target": "hieght"},
        ", line 1: no column 'hieght' (did you mean 'height'?); expected one of a, b, c, d, e, f, ",
    ),
    "only a target": (
        "y\n1\n2\n",
        {},
        ", line 1: target 'y' and features none; expected at least one feature",
    ),
    "the target among the features": (
        "a,y\n1,2\n",
        {"features": ["a", "y"]},
        ", line 1: target 'y' and features 'a', 'y'; expected at least one feature",
    ),
}


@pytest.mark.parametrize("case", AT_FAULT)
def test_a_file_at_fault(tmp_path: Path, case: str) -> None:
    text, options, message = AT_FAULT[case]
    path = written(tmp_path, text)
    assert refusal(str(path), **{"target": "y"} | options).startswith(f"{path}{message}")


def test_names_that_stand_for_nothing(tmp_path: Path) -> None:
    assert refusal("iriss").startswith("iriss: no such file (did you mean 'iris'?); expected")
    assert refusal(str(tmp_path), "y") == f"{tmp_path}: Is a directory; expected a CSV file"


def test_rows_to_predict_from(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffname, b,a,\r\n"A\r\nB", 2 ,1,\r\n\r\nC,4,1,x\r\n')
    file, x = read_features(path, ["a", "b"])
    assert x.tolist() == [[1, 2], [1, 4]]
    assert x.dtype == np.float64
    assert file.header.cells == ["name", " b", "a", ""]
    assert file.rows == [Row(2, ["A\r\nB", " 2 ", "1", ""]), Row(5, ["C", "4", "1", "x"])]
    assert read_features(written(tmp_path, "a\n5\n"), ["a"])[1].tolist() == [[5]]


def test_rows_at_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "b,a\n1,NA\n")
    with pytest.raises(InputError, match=r", line 2, column 2 \(a\): 'NA'; expected a finite"):
        read_features(path, ["a", "b"])
    with pytest.raises(InputError, match=r", line 1: features none; expected at least one"):
        read_features(path, [])
