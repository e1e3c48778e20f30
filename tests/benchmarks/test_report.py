"""How results read; whole outputs are in tests/test_snapshots.py."""

from dataclasses import replace

import pytest

from benchmarks import names
from benchmarks.report import units
from benchmarks.report.whole import closing, last_word, lines, title
from tests.benchmarks.sure import DIGITS, SAMPLE, row_of, stored, stored_cell


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (units.seconds(0.9996e-3), "1.00 ms"),
        (units.seconds(3e-12), "0.00 ns"),
        (units.interval(1.31e-3, 1.42e-3), "1.31 to 1.42 ms"),
        (units.digits(12345), "12,345"),
        (units.many(1024), "1,020"),
        (units.percent(0.0004), "< 0.1 %"),
        (units.size_in_bytes(12), "12 B"),
        (units.size_in_bytes(4.2e6), "4.20 MB"),
    ],
)
def test_numbers_have_three_digits_and_the_unit_that_fits(written: str, text: str) -> None:
    assert written == text


def test_what_is_doubtful_is_said() -> None:
    """What an earlier version has timed is not shown; a wrong answer is counted at the end."""
    cell = stored_cell(DIGITS)
    cell.sees = 0.98
    assert "2.0 % of the gradient could be 0 and the gate not see it" in [*closing(cell)]
    before = lines(cell)
    cell.rows.append(replace(row_of(cell, names.TORCH), name="another"))
    assert lines(cell) == before
    assert ": of another version; " in title(replace(cell, case="tomorrow"))
    results = stored(SAMPLE, DIGITS)
    results.refused = ["a: nothing is seen"]
    assert last_word(results).startswith("1 cell that could not be judged: no")
    row_of(results.cells[0], names.HAND).wrong = "the loss: got 2, expected 1"
    assert last_word(results).startswith("1 wrong answer and 1 cell that could not be judged: no")
