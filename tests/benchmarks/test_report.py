"""How results read; whole outputs are in tests/test_snapshots.py."""

from dataclasses import replace

import pytest

from benchmarks import names
from benchmarks.report import units
from benchmarks.report.lines import busy, closing, lines, missing, title
from benchmarks.report.whole import last_word
from benchmarks.results import CONTENDER, Row
from tests.benchmarks.sure import DIGITS, SAMPLE, row_of, stored, stored_cell, sure


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (units.seconds(0.9996e-3), "1.00 ms"),
        (units.seconds(4.15e-7), "415 ns"),
        (units.seconds(3e-12), "0.00 ns"),
        (units.interval(1.31e-3, 1.42e-3), "1.31 to 1.42 ms"),
        (units.digits(12345), "12,345"),
        (units.many(7), "7"),
        (units.many(1024), "1,020"),
        (units.percent(0.0004), "< 0.1 %"),
        (units.size_in_bytes(12), "12 B"),
        (units.size_in_bytes(4.2e6), "4.20 MB"),
    ],
)
def test_numbers_have_three_digits_and_the_unit_that_fits(written: str, text: str) -> None:
    assert written == text


def test_what_an_earlier_version_has_timed_is_not_shown() -> None:
    cell = stored_cell(DIGITS)
    before = lines(cell), missing(cell)
    cell.rows.append(replace(row_of(cell, names.TORCH), name="another"))
    cell.rows.append(Row("one more", CONTENDER, absent="not installed"))
    assert (lines(cell), missing(cell)) == before
    cell.case = "tomorrow"
    assert ": of another version; " in title(cell)


def test_what_cannot_be_said_is_not() -> None:
    cell = stored_cell(DIGITS)
    cell.sees = 0.98
    row_of(cell, names.GRAD).counted_flops = 1.25 * sure(cell.flops)
    said = [*closing(cell)]
    assert "2.0 % of the gradient could be 0 and the gate not see it" in said
    assert any(line.startswith("XLA counts 1.25 times the operations") for line in said)
    cell.rows = [row for row in cell.rows if row.name == names.HAND]
    assert [line.split()[0] for line in closing(cell)] == ["2.0", "memory"]


def test_one_last_word_on_all() -> None:
    results = stored(SAMPLE, DIGITS)
    assert last_word(results).endswith("every answer right before and after it was timed.")
    for cell in results.cells:
        row_of(cell, names.HAND).wrong = "the loss: got 2, expected 1"
    assert last_word(results) == "2 wrong answers: no time for those."
    assert missing(results.cells[0])[0] == "hand-numpy: no time, wrong: the loss: got 2, expected 1"
    results.refused = ["a: nothing is seen"]
    assert last_word(results).startswith("2 wrong answers and 1 cell that could not be judged: no")
    assert last_word(replace(results, cells=[], refused=[])) == "Nothing was timed."
    results.fingerprint["load"] = 9.0
    assert busy(results)[0].startswith("Load 9.0 before the start: others run here, take it again")
