"""A CSV file becomes rows of cells that know their line, or one line says where it is broken."""

import os
from pathlib import Path

import pytest

from compare.csv_cells import Row, as_float, read_csv
from compare.wording import InputError


def written(folder: Path, data: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_and_ends_of_lines(tmp_path: Path, mark: str, end: str) -> None:
    table = read_csv(written(tmp_path, mark + end.join(["a,b", "", "1,2", " , ", "3,4", ""])))
    assert table.names == ("a", "b")
    assert table.rows == [Row(3, ["1", "2"]), Row(5, ["3", "4"])]


def test_a_row_stands_where_it_begins(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, 'a,"b\r\nc"\r\n1,"x\ny\rz"\r\n2,"say ""hi"""\r\n'))
    assert table.names == ("a", "b\r\nc")
    assert table.rows == [Row(3, ["1", "x\ny\rz"]), Row(6, ["2", 'say "hi"'])]
    assert table.at(table.rows[1], 1) == f"{tmp_path}/table.csv, line 6, column 2 ('b\\r\\nc')"
    assert table.throughout(0) == f"{tmp_path}/table.csv, lines 3 to 6, column 1 (a)"


#: A file, and how the message goes on after its path.
BROKEN = {
    "empty": ("", ": no lines of cells; expected a header and rows below it"),
    "an image": (b"\x89PNG\r\n", ", line 1: not UTF-8 text; expected a CSV file in UTF-8"),
    "empty lines": ("\n\n", ": no lines of cells; expected a header and rows below it"),
    "no rows": ("a,b\n", ": one line of cells; expected a header and rows below it"),
    "too few cells": ("a,b\n1,2\n\n3\n", ", line 4: 1 cells; expected 2, as many as the header"),
    "numbers on top": ("\n1.5,2\n3,4\n", ", line 2, column 1: the number 1.5 in the header;"),
    "a name twice": ("a,b, a\n1,2,3\n", ", line 1, column 3: the name 'a' a second time;"),
    "two separators": (
        "a;b|c\n1;2|3\n",
        ", line 1: semicolons and vertical bars; expected one of them between the names, and ",
    ),
    "a row of commas": (
        "a;b\n1;2\n3,4\n",
        ", line 3: 1 cells; expected 2, as many as the header has and separated by semicolons",
    ),
    "semicolons in the header": (
        "a;b;c,d\n1,2,3\n",
        ", line 1: commas and semicolons; expected one of them between the names, and double quote",
    ),
    "more after a quote": (
        '"a"b\tc\n1\t2\n',
        ", line 1: text after a closing quote; expected cells separated by tabs",
    ),
    "an open quote": ('a,b\n1,2\n"3,4\n5,6\n', ", line 3: unexpected end of data; expected"),
    "an open quote in a long file": (
        'a,b\n1,"2\n' + "3,4\n" * 50_000,
        ", line 2: field larger than field limit (131072); expected",
    ),
    "Latin-1": ("a,b\r\n1,2\r\nZürich,3\r\n".encode("latin-1"), ", line 3: not UTF-8 text;"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file(tmp_path: Path, case: str) -> None:
    data, message = BROKEN[case]
    path = written(tmp_path, data)
    with pytest.raises(InputError) as raised:
        read_csv(path)
    assert str(raised.value).startswith(f"{path}{message}")


def test_a_stream(tmp_path: Path) -> None:
    """As a shell's `<(...)` gives it; another pipe may have nobody who writes to it."""
    reading, writing = os.pipe()
    os.write(writing, b"a,b\n1,2\n")
    os.close(writing)
    assert read_csv(Path(f"/dev/fd/{reading}")).names == ("a", "b")
    os.close(reading)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: no regular file; expected a CSV file$"):
        read_csv(tmp_path / "pipe")


def test_signs_that_only_look_like_other_separators(tmp_path: Path) -> None:
    """A few semicolons in text are text."""
    table = read_csv(written(tmp_path, "a; b,c\n1;2,x\n3,y\n"))
    assert table.names == ("a; b", "c")
    assert read_csv(written(tmp_path, "x; y; z,c\n1,2\n")).names == ("x; y; z", "c")
    assert len(read_csv(written(tmp_path, 'notes,c\n"x; y; z",1\n')).rows) == 1


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_another_separator_that_the_header_has_alone(tmp_path: Path, sign: str) -> None:
    lines = ['"a, b"', "c"], ["x, y", '"2.5"'], ["-.5e1", "3"]
    table = read_csv(written(tmp_path, "\n" + "\n".join(map(sign.join, lines))))
    assert table.names == ("a, b", "c")
    assert table.rows == [Row(3, ["x, y", "2.5"]), Row(4, ["-.5e1", "3"])]


def test_a_column_without_a_name_before_a_tab(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, "\n\ty\n1\t2\n")).names == ("column 1", "y")


@pytest.mark.parametrize(
    "cell", ["2,5", "1,500", "-,5e1", "1.234,50", "1,234.5", "1.500,00", "1 250,5", "1\xa0250,5"]
)
def test_a_number_with_a_comma_leaves_no_number_certain(tmp_path: Path, cell: str) -> None:
    """Not in a column that is not used, either: 1.500 beside it may be 1500."""
    path = written(tmp_path, f"a;b\n1.500;x, 1,5\n2;{cell}\n")
    with pytest.raises(InputError) as raised:
        read_csv(path)
    assert str(raised.value) == (
        f"{path}, line 3, column 2 (b): {cell!r}; expected numbers with a decimal point and "
        "nothing between thousands, in all columns"
    )


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x{300}: File name too long; expected a CSV file$"):
        read_csv(tmp_path / ("x" * 300))


def test_numbers_of_cells() -> None:
    assert [as_float(cell) for cell in ("1", " -2.5e3\t", "+.5", "1e400")] == [1, -2500, 0.5, 1e999]
    assert as_float("\xa07") == 7  # some programs pad with no-break spaces
    for text in ("", "x", "1_000", "1,5", "1 000", "0x10", "１", "٣", "−1", "1e", "--1"):
        assert as_float(text) is None, text
