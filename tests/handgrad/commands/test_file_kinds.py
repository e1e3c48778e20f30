"""A file is what its bytes say, whatever its name."""

import os
from pathlib import Path

import pytest

from handgrad.commands.file_kinds import FIRST, kind_of
from tests.files_of_kinds import CONTENTS


@pytest.mark.parametrize(("kind", "content"), CONTENTS, ids=[kind for kind, _ in CONTENTS])
def test_python_and_what_is_taken_for_it_are_told_from_the_rest(
    tmp_path: Path, kind: str, content: bytes
) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(content)
    known = ("Python code", "a Jupyter notebook")
    assert kind_of(path) == kind if kind in known else kind_of(path) in ("text", "binary data")


TEXTS = {
    "PK,name\n1,a\n2,b\n": "a CSV file",
    "MZ;intensity\n1.5;2\n": "a CSV file",
    "PAR1\tPAR2\n1\t2\n": "a CSV file",
    "height,weight\n1,2\nimported,x\n": "a CSV file",
    '"height, in cm",weight\n1,2\n': "a CSV file",
    "one, two;\nthree, four;\n": "text",
    "one,1\ntwo,2,3\n": "text",
    "\n# mine\n'''Mine.'''\nfrom math import pi\n": "Python code",
    "f = lambda w: 2 * w\n\ndef loss(w): ...\n": "Python code",
    "def loss(w): return '\\d'\n": "Python code",
    "import numpy as np\nloss(:\n": "text",  # its error is Python's to report
    "Note: this\nimport this\n": "text",
    "one\nimport two\n": "text",
    "one = 1\ntwo = [2, 3]\n": "text",  # settings, which may be of any program
    "a word\nand another\n": "text",
    "[1, 2]": "JSON",
    '{"a": 1}': "JSON",
    '{"a": 1': "text",
    "{not JSON}": "text",
    "": "an empty file",
}


@pytest.mark.parametrize("text", TEXTS)
def test_kinds_of_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.png"
    path.write_text(text)
    assert kind_of(path) == TEXTS[text]


def test_text_in_an_old_encoding_is_text(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes("city,people\nZürich,“many”\nBern,144\n".encode("cp1252"))
    assert kind_of(path) == "a CSV file"


def test_a_long_file_of_python_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text(f"import math\n\nLONG = '{FIRST * 'x'}'\n")
    assert kind_of(path) == "Python code"


def test_a_character_that_is_cut_off_where_reading_ends(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("x\x01" * (FIRST // 2 - 1) + "x" + "∂" * 9, encoding="utf-8")
    assert kind_of(path) == "text"


def test_what_is_no_file_has_no_kind(tmp_path: Path) -> None:
    assert kind_of(tmp_path) == "a folder"
    assert kind_of(tmp_path / "absent") is None
    assert kind_of(tmp_path / ("x" * 300)) is None
    assert kind_of(Path("a\x00b")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_nothing_is_taken_from_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else is going to read it."""
    os.mkfifo(tmp_path / "pipe")

    def opened(*_: object) -> None:
        raise AssertionError("the pipe was opened")

    monkeypatch.setattr(Path, "open", opened)
    assert kind_of(tmp_path / "pipe") is None
