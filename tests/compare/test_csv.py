"""A user's CSV file becomes features and a target, or one line says where it is at fault."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compare.data import dataset_named, table_named
from compare.wording import InputError

FLOWERS = """\
petal,colour, height,note
1.5,red,30,

2,blue,41,tall
2.5, red ,29.5,"on a
slope"
1,blue,37,NA
"""


def written(folder: Path, data: str | bytes) -> str:
    path = folder / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_of_classes(tmp_path: Path, mark: str, end: str) -> None:
    path = written(tmp_path, mark + FLOWERS.replace("\n", end))
    data = dataset_named(path, "colour", ["height", "petal"])
    assert (data.name, data.features, data.target) == ("table.csv", ("height", "petal"), "colour")
    assert data.classes == ("blue", "red")
    assert data.x.tolist() == [[30, 1.5], [41, 2], [29.5, 2.5], [37, 1]]
    assert data.y.tolist() == [1, 0, 1, 0]
    assert (data.x.dtype, data.y.dtype, data.note) == (np.float64, np.int64, "")


def test_a_file_with_a_number_to_predict(tmp_path: Path) -> None:
    data = dataset_named(written(tmp_path, FLOWERS), "height", ["petal"])
    assert (data.classes, data.y.dtype) == (None, np.float64)
    assert data.y.tolist() == [30, 41, 29.5, 37]
    assert data.x.shape == (4, 1)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["10", "9", "9", "10"], ("9", "10")),  # in order of numbers, not of text
        (["1.0", "0", "1", "0.0"], ("0", "1.0")),  # as first written
        (["10", "9", "x", "10", "9", "x"], ("10", "9", "x")),  # in order of text
        ([str(j) for j in range(11)] * 2, None),
        (["1.5", "2.5", "1.5", "2.5"], None),
        (["none", "mild", "mild", "none"], ("mild", "none")),
    ],
)
def test_what_a_target_is(
    tmp_path: Path, values: list[str], classes: tuple[str, ...] | None
) -> None:
    rows = "".join(f"{j},{value}\n" for j, value in enumerate(values))
    data = dataset_named(written(tmp_path, f"x,y\n{rows}"), "y")
    assert data.classes == classes
    if classes is None:
        assert data.y.tolist() == [float(value) for value in values]
    elif "x" not in values and "none" not in values:
        assert [float(classes[code]) for code in data.y] == [float(value) for value in values]


NUMBER = "expected a number of at most 1e+100 in size, or other columns (--target, --feature)"
CLASSES = "expected at least two classes, and two rows of each, to train on and to test on"
#: A file, what is named of it, and the message after the path.
AT_FAULT: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, ": no rows; expected a header and rows below it"),
    "no rows": ("a,y\n", {}, ": no rows; expected a header and rows below it"),
    "an image": (b"\x89PNG\r\n", {}, ": not UTF-8 text; expected a CSV file in UTF-8"),
    "too few cells": (
        "a,y\n1,2\n\n3\n",
        {},
        ", line 4: fewer cells than in the header; expected 2 with commas between them",
    ),
    "too many cells": (
        "a,y\n1,2,5\n",
        {},
        ", line 2: more cells than in the header; expected 2 with commas between them",
    ),
    "numbers on top": (
        "a,1.5\n3,4\n",
        {},
        ", column 2: '1.5' in the header; expected a name that no other column has",
    ),
    "a name twice": (
        "a,y, a\n1,2,3\n",
        {},
        ", column 3: 'a' in the header; expected a name that no other column has",
    ),
    "an open quote": (
        'a,y\n1,2\n"3,4\n5,6\n',
        {},
        ", line 4: unexpected end of data; expected cells with commas between them",
    ),
    "semicolons": ("a;y\n1;2\n", {}, ": no column 'y'; expected one of a;y"),
    "text among numbers": ("a,y\n1,p\n\nx,q\n5,p\n7,q\n", {}, f", line 4, column a: 'x'; {NUMBER}"),
    "an empty cell": ("a,y\n1,p\n ,q\n3,p\n4,q\n", {}, f", line 3, column a: ''; {NUMBER}"),
    "infinity": ("a,y\n1,p\n2,q\n-inf,p\n4,q\n", {}, f", line 4, column a: '-inf'; {NUMBER}"),
    "no number": ("a,y\n1,5\nnan,6\n1,5\n2,6\n", {}, f", line 3, column a: 'nan'; {NUMBER}"),
    **{
        f"no number as {cell}": (
            f'a,y\n1,p\n"{cell}",q\n3,p\n4,q\n',
            {},
            f", line 3, column a: '{cell}'; {NUMBER}",
        )
        for cell in ("2,5", "1_000", "1 000", "0x10", "1e", "--1", "1e101", "1e400")
    },
    "a missing class": (
        "a,y\n1,p\n2,NA\n3,p\n4,NA\n",
        {},
        ", line 3, column y: 'NA'; expected a class",
    ),
    "a class of one row": (
        "a,y\n1,p\n2,q\n3,r\n4,p\n5,q\n",
        {},
        f", line 4, column y: 'r' in this row only; {CLASSES}",
    ),
    "text in a column of numbers": (
        "a,y\n1,1.5\n2,x\n3,2.5\n4,3.5\n",
        {},
        f", line 3, column y: 'x' in this row only; {CLASSES}",
    ),
    "one class": ("a,y\n1, p\n2,p\n3,p\n4,p\n", {}, f", line 2, column y: 'p' in all; {CLASSES}"),
    "a constant feature": (
        "a,c,y\n1, 7,p\n2,7.0,q\n\n3,7,p\n4,7,q\n",
        {},
        ", column c: its values differ by 0; expected a column that varies, or others (--target, "
        "--feature)",
    ),
    "a number to predict that hardly varies": (
        "a,y\n1,1e-200\n2,2e-200\n3,3e-200\n4,4e-200\n",
        {},
        ", column y: its values differ by 3e-200; expected a column that varies, or others "
        "(--target, --feature)",
    ),
    "three rows": ("a,y\n1,p\n2,q\n3,p\n", {}, ": 3 rows; expected at least 4"),
    "no target": (
        "a,b,y\n1,2,p\n",
        {"target": None},
        ": no target; expected --target with one of a, b, y",
    ),
    "no such target": (
        "height,y\n1,2\n",
        {"target": "hieght"},
        ": no column 'hieght' (did you mean 'height'?); expected one of height, y",
    ),
    "only a target": (
        "y\n1\n2\n",
        {},
        ": target 'y' and features none; expected at least one feature, all different and none the "
        "target",
    ),
    "the target among the features": (
        "a,y\n1,2\n",
        {"features": ["a", "y"]},
        ": target 'y' and features 'a', 'y'; expected at least one feature, all different and none "
        "the target",
    ),
}


@pytest.mark.parametrize("case", AT_FAULT)
def test_a_file_at_fault(tmp_path: Path, case: str) -> None:
    data, options, message = AT_FAULT[case]
    path = written(tmp_path, data)
    with pytest.raises(InputError) as raised:
        dataset_named(path, **{"target": "y"} | options)
    assert str(raised.value) == f"{path}{message}"


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, message in (
        ("iriss", "no such file (did you mean 'iris'?); expected a CSV file or one of article, "),
        (str(tmp_path), "Is a directory; expected a CSV file"),
        ("x" * 300, "File name too long; expected a CSV file"),
    ):
        with pytest.raises(InputError) as raised:
            dataset_named(path, "y")
        assert str(raised.value).startswith(f"{path}: {message}")


def test_a_column_without_a_name_is_not_used(tmp_path: Path) -> None:
    """Others that are not used may hold anything, too."""
    path = written(tmp_path, '"",city,area,rent\n"1",Oslo,50,700\n"2",Bonn,60,900\nx,,80,1e3\n')
    table = table_named(path, features=["area"])
    assert (table.x.tolist(), table.y.tolist()) == ([[50], [60], [80]], [700, 900, 1000])
    path = written(tmp_path, ",a,y,\n,1,p,7\n2,2,q,7\nx,3,p,7\n,4,q,7\n")
    assert dataset_named(path, "y").x.tolist() == [[1], [2], [3], [4]]


def test_a_table_of_numbers(tmp_path: Path) -> None:
    table = table_named(written(tmp_path, "area,rooms,rent\n50,2,700\n\n 80.5 ,3,1e3\n"))
    assert (table.features, table.target) == (("area", "rooms"), "rent")
    assert table.x.tolist() == [[50, 2], [80.5, 3]]
    assert table.y.tolist() == [700, 1000]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", r"line 3, column b: 'x'; expected a number"),
        ("a,intercept,b\n1,2,3\n", r"a column intercept, which the regression adds; expected"),
    ],
)
def test_a_table_at_fault(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table_named(written(tmp_path, text))
