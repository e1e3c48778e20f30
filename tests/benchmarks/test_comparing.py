"""Two runs: the same again is a tie, a tenth slower is worse, machines are compared by floors."""

import json
from collections.abc import Callable

import pytest

from benchmarks import names
from benchmarks.comparing import BETTER, WORSE, Comparison, compare
from benchmarks.results import CONTENDER, FLOOR, PYTHON, Results, Row
from benchmarks.statistics import TIE
from tests.benchmarks.sure import AGAIN, FIRST, SLOWED, ended, row_of, stored


def scaled(results: Results, times: Callable[[Row], float]) -> Results:
    """Results whose rows take so many times as long."""
    for cell in results.cells:
        for row in cell.rows:
            row.samples = [[times(row) * s for s in process] for process in row.samples]
    return results


def elsewhere(results: Results) -> Results:
    results.about["processor"] = "Another CPU"
    return results


def share(found: Comparison, verdict: str) -> float:
    return len(found.of(verdict)) / len(found.changes)


def test_the_same_again_is_a_tie_and_a_tenth_slower_is_worse() -> None:
    first, again, slowed = (stored(file=file) for file in (FIRST, AGAIN, SLOWED))
    found = compare(first, again)
    assert (share(found, TIE), found.by_floor, found.missing) == (1, [], [])
    assert share(compare(first, slowed), WORSE) >= 0.9
    assert share(compare(slowed, first), BETTER) >= 0.9


def test_on_another_machine_floors_are_compared() -> None:
    """Everything takes twice as long there, the floor too: times say nothing, ratios say a tie."""
    here, there = stored(file=FIRST), scaled(stored(file=AGAIN), lambda _: 2.0)
    assert share(compare(here, there), WORSE) == 1
    found = compare(here, elsewhere(there))
    assert found.by_floor == ['processor: "AMD EPYC" and "Another CPU"']
    assert share(found, TIE) >= 0.8
    slower = scaled(stored(file=AGAIN), lambda row: 1.0 if row.kind == FLOOR else 2.0)
    assert share(compare(here, elsewhere(slower)), WORSE) >= 0.9


def test_what_has_become_wrong_or_is_refused_is_named() -> None:
    one, other = stored(file=FIRST), stored(file=AGAIN)
    row_of(other.cells[0], "c").wrong = "the loss: got 2, expected 1"
    found = compare(one, other)
    where = f"{one.cells[0].label}: c"
    assert found.missing == [(where, "no time in the second: wrong: the loss: got 2, expected 1")]
    assert found.wrong == [f"{where}: the loss: got 2, expected 1"]
    assert found.last_word().endswith(", 1 wrong or refused")
    gone = other.cells.pop(0)
    other.refused = [f"{gone.label}: the gate would see nothing"]
    found = compare(one, other)
    assert len(found.missing) == len(one.cells[0].timed(CONTENDER))
    assert {why for _, why in found.missing} == {
        "no time in the second: the gate would see nothing"
    }
    assert found.wrong == other.refused


def test_what_only_one_of_two_runs_had_makes_no_other_machine() -> None:
    """Workers of one thread and of all; a library that is a row of its own in one of them."""
    one, other = stored(file=FIRST), stored(file=AGAIN)
    other.about["workers"]["all"] = {"device": "cpu"}
    versions = other.about["versions"]
    versions["torch"] = "2.0"
    assert compare(one, other).by_floor == []
    versions["numpy"] = "2.2.0"
    assert compare(one, other).by_floor == ['versions: {"numpy": "2.4.6"} and {"numpy": "2.2.0"}']


def test_a_row_without_a_floor_is_named_where_floors_are_compared() -> None:
    here, there = stored(file=FIRST), elsewhere(stored(file=AGAIN))
    cell = there.cells[0]
    cell.rows = [row for row in cell.rows if row.name != names.EMPTY_CALL]
    rows = [found for found in compare(here, there).missing if found[0].startswith(cell.label)]
    assert (f"{cell.label}: c", "no floor to compare it by") in rows
    assert len(rows) == sum(row.called == PYTHON for row in cell.timed(CONTENDER))


def test_the_command_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("compare", str(FIRST), str(SLOWED), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["compared"] == "times"
    keys = {"cell", "row", "ratio", "interval", "noise", "verdict", "dispatch_bound"}
    assert {*found["changes"][0]} == keys
