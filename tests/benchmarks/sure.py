"""What tests of timings share: the stored run, what they know to be there, how a command ends."""

import copy
import functools
import sys
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import pytest

from benchmarks.document import STORED
from benchmarks.results import Cell, Results, Row
from compare.exit_codes import run

T = TypeVar("T")

#: Three stored runs of the quick set, the last one with every contender slowed by a tenth.
FIRST, AGAIN, SLOWED = (
    STORED.parent / "comparison" / f"{run}.json" for run in ("first", "again", "slowed")
)

SAMPLE, DIGITS, W64 = "sample/1/float64/1", "digits/512/float32/1", "width/64/float32/1"

_load = functools.cache(Results.load)


def stored(*beginnings: str, file: Path = STORED) -> Results:
    """A copy of a stored run, of the cells whose labels begin so, or of all."""
    found = copy.deepcopy(_load(file))
    found.cells = [cell for cell in found.cells if cell.label.startswith(beginnings or ("",))]
    return found


def stored_cell(label: str) -> Cell:
    """A copy of a cell of the stored run, `case/size/dtype/threads`."""
    (cell,) = stored(f"{label}/").cells
    return cell


def sure(found: T | None) -> T:
    """What was found; the test fails if nothing was."""
    assert found is not None
    return found


def row_of(cell: Cell, name: str) -> Row:
    """The row of that name; the test fails if there is none."""
    return sure(cell.row(name))


def ended(*arguments: str) -> int:
    """The exit code of `python -m benchmarks`, in this process."""
    with patch.object(sys, "argv", ["", *arguments]), pytest.raises(SystemExit) as ending:
        run("benchmarks")
    assert isinstance(ending.value.code, int)
    return ending.value.code


def one_line(capsys: pytest.CaptureFixture[str], says: str) -> None:
    """Hold what was printed to one line of an error."""
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert says in shown.err
