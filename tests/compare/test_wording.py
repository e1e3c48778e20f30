import os
from pathlib import Path

import pytest

from compare.wording import listed, near_miss, no_such_file, quoted, shown


def test_what_others_wrote_stays_on_one_line() -> None:
    assert shown("height (cm)") == "height (cm)"
    assert shown("a\nb\x1b[2J") == r"'a\nb\x1b[2J'"
    assert shown("") == "''"
    assert shown("x" * 60) == "x" * 60
    assert shown("x" * 61) == "x" * 59 + "…"
    assert quoted("  it's\t7 ") == r'''"it's\t7"'''
    assert quoted("x" * 61) == f"'{'x' * 59}…'"
    assert quoted("x" * 60) == f"'{'x' * 60}'"


def test_long_lists_are_cut() -> None:
    twelve = [f"x{j}" for j in range(12)]
    assert listed(twelve) == ", ".join(twelve)
    assert listed([*twelve, "y"]) == ", ".join(twelve) + ", … (13 in all)"


def test_what_was_perhaps_meant() -> None:
    assert near_miss("Iris", ["wine", "iris"]) == " (did you mean 'iris'?)"
    assert near_miss("table.csv", ["wine", "iris"]) == ""


@pytest.mark.parametrize("text", ["win", "", "a\0b", "a\nb"])
def test_no_such_file(text: str) -> None:
    hint = " (did you mean 'wine'?)" if text == "win" else ""
    name = text if text == "win" else repr(text)
    expected = f"{name}: no such file{hint}; expected a CSV file or one of wine, iris"
    assert no_such_file(text, ["wine", "iris"]) == expected


def test_files_and_what_only_their_reader_can_say(tmp_path: Path) -> None:
    assert no_such_file(str(tmp_path), ["wine"]) is None
    assert no_such_file("x" * 300, ["wine"]) is None  # too long a name: reading it says so
    inside = f"{__file__}{os.sep}table.csv"
    assert no_such_file(inside, ["wine"]) is not None
