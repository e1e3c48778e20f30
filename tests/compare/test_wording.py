import os
from pathlib import Path

from compare.wording import no_such_file, quoted, shown


def test_what_others_wrote_stays_on_one_line() -> None:
    assert shown("height (cm)") == "height (cm)"
    assert shown("a\nb\x1b[2J") == r"'a\nb\x1b[2J'"
    assert shown("") == "''"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == "x" * 59 + "…"
    assert quoted("  it's\t7 ") == r'''"it's\t7"'''
    assert quoted("x" * 61) == f"'{'x' * 59}…'"
    assert quoted("x" * 60) == f"'{'x' * 60}'"


def test_no_such_file(tmp_path: Path) -> None:
    known = ["wine", "iris"]
    for text in ("a\0b", "a\nb", f"{__file__}{os.sep}table.csv"):
        said = no_such_file(text, known)
        assert said is not None
        assert said.endswith("no such file; expected a CSV file or one of wine, iris")
        assert said.isprintable()
    assert no_such_file(str(tmp_path), known) is None
    assert no_such_file("x" * 300, known) is None  # too long a name: reading it says so
