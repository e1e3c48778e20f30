"""Attacks on files, command lines, processes and numbers: samples, and that they can fail."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import jax
import pytest

from tests.attack import cases
from tests.attack.cases import BrokenError, SkippedError
from tests.attack.extremes.table import table as extremes
from tests.attack.faults.table import stopped
from tests.attack.hostile import fuzz, lines
from tests.attack.hostile.files import KINDS
from tests.attack.mutants import command as mutants
from tests.attack.parts import PARTS, Part
from tests.attack.platforms import table as platforms
from tests.tiers import one_of_each

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def as_users_have_it() -> Iterator[None]:
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


@pytest.mark.parametrize("name", one_of_each([*KINDS], ["module"]))
def test_a_sample_of_mutated_files(name: str) -> None:
    (row,) = fuzz.batches(100, {name: [0]})
    assert row["defects"] == []
    assert row["tried"] == 100
    assert row["refused"] > 50


@pytest.mark.night
@pytest.mark.parametrize("program", lines.PROGRAMS)
def test_a_sample_of_command_lines(program: str) -> None:
    row = lines.batch(program, 8, Random(program))
    assert row["defects"] == []


def _raises(path: Path) -> None:
    if b"9" in path.read_bytes():
        raise KeyError("9")


def _runs(path: Path) -> None:
    exec(path.read_bytes()[:0])


def _writes(path: Path) -> None:
    path.write_bytes(b"other")


@pytest.mark.parametrize(
    ("read_it", "says"), [(_raises, "KeyError"), (_runs, "exec"), (_writes, "another now")]
)
def test_a_bad_reader_is_found(
    read_it: Callable[[Path], Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fuzzer = fuzz.Fuzzer("table to fit", tmp_path, fuzz.Watch(tmp_path))
    monkeypatch.setattr(fuzzer, "kind", replace(fuzzer.kind, read=read_it))
    row = fuzzer.batch(30, Random(0))
    assert row["found"] > 0
    assert says in row["defects"][0][0]


def test_what_a_command_line_must_not_do(tmp_path: Path) -> None:
    assert lines.wrong("compare", 2, "", "Error: no.\n") is None
    assert lines.wrong("compare", 70, "", "Traceback (most recent call last)")
    assert lines.wrong("compare", 2, "", "")
    assert lines.wrong("compare", 2, "", "Error: \x1b[2J.\n")
    (tmp_path / "model.npz").write_bytes(b"PK and no more")
    assert "not whole" in (lines.broken(tmp_path, {"model.npz": b"old"}, ()) or "")
    assert lines.broken(tmp_path, {"model.npz": b"PK and no more"}, ()) is None
    assert "gone" in (lines.broken(tmp_path, {"other.npz": b""}, ()) or "")
    (tmp_path / ".curve.svg").write_bytes(b"<svg/>")
    before = {"model.npz": b"PK and no more"}
    assert "left behind" in (lines.broken(tmp_path, before, ()) or "")
    assert lines.broken(tmp_path, before, ("plot", "sigmoid", ".curve.svg")) is None


def _skip() -> str:
    raise SkippedError("no such disk")


def _break() -> str:
    raise BrokenError("half a file")


@pytest.mark.parametrize(
    ("case", "outcome", "says"),
    [
        (lambda: "well", "held", "well"),
        (_skip, "skipped", "no such disk"),
        (_break, "broken", "half a file"),
        (lambda: str(1 / 0), "broken", "ZeroDivisionError"),
    ],
)
def test_outcomes_of_cases(case: cases.Case, outcome: str, says: str) -> None:
    row = cases.run(case, 100)
    assert row["outcome"] == outcome
    assert says in row["says"]


@pytest.mark.parametrize("part", PARTS[2:5], ids=lambda part: part.name)
def test_the_stored_cases_held(part: Part) -> None:
    """Or were skipped, with the reason; none is of a table that has changed since."""
    stored, shown = part.stored(), part.figures(part.stored())["rows"]
    assert len(shown) == len(stored) > 0
    assert [row["id"] for row in shown if row["outcome"] == "broken"] == []


def test_the_stored_inputs_were_refused_or_accepted() -> None:
    assert {row["id"]: row["found"] for row in PARTS[1].stored() if row.get("found")} == {}


def test_edits_are_counted_by_room_and_by_how_they_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = [{"id": str(at), "file": "manual/network.py", "old": ""} for at in range(4)]
    edits[1]["equivalent"] = "the last is the first"
    (tmp_path / "sample.json").write_text(json.dumps(edits))
    monkeypatch.setattr(mutants, "SAMPLE", tmp_path / "sample.json")
    rows = [
        {"id": f"{at} manual/network.py", "outcome": outcome}
        for at, outcome in enumerate(["timeout", "survived", "not covered"])
    ]
    shown = mutants.figures([*rows, {"id": "of another sample", "outcome": "killed"}])
    of_manual = {"decided": 3, "killed": 1, "equivalent": 1, "left": 1}
    assert shown["rooms"][0] == {"name": "manual", "edits": 4} | of_manual
    assert [edit["id"] for edit in shown["equivalent"]] == ["1"]


@pytest.mark.parametrize("fault", ["SIGTERM", "Ctrl-C"])
def test_a_plot_that_is_stopped(fault: str) -> None:
    assert "file" in stopped("plot", fault, 1)


@pytest.mark.night
def test_a_sample_of_extremes() -> None:
    table = extremes()
    for key in Random(0).sample([key for key in table if not key.startswith("sizes")], 25):
        row = cases.run(table[key], 60)
        assert row["outcome"] == "held", (key, row["says"])


@pytest.mark.parametrize("room", platforms.ROOMS)
def test_what_is_imported_is_declared(room: str) -> None:
    assert platforms.declared(room)
