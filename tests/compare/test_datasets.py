"""A user's file becomes features and a target, or one line says where it is at fault."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compare.csv_cells import Row
from compare.datasets import dataset_named, read_features, table_named
from compare.wording import InputError
from tests.tiers import fewer

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


def test_a_file_of_classes(tmp_path: Path) -> None:
    path = written(tmp_path, FLOWERS)
    data = dataset_named(str(path), "colour", ["height", "petal"])
    assert (data.name, data.features, data.target) == ("table.csv", ("height", "petal"), "colour")
    assert data.classes == ("blue", "red")
    assert data.x.tolist() == [[30, 1.5], [41, 2], [29.5, 2.5], [37, 1]]
    assert data.y.tolist() == [1, 0, 1, 0]
    assert (data.x.dtype, data.y.dtype, data.note) == (np.float64, np.int64, "")


def test_a_file_with_a_number_to_predict(tmp_path: Path) -> None:
    data = dataset_named(str(written(tmp_path, FLOWERS)), "height", ["petal"])
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
        (["1.5", "2.5", "1.5", "2.5"], None),
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


OR_OTHERS = "or other columns (--target, --feature)"
TWO_ROWS = (
    "expected at least two rows of each class, one to train on and one to test on, or "
    "--target-kind number"
)
#: A file, what is named of it, and the message after the path.
AT_FAULT = {
    "text among numbers": (
        "a,b,y\n1,2,p\n\n3,x,q\n5,6,p\n7,8,q\n",
        {},
        f", line 4, column 2 (b): 'x'; expected a finite number, {OR_OTHERS}",
    ),
    "an empty cell": (
        "a,y\n1,p\n ,q\n3,p\n4,q\n",
        {},
        f", line 3, column 1 (a): ''; expected a finite number, not an empty cell, {OR_OTHERS}",
    ),
    "an empty cell of the target": (
        "a,y\n1,p\n2,\n3,p\n4,q\n",
        {},
        ", line 3, column 2 (y): ''; expected a class or a number, not an empty cell",
    ),
    "a missing class": (
        "a,y\n1,p\n2,NA\n3,p\n4,NA\n",
        {"kind": "classes"},
        ", line 3, column 2 (y): 'NA'; expected a class or a number, not a missing value",
    ),
    "infinity": (
        "a,y\n1,p\n2,q\n-inf,p\n4,q\n",
        {},
        ", line 4, column 1 (a): '-inf'; expected a finite number of at most 1e+100 in size, "
        + OR_OTHERS,
    ),
    "an underscore": (
        "a,y\n1_000,p\n2,q\n3,p\n4,q\n",
        {},
        f", line 2, column 1 (a): '1_000'; expected a finite number, {OR_OTHERS}",
    ),
    "a decimal comma": (
        'a,y\n1,p\n"2,5",q\n3,p\n4,q\n',
        {},
        ", line 3, column 1 (a): '2,5'; expected a finite number, with a point in place of the "
        f"comma, {OR_OTHERS}",
    ),
    "a decimal comma in the target": (
        'a,y\n1,"1,5"\n2,"2,5"\n3,"1,5"\n4,"2,5"\n',
        {},
        ", line 2, column 2 (y): '1,5'; expected a finite number, with a point in place of the "
        f"comma, {OR_OTHERS}",
    ),
    "a constant feature": (
        "a,c,y\n1, 7,p\n2,7.0,q\n\n3,7,p\n4,7,q\n",
        {},
        ", lines 2 to 6, column 2 (c): 7 in every row; expected a column that varies: leave this "
        "one out by naming the others with --feature",
    ),
    "a feature that hardly varies": (
        "a,y\n1e-200,p\n2e-200,q\n3e-200,p\n4e-200,q\n",
        {},
        ", lines 2 to 5, column 1 (a): values within 3e-200 of each other; expected a column that "
        "varies: leave this one out by naming the others with --feature",
    ),
    "a constant number to predict": (
        "a,y\n1,2.5\n2,2.5\n3,2.5\n4,2.5\n",
        {},
        ", lines 2 to 5, column 2 (y): 2.5 in every row; expected a column that varies, or another "
        "--target",
    ),
    "one class": (
        "a,y\n1, p\n2,p\n3,p\n4,p\n",
        {},
        ", lines 2 to 5, column 2 (y): 'p' in every row; expected at least two classes, or another "
        "--target",
    ),
    "a class of one row": (
        "a,y\n1,p\n2,q\n3,r\n4,p\n5,q\n",
        {},
        f", line 4, column 2 (y): class 'r' in this row only; {TWO_ROWS}",
    ),
    "three rows": ("a,y\n1,p\n2,q\n3,p\n", {}, ": 3 rows below the header; expected at least 4"),
    "no name": (
        "a, ,y\n1,2,p\n2,3,q\n3,4,p\n4,5,q\n",
        {},
        ", line 1, column 2: no name in the header; expected one, or the names of the other "
        "columns with --feature",
    ),
    "no target": (
        "a,b,y\n1,2,p\n",
        {"target": None},
        ", line 1: no target named; expected --target with one of a, b, y",
    ),
    "no such target": (
        "height,y\n1,2\n",
        {"target": "hieght"},
        ", line 1: no column 'hieght'; expected one of height, y",
    ),
    "no such target among many columns": (
        ",".join([*"abcdefghijkl", "height"]) + "\n" + "1," * 12 + "1\n",
        {"target": "hieght"},
        ", line 1: no column 'hieght' (did you mean 'height'?); expected one of a, b, c, d, e, f, "
        "g, h, i, j, k, l, … (13 in all)",
    ),
    "only a target": (
        "y\n1\n2\n",
        {},
        ", line 1: target 'y' and features none; expected at least one feature, all different "
        "and none the target",
    ),
    "the target among the features": (
        "a,y\n1,2\n",
        {"features": ["a", "y"]},
        ", line 1: target 'y' and features 'a', 'y'; expected at least one feature, all different "
        "and none the target",
    ),
}


@pytest.mark.parametrize("case", AT_FAULT)
def test_a_file_at_fault(tmp_path: Path, case: str) -> None:
    text, options, message = AT_FAULT[case]
    path = written(tmp_path, text)
    assert refusal(str(path), **{"target": "y"} | options) == f"{path}{message}"


@pytest.mark.parametrize("word", ["NA", "nan", "?", "null"])
def test_words_for_nothing(tmp_path: Path, word: str) -> None:
    path = written(tmp_path, f"a,y\n1,p\n2,q\n {word} ,p\n4,q\n")
    assert refusal(str(path), "y") == (
        f"{path}, line 4, column 1 (a): '{word}'; expected a finite number, not a missing value, "
        "or other columns (--target, --feature)"
    )


def test_columns_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, ",a,y,c\n,1,p,7\n2,2,q,7\nx,3,p,7\n,4,q,7\n")
    assert dataset_named(str(path), "y", ["a"]).x.tolist() == [[1], [2], [3], [4]]


def test_a_target_without_a_name_is_called_by_its_position(tmp_path: Path) -> None:
    data = dataset_named(str(written(tmp_path, "a,\n1,p\n2,q\n3,p\n4,q\n")), "column 2")
    assert (data.features, data.classes) == (("a",), ("p", "q"))


def test_names_that_stand_for_nothing(tmp_path: Path) -> None:
    assert refusal("iriss").startswith(
        "iriss: no such file (did you mean 'iris'?); expected a CSV "
    )
    assert refusal(str(tmp_path), "y") == f"{tmp_path}: Is a directory; expected a CSV file"


def test_rows_to_predict_from(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffname, b,a,\r\n"A\r\nB", 2 ,1,\r\n\r\nC,4,1,x\r\n')
    file, x = read_features(path, ["a", "b"])
    assert x.tolist() == [[1, 2], [1, 4]]
    assert x.dtype == np.float64
    assert file.header.cells == ["name", " b", "a", ""]
    assert file.rows == [Row(2, ["A\r\nB", " 2 ", "1", ""]), Row(5, ["C", "4", "1", "x"])]
    assert read_features(written(tmp_path, "a\n5\n"), ["a"])[1].tolist() == [[5]]


@pytest.mark.parametrize(
    ("text", "features", "message"),
    [
        (
            "b,a\n1,NA\n",
            ["a", "b"],
            ", line 2, column 2 (a): 'NA'; expected a finite number, not a missing value",
        ),
        ("a,b\n1,2\n", [], ", line 1: features none; expected at least one feature, all different"),
    ],
)
def test_rows_at_fault(tmp_path: Path, text: str, features: list[str], message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as raised:
        read_features(path, features)
    assert str(raised.value) == f"{path}{message}"


def test_a_table_of_numbers(tmp_path: Path) -> None:
    table = table_named(str(written(tmp_path, "area,rooms,rent\n50,2,700\n\n 80.5 ,3,1e3\n")))
    assert (table.features, table.target) == (("area", "rooms"), "rent")
    assert table.x.tolist() == [[50, 2], [80.5, 3]]
    assert table.y.tolist() == [700, 1000]


def test_a_table_with_semicolons(tmp_path: Path) -> None:
    table = table_named(str(written(tmp_path, "area;rent\r\n50.5;1000\r\n80;1250.5\r\n")))
    assert table.x.tolist() == [[50.5], [80]]
    assert table.y.tolist() == [1000, 1250.5]


def test_columns_of_a_table_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeff"",city,area,rent\r\n"1",Oslo,50,700\r\n"2",Bonn,,900\r\n')
    table = table_named(str(path), target="rent", features=["column 1"])
    assert table.x.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", r"line 3, column 2 \(b\): 'x'; expected a finite number"),
        ("a,intercept,b\n1,2,3\n", "which the regression itself uses; expected a new name"),
    ],
)
def test_a_table_at_fault(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        table_named(str(written(tmp_path, text)))


def test_the_built_in_tables() -> None:
    article = table_named("article")
    assert article.x[:, 0].tolist() == [65, 72, 70, 60]
    assert article.y.tolist() == [133, 160, 152, 120]
    assert table_named("article", target="height").features == ("weight",)
    bdims = table_named("bdims")
    assert bdims.x.shape == (507, 2)
    assert bdims.x[:, 1].sum() == 247  # men
    assert table_named("bdims", features=["hgt"]).x.shape == (507, 1)
    assert table_named("bdims", target="sex").features == ("hgt", "wgt")


#: Whatever may be squared; zeros of either sign and the smallest numbers among them.
finite = st.floats(-1e100, 1e100)


@pytest.mark.slow
@settings(fewer(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(finite, min_size=n, max_size=n), min_size=1, max_size=7)
    ),
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_numbers_are_read_back_exactly(
    tmp_path: Path, values: list[list[float]], mark: str, end: str, quoting: Any
) -> None:
    """To the bit, in any order of columns, and by either reader."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=quoting)
    names = [f"x{j}" for j in range(len(values[0]))]
    writer.writerows([[*names, "j", "y"], *([*r, j, j + 0.5] for j, r in enumerate(values))])
    path = written(tmp_path, mark + out.getvalue())
    x = np.array(values)
    assert read_features(path, names[::-1])[1].tobytes() == x[:, ::-1].tobytes()
    if len(values) >= 4 and (np.ptp(x, axis=0) > 1e-100).all():
        data = dataset_named(str(path), "y")
        assert data.features == (*names, "j")
        assert data.x[:, :-1].tobytes() == x.tobytes()
        assert data.y.tolist() == [j + 0.5 for j in range(len(values))]
