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


@pytest.mark.parametrize(("mark", "end"), [("", "\n"), ("\ufeff", "\r\n"), ("", "\r")])
def test_a_file_of_classes_and_numbers(tmp_path: Path, mark: str, end: str) -> None:
    path = written(tmp_path, mark + FLOWERS.replace("\n", end))
    data = dataset_named(path, "colour", ["height", "petal"])
    assert (data.name, data.features, data.target) == ("table.csv", ("height", "petal"), "colour")
    assert data.classes == ("blue", "red")
    assert data.x.tolist() == [[30, 1.5], [41, 2], [29.5, 2.5], [37, 1]]
    assert data.y.tolist() == [1, 0, 1, 0]
    assert (data.x.dtype, data.y.dtype, data.note) == (np.float64, np.int64, "")
    data = dataset_named(path, "height", ["petal"])
    assert (data.classes, data.y.dtype, data.x.shape) == (None, np.float64, (4, 1))
    assert data.y.tolist() == [30, 41, 29.5, 37]


@pytest.mark.parametrize(
    ("values", "classes", "codes"),
    [
        ("10 9 9 10", ("9", "10"), [1, 0, 0, 1]),  # in order of numbers, not of text
        ("1.0 0 1 0.0", ("0", "1.0"), [1, 0, 1, 0]),  # as first written
        ("10 9 x 10 9 x", ("10", "9", "x"), [0, 1, 2, 0, 1, 2]),  # in order of text
        ("none mild mild none", ("mild", "none"), [1, 0, 0, 1]),
        ("1.5 2.5 1.5 2.5", None, [1.5, 2.5, 1.5, 2.5]),
        ("0 1 2 3 4 5 6 7 8 9 10", None, [*range(11)]),
    ],
)
def test_what_a_target_is(
    tmp_path: Path, values: str, classes: tuple[str, ...] | None, codes: list[float]
) -> None:
    rows = "".join(f"{j},{value}\n" for j, value in enumerate(values.split()))
    data = dataset_named(written(tmp_path, f"x,y\n{rows}"), "y")
    assert (data.classes, data.y.tolist()) == (classes, codes)


#: A file whose column y is to be predicted, further options, and the message.
AT_FAULT: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "no rows": ("a,y\n", {}, ": no rows"),
    "an image": (b"\x89PNG\r\n", {}, ": not UTF-8 text"),
    "too few cells": ("a,y\n1,2\n\n3\n", {}, ", line 4: fewer cells than in the header"),
    "too many cells": ("a,y\n1,2,5\n", {}, ", line 2: more cells than in the header"),
    "numbers on top": ("a,1.5\n3,4\n", {}, ", column 2: '1.5' in the header; expected a name"),
    "a name twice": ("a,y, a\n1,2,3\n", {}, ", column 3: 'a' in the header; expected a name"),
    "an open quote": ('a,y\n1,2\n"3,4\n5,6\n', {}, ", line 4: unexpected end of data"),
    "text among numbers": ("a,y\n1,p\n\nx,q\n5,p\n7,q\n", {}, ", line 4, column a: 'x'; expected"),
    "a missing class": ("a,y\n1,p\n2,NA\n3,p\n4,NA\n", {}, ", line 3, column y: 'NA'; expected a"),
    "a class of one row": ("a,y\n1,p\n2,q\n3,r\n4,p\n5,q\n", {}, ", line 4, column y: 'r' in this"),
    "one class": ("a,y\n1, p\n2,p\n3,p\n4,p\n", {}, ", line 2, column y: 'p' in all"),
    "a constant feature": (
        *("a,c,y\n1, 7,p\n2,7.0,q\n\n3,7,p\n4,7,q\n", {}),
        ", column c: its values differ by 0; expected a column that varies",
    ),
    "constant up to rounding": (
        *("a,y\n1e16,1\n1e16,2\n10000000000000002,3\n1e16,4\n", {}),
        ", column a: its values differ by 2;",
    ),
    "hardly any variation": (
        *("a,y\n1,1e-200\n2,2e-200\n3,3e-200\n4,4e-200\n", {}),
        ", column y: its values differ by 3e-200;",
    ),
    "three rows": ("a,y\n1,p\n2,q\n3,p\n", {}, ": 3 rows; expected at least 4"),
    "no target": ("a,b,y\n1,2,p\n", {"target": None}, ": no target; expected --target with one"),
    "no such target": ("height,y\n1,2\n", {"target": "hieght"}, ": no column 'hieght' (did you"),
    "only a target": ("y\n1\n2\n", {}, ": target 'y' and features none; expected at least one"),
    "the target as a feature": ("a,y\n1,2\n", {"features": ["a", "y"]}, ": target 'y' and featur"),
    **{
        f"no number as {cell}": (
            *(f'a,y\n1,p\n"{cell}",q\n3,p\n4,q\n', {}),
            f", line 3, column a: '{cell}'; expected a number",
        )
        for cell in ("", "nan", "-inf", "2,5", "1_000", "0x10", "1e101")
    },
}


@pytest.mark.parametrize("case", AT_FAULT)
def test_a_file_at_fault(tmp_path: Path, case: str) -> None:
    data, options, says = AT_FAULT[case]
    path = written(tmp_path, data)
    with pytest.raises(InputError) as raised:
        dataset_named(path, **{"target": "y"} | options)
    assert str(raised.value).removeprefix(path).startswith(says)


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, message in (
        ("iriss", "no such file (did you mean 'iris'?); expected a CSV file or one of article, "),
        (str(tmp_path), "Is a directory; expected a CSV file"),
        ("x" * 300, "File name too long; expected a CSV file"),
    ):
        with pytest.raises(InputError) as raised:
            dataset_named(path, "y")
        assert str(raised.value).startswith(f"{path}: {message}")


def test_columns_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    """As those without a name are not."""
    path = written(tmp_path, '"",city,area,rent\n"1",Oslo,50,700\n"2",Bonn, 60 ,900\nx,,80,1e3\n')
    table = table_named(path, features=["area"])
    assert (table.features, table.target) == (("area",), "rent")
    assert (table.x.tolist(), table.y.tolist()) == ([[50], [60], [80]], [700, 900, 1000])
    with pytest.raises(InputError, match="line 2, column city: 'Oslo'; expected a number"):
        table_named(path)
    path = written(tmp_path, "a,intercept,b\n1,2,3\n")
    with pytest.raises(InputError, match="a column intercept, which the regression adds"):
        table_named(path)
