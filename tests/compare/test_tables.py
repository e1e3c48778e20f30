"""A user's table is read, or refused with the file, the line and the column."""

from pathlib import Path

import numpy as np
import pytest

from compare.tables import read_table, table_named
from compare.wording import InputError


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_table_of_numbers(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "area,rooms,rent\n50,2,700\n\n 80.5 ,3,1e3\n"))
    assert (table.features, table.target) == (("area", "rooms"), "rent")
    assert table.x.tolist() == [[50, 2], [80.5, 3]]
    assert table.y.tolist() == [700, 1000]


def test_columns_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeff"",city,area,rent\r\n"1",Oslo,50,700\r\n"2",Bonn,,900\r\n')
    table = read_table(path, target="rent", features=["column 1"])
    assert table.x.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", r"table.csv, line 3, column 2 \(b\): 'x'; expected a finite number"),
        ("a,b\n1,nan\n", r"line 2, column 2 \(b\): 'nan'; expected a finite number"),
        ("a,b\n-inf,1\n", r"line 2, column 1 \(a\): '-inf'; expected a finite number"),
        ("a,b\n1,\n", r"line 2, column 2 \(b\): ''; expected a finite number"),
        ("a,b\n1,2,3\n", "line 2: 3 cells; expected 2"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells; expected 2"),
        ("a,b\n", "1 lines of cells; expected a header and rows"),
        ("", "0 lines of cells; expected a header and rows"),
        ("1,2\n3,4\n", "line 1, column 1: the number 1 in the header; expected a new name"),
        ("a,a\n1,2\n", "line 1, column 2: the name 'a' a second time; expected a new name"),
        ('a,b\n"1,2\n', "line 2: unexpected end of data; expected comma-separated values"),
        (b"a,b\n\xff,2\n", "not UTF-8 text; expected a CSV file"),
        ("a\n1\n", "expected at least one feature"),
        ("a;b\n1;2\n", "one column, 'a;b'; expected cells separated by commas"),
        ("a,b\n1_000,2\n", "line 2, column 1 .*'1_000'; expected a finite number"),
        ("a,intercept,b\n1,2,3\n", "which the regression itself uses; expected a new name"),
    ],
)
def test_a_malformed_table(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_table(written(tmp_path, text))


@pytest.mark.parametrize(
    ("target", "features", "message"),
    [
        ("c", [], "no column 'c'; expected one of a, b"),
        (None, ["c"], "no column 'c'; expected one of a, b"),
        ("a", ["a"], "none the target"),
        ("a", ["b", "b"], "all different"),
    ],
)
def test_columns_that_do_not_fit(
    tmp_path: Path, target: str | None, features: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_table(written(tmp_path, "a,b\n1,2\n"), target, features)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file \(did you mean 'bdims'\?\); expected"):
        table_named("bdim")
    with pytest.raises(InputError, match="No such file or directory; expected a CSV file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="Is a directory; expected a CSV file"):
        read_table(tmp_path)


def test_the_built_in_tables() -> None:
    article = table_named("article")
    assert np.column_stack([article.x, article.y]).tolist() == [
        [65, 133],
        [72, 160],
        [70, 152],
        [60, 120],
    ]
    assert table_named("article", target="height").features == ("weight",)
    bdims = table_named("bdims")
    assert bdims.x.shape == (507, 2)
    assert bdims.x[:, 1].sum() == 247  # men
    assert table_named("bdims", features=["hgt"]).x.shape == (507, 1)
    assert table_named("bdims", target="sex").features == ("hgt", "wgt")


def test_signs_that_are_not_ends_of_lines(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, '"N\x85w",b\n1,2\n3,5\n'))
    assert table.features == ("N\x85w",)
    assert len(table.y) == 2
