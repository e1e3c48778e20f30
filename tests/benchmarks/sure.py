"""What tests know to be there, and how a command ends."""

import sys
from typing import Any, TypeVar
from unittest.mock import patch

import pytest

from benchmarks.cli import main
from benchmarks.results import Cell, Row

T = TypeVar("T")


def sure(found: T | None) -> T:
    """What was found; the test fails if nothing was."""
    assert found is not None
    return found


def row_of(cell: Cell, name: str) -> Row:
    """The row of that name; the test fails if there is none."""
    return sure(cell.row(name))


def ended(*arguments: str, of: Any = main) -> int:
    """The exit code of `python -m benchmarks`, or of another command, in this process."""
    with patch.object(sys, "argv", ["", *arguments]), pytest.raises(SystemExit) as ending:
        of()
    assert isinstance(ending.value.code, int)
    return ending.value.code


def one_line(capsys: pytest.CaptureFixture[str], says: str) -> None:
    """Hold what was printed to one line of an error."""
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert says in shown.err
