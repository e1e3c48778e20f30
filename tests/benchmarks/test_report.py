"""How results read: numbers in units, a line a row, and one last word."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks import names
from benchmarks.report import units
from benchmarks.report.lines import closing, lines, missing, title
from benchmarks.report.short import short
from benchmarks.report.summary import summary
from benchmarks.report.terminal import show
from benchmarks.results import CONTENDER, Row
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import row_of, sure


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.5, "1.50 s"),
        (0.9996e-3, "1.00 ms"),
        (4.15e-7, "415 ns"),
        (3e-12, "0.00 ns"),
    ],
)
def test_times_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert units.seconds(seconds) == text


def test_numbers_have_three_digits() -> None:
    assert [units.digits(value) for value in (0.123, 1.234, 12.34, 123.4, 12345)] == [
        "0.12", "1.23", "12.3", "123", "12,345",
    ]  # fmt: skip
    assert [units.many(value) for value in (7, 1024)] == ["7", "1,020"]
    assert [units.percent(value) for value in (0.0004, 0.667)] == ["< 0.1 %", "66.7 %"]
    assert [units.size_in_bytes(value) for value in (12, 4.2e6)] == ["12 B", "4.20 MB"]
    assert units.interval(1.31e-3, 1.42e-3) == "1.31 to 1.42 ms"


def test_a_case_of_another_version_has_a_title() -> None:
    (cell,) = made_results(("digits",)).cells
    cell.case = "tomorrow"
    assert ": of another version; " in title(cell)


def test_every_row_has_every_column() -> None:
    (cell,) = made_results(("digits",)).cells
    found = lines(cell)
    assert [line.name for line in found][-1] == names.AGAIN
    for line in found:
        assert all(text for at, text in enumerate(line) if at != line.index(line.word))
    words = {line.name: line.word for line in found}
    assert words.pop(names.GRAD) == ""
    assert words.pop(names.AGAIN) == "noise"
    assert set(words.values()) <= {"tie", "faster", "slower"}


def test_what_an_earlier_version_has_timed_is_not_shown() -> None:
    (cell,) = made_results(("digits",)).cells
    before = lines(cell), missing(cell)
    cell.rows.append(replace(row_of(cell, names.TORCH), name="mygrad"))
    cell.rows.append(Row("micrograd", CONTENDER, absent="not installed"))
    assert (lines(cell), missing(cell)) == before


def test_what_follows_is_said_and_what_cannot_be_said_is_not() -> None:
    (cell,) = made_results(("digits",)).cells
    text = "\n".join(closing(cell))
    for what in ("floor: a call of Python", "noise: ratios", "compiler gain", "the first call of"):
        assert what in text
    assert missing(cell) == [
        "scikit-learn: no time, wrong: dw of layer 1 is off by 3e-2 at [0, 1]",
        "not timed: torch-compile: not installed: pip install --group peers",
    ]
    cell.rows = [row for row in cell.rows if row.name == names.HAND]
    assert closing(cell) == []


def test_the_screen_ends_with_one_word_on_all() -> None:
    results = made_results(("sample", "digits"))
    results.fingerprint = {**results.fingerprint, "gpus": [], "load": 9.0}
    out = io.StringIO()
    show(results, Console(file=out, width=80))
    shown = out.getvalue()
    assert "Load 9.0 before the start: others run here, take it again" in shown
    assert shown.splitlines()[-1] == "2 wrong answers: no time for those."
    for cell in results.cells:
        assert title(cell) in shown
        for line in lines(cell):
            assert re.search(rf"^{line.name} +{re.escape(names.LABELS[line.name])}$", shown, re.M)
        cell.rows = [row for row in cell.rows if not row.wrong]
    show(results, Console(file=out, width=80))
    assert out.getvalue().endswith("every answer right before and after it was timed.\n")


def test_what_the_gate_does_not_see_and_what_xla_counts_is_said() -> None:
    (cell,) = made_results(("digits",)).cells
    assert not any("of the gradient could be 0" in line for line in closing(cell))
    cell.sees = 0.98
    row_of(cell, names.GRAD).counted_flops = 1.25 * sure(cell.flops)
    said = closing(cell)
    assert "2.0 % of the gradient could be 0 and the gate not see it" in said
    assert any(line.startswith("XLA counts 1.25 times the operations") for line in said)


def test_what_the_cells_say_together() -> None:
    """Along an axis of made-up times: the line that they were made of, who wins, how they grow."""
    said = summary(made_results(("width",)))
    axis = "width/float32/all/highest/cpu"
    (fitted,) = (line for line in said if line.startswith(f"{axis}: hand-jit = "))
    assert re.search(r"= 10\.\d µs \+ FLOPs / \(5\d\.\d GFLOP/s\), off by", fitted)
    batch = summary(made_results(("batch-2-2-1",)))
    where = "batch-2-2-1/float32/all/highest/cpu"
    (crossing,) = (line for line in batch if line.startswith(f"{where}: hand-numpy until "))
    assert crossing.endswith("from where on grad-jit is faster")
    assert any(
        f"{axis}: grad-jit / loss-jit grows as parameters to the 0." in line for line in said
    )


def test_the_short_table_has_a_line_a_cell() -> None:
    results = made_results(("sample", "digits"))
    results.fingerprint = {**results.fingerprint, "gpus": ["A GPU, 1.0, 80 GiB"]}
    found = short(results).splitlines()
    assert found[0] == "A GPU, 1.0, 80 GiB"
    assert [line.split()[0] for line in found[2:4]] == [cell.label for cell in results.cells]
    assert found[-1] == "2 wrong answers: no time for those."
