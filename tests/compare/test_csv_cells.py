"""A CSV file becomes rows of cells that know their line, or one line says where it is broken."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compare.csv_cells import Row, as_float, read_csv
from compare.wording import InputError
from tests.tiers import fewer


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


def test_cells_are_kept_as_they_are_written(tmp_path: Path) -> None:
    table = read_csv(written(tmp_path, "\ufeff ,a , b\n 1 , 2,3\n"))
    assert table.header == Row(1, [" ", "a ", " b"])
    assert table.names == ("column 1", "a", "b")
    assert table.rows == [Row(2, [" 1 ", " 2", "3"])]


QUOTES = "expected comma-separated values, and an end to every quote of the row that begins here"
NOT_BY_COMMAS = "expected cells separated by commas, not"
BROKEN = {
    "empty": ("", ": 0 lines of cells; expected a header and rows below it"),
    "no rows": ("a,b\n\n", ": 1 lines of cells; expected a header and rows below it"),
    "too few cells": (
        "a,b\n1,2\n\n3\n",
        ", line 4: 1 cells; expected 2, as many as the header has",
    ),
    "too many": (
        'a,b\n1,"\n"\n1,2,3\n',
        ", line 4: 3 cells; expected 2, as many as the header has",
    ),
    "numbers on top": (
        "\n1.5,2\n3,4\n",
        ", line 2, column 1: the number 1.5 in the header; expected a new name "
        "(is the line of names missing?)",
    ),
    "a name twice": (
        "a,b, a\n1,2,3\n",
        ", line 1, column 3: the name 'a' a second time; expected a new name",
    ),
    "semicolons": ("a;b\n1;2\n", f", line 1: one column, 'a;b'; {NOT_BY_COMMAS} semicolons"),
    "tabs": ("\na\tb\n1\t2\n", f", line 2: one column, 'a\\tb'; {NOT_BY_COMMAS} tabs"),
    "semicolons below a good header": (
        "a,b\n1,2\n3;4\n",
        ", line 3: 1 cells; expected 2, as many as the header has and separated by commas, "
        "not semicolons",
    ),
    "semicolons in the header": (
        "a;b;c,d\n1,2,3\n",
        ", line 2: 3 cells; expected 2, as many as the header has and separated by commas, "
        "not semicolons",
    ),
    "an open quote": ('a,b\n1,2\n"3,4\n5,6\n', f", line 3: unexpected end of data; {QUOTES}"),
    "an open quote in a long file": (
        'a,b\n1,"2\n' + "3,4\n" * 50_000,
        f", line 2: field larger than field limit (131072); {QUOTES}",
    ),
    "a quote that ends too soon": (
        'a,b\n\n"x\ny"z,1\n',
        f", line 3: ',' expected after '\"'; {QUOTES}",
    ),
    "Latin-1": (
        "a,b\r\n1,2\r\nZürich,3\r\n".encode("latin-1"),
        ", line 3: not UTF-8 text; expected a CSV file in UTF-8",
    ),
    "UTF-16": (
        "a,b\n1,2\n".encode("utf-16"),
        ", line 1: not UTF-8 text; expected a CSV file in UTF-8",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file(tmp_path: Path, case: str) -> None:
    data, message = BROKEN[case]
    path = written(tmp_path, data)
    with pytest.raises(InputError) as raised:
        read_csv(path)
    assert str(raised.value) == f"{path}{message}"


def test_signs_that_only_look_like_other_separators(tmp_path: Path) -> None:
    """A few semicolons in text are text."""
    table = read_csv(written(tmp_path, "a; b,c\n1;2,x\n3,y\n"))
    assert table.names == ("a; b", "c")
    assert read_csv(written(tmp_path, "x; y; z,c\n1,2\n")).names == ("x; y; z", "c")
    assert len(read_csv(written(tmp_path, 'notes,c\n"x; y; z",1\n')).rows) == 1


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "absent.csv", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        with pytest.raises(InputError) as raised:
            read_csv(path)
        assert str(raised.value) == f"{path}: {reason}; expected a CSV file"


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a stand-in, since root, who runs tests in containers, may read everything."""

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"^x.csv: Permission denied; expected a CSV file$"):
        read_csv(Path("x.csv"))


def test_numbers_of_cells() -> None:
    assert [as_float(cell) for cell in ("1", " -2.5e3\t", "+.5", "1e400")] == [1, -2500, 0.5, 1e999]
    assert as_float("\xa07") == 7  # some programs pad with no-break spaces
    for text in ("", "x", "1_000", "1,5", "1 000", "0x10", "１", "٣", "−1", "1e", "--1"):
        assert as_float(text) is None, text


#: Anything but what the file's encoding cannot hold.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=9)


@settings(fewer(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(texts, min_size=2, max_size=2).filter(lambda r: any(map(str.strip, r)))),
    mark=st.sampled_from(["", "\ufeff"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_text_is_read_back(tmp_path: Path, rows: list[list[str]], mark: str, end: str) -> None:
    """Each row in the line that it began in when it was written."""
    out, lines = io.StringIO(newline=""), []
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    for row in [["p", "q"], ["one row", "at least"], *rows]:
        # Written with \n alone, the rows so far have as many lines as there are ends of lines.
        so_far = out.getvalue().replace("\r\n", "\n").replace("\r", "\n")
        lines.append(so_far.count("\n") + 1)
        writer.writerow(row)
    table = read_csv(written(tmp_path, mark + out.getvalue()))
    assert [row.cells for row in table.rows] == [["one row", "at least"], *rows]
    assert [row.line for row in (table.header, *table.rows)] == lines
