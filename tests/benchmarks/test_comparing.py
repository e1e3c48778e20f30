"""Two runs: the same again is a tie, a tenth slower is worse, machines are compared by floors."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import names
from benchmarks.comparing import BETTER, WORSE, Comparison, compare
from benchmarks.report.changes import last_word, show
from benchmarks.results import CONTENDER, PYTHON, Results
from benchmarks.statistics import TIE
from tests.benchmarks.made_results import made_results
from tests.benchmarks.sure import ended, one_line, row_of

#: Enough rows to count verdicts of.
MANY = ("sample", "training", "digits", "mass")


def run(
    seed: int,
    slower: Callable[[str], float] = lambda _: 1.0,
    cases: tuple[str, ...] = ("sample", "training"),
) -> Results:
    """Made-up results, their contenders so much slower."""
    results = made_results(cases, seed)
    for cell in results.cells:
        for row in cell.rows:
            if row.kind != "floor":
                row.samples = [[slower(row.name) * s for s in process] for process in row.samples]
    return results


def share(found: Comparison, verdict: str) -> float:
    return len(found.of(verdict)) / len(found.changes)


def test_the_same_again_is_a_tie() -> None:
    found = compare(run(1, cases=MANY), run(2, cases=MANY))
    assert len(found.changes) > 90
    assert share(found, TIE) >= 0.9
    assert (found.by_floor, found.missing) == ([], [])


def test_a_tenth_slower_is_worse_and_faster_is_better() -> None:
    assert share(compare(run(1), run(2, lambda _: 1.1)), WORSE) >= 0.9
    assert share(compare(run(1, lambda _: 1.1), run(2)), BETTER) >= 0.9


def test_on_another_machine_floors_are_compared() -> None:
    """Everything takes twice as long there, the floor too: times say nothing, ratios say a tie."""
    here, there = run(1), run(2, lambda _: 2.0)
    there.fingerprint = {**there.fingerprint, "processor": "Another CPU"}
    for cell in there.cells:
        for row in cell.rows:
            if row.kind == "floor":
                row.samples = [[2 * s for s in process] for process in row.samples]
    found = compare(here, there)
    assert found.by_floor == ['processor: "Made-up CPU @ 2.60GHz" and "Another CPU"']
    assert share(found, TIE) >= 0.8
    there.fingerprint = here.fingerprint
    assert share(compare(here, there), WORSE) == 1


def test_what_has_become_wrong_or_is_refused_is_named() -> None:
    one, other = run(1), run(2)
    row_of(other.cells[0], "c").wrong = "the loss: got 2, expected 1"
    found = compare(one, other)
    where = f"{one.cells[0].label}: c"
    assert found.missing == [f"{where}: no time in the second: wrong: the loss: got 2, expected 1"]
    assert found.wrong == [f"{where}: the loss: got 2, expected 1"]
    assert last_word(found).endswith(", 1 wrong or refused")
    gone = other.cells.pop(0)
    other.refused = [f"{gone.label}: the gate would see nothing"]
    found = compare(one, other)
    assert len(found.missing) == len(one.cells[0].timed(CONTENDER))
    assert all("in the second: the gate would see nothing" in line for line in found.missing)
    assert found.wrong == other.refused


def test_what_only_one_of_two_runs_had_makes_no_other_machine() -> None:
    """Workers of one thread and of all; a library that is a row of its own in one of them."""
    one, other = run(1), run(2)
    workers = {"1": {"device": "cpu"}, "all": {"device": "cpu"}}
    one.fingerprint = {**one.fingerprint, "workers": {"1": workers["1"]}}
    other.fingerprint = {**other.fingerprint, "workers": workers}
    versions = {**other.fingerprint["versions"], "torch": "2.0"}
    other.fingerprint = {**other.fingerprint, "versions": versions}
    assert compare(one, other).by_floor == []
    other.fingerprint = {**other.fingerprint, "versions": {**versions, "numpy": "2.2.0"}}
    assert compare(one, other).by_floor == ['versions: {"numpy": "2.3.0"} and {"numpy": "2.2.0"}']


def test_rows_that_share_their_reason_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = run(1), run(2)
    gone = other.cells.pop(0)
    rows = len(one.cells[0].timed(CONTENDER))
    row_of(other.cells[0], "c").absent, row_of(other.cells[0], "c").samples = "no compiler", []
    show(compare(one, other), Console(width=200))
    said = capsys.readouterr().out.splitlines()
    assert f"{other.cells[0].label}: c: no time in the second: no compiler" in said
    (line,) = (line for line in said if line.startswith(f"{rows} rows, {gone.label}: "))
    assert line.endswith(" for one: no time in the second: it was not asked for")


def test_a_row_without_a_floor_is_named_where_floors_are_compared() -> None:
    here, there = run(1), run(2)
    there.fingerprint = {**there.fingerprint, "processor": "Another CPU"}
    cell = there.cells[0]
    cell.rows = [row for row in cell.rows if row.name != names.EMPTY_CALL]
    lines = [line for line in compare(here, there).missing if line.startswith(cell.label)]
    assert f"{cell.label}: c: no floor to compare it by" in lines
    assert len(lines) == sum(row.called == PYTHON for row in cell.timed(CONTENDER))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for name, results in (("a", run(1)), ("b", run(2)), ("c", run(2, lambda _: 1.1))):
        files.append(str(tmp_path / f"{name}.json"))
        results.save(Path(files[-1]))
    same, slower = ended("compare", *files[:2]), ended("compare", files[0], files[2])
    assert (same, slower) == (0, 1)
    out = capsys.readouterr().out
    assert "tie up to" in out
    assert ended("compare", files[0], files[2], "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["compared"] == "times"
    assert {"cell", "row", "ratio", "interval", "noise", "verdict"} <= set(found["changes"][0])


def test_files_that_cannot_be_compared_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    run(1).save(a)
    assert ended("compare", str(a), str(b)) == 2
    one_line(capsys, "No such file")
    run(1, cases=("digits",)).save(b)
    assert ended("compare", str(a), str(b)) == 2
    one_line(capsys, "no row in common")


@pytest.mark.slow
def test_a_closed_pipe_is_no_wrong_answer(tmp_path: Path) -> None:
    """It ended with 1, which is what a row that became worse ends with."""
    run(1).save(tmp_path / "a.json")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "benchmarks", "table", str(tmp_path / "a.json")]
    found = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")
