"""A user's table is read, or refused with the file, the line and the column."""

from pathlib import Path

import pytest

from compare.tables import table_named
from compare.wording import InputError


def written(folder: Path, text: str) -> str:
    path = folder / "table.csv"
    path.write_bytes(text.encode())
    return str(path)


def test_a_table_of_numbers(tmp_path: Path) -> None:
    table = table_named(written(tmp_path, "area,rooms,rent\n50,2,700\n\n 80.5 ,3,1e3\n"))
    assert (table.features, table.target) == (("area", "rooms"), "rent")
    assert table.x.tolist() == [[50, 2], [80.5, 3]]
    assert table.y.tolist() == [700, 1000]


def test_columns_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeff"",city,area,rent\r\n"1",Oslo,50,700\r\n"2",Bonn,,900\r\n')
    table = table_named(path, target="rent", features=["column 1"])
    assert table.x.tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,x\n", r"line 3, column 2 \(b\): 'x'; expected a finite number"),
        ("a,intercept,b\n1,2,3\n", "which the regression itself uses; expected a new name"),
    ],
)
def test_a_table_at_fault(tmp_path: Path, text: str, message: str) -> None:
    """What is wrong with files of any kind: see test_csv_cells.py and test_datasets.py."""
    with pytest.raises(InputError, match=message):
        table_named(written(tmp_path, text))


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
