"""The timing script: what is timed is right, and what is wrong or absent gets no time."""

import json
import shutil
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import contenders, rounds, training
from benchmarks.contenders import CONTENDERS, Contender
from compare.experiment import Settings

BRIEF = Settings(init="ones", epochs=5)


@pytest.fixture(autouse=True)
def brief_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(rounds, "PAUSE_SECONDS", 0)


def test_all_are_gated_and_timed() -> None:
    rows = training.measure(3, BRIEF)
    assert [row.name for row in rows] == [*CONTENDERS, training.AGAIN]
    for row in rows:
        if shutil.which("cc") or not row.name.startswith("C,"):
            assert (row.note, row.median_ms is not None) == ("", True)


def test_a_wrong_contender_gets_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One forgets the square of the loss, one changes its answer while it is timed."""

    def half(*arguments: Any) -> Contender:
        right = contenders.article_loop(*arguments)
        return Contender(right.run, lambda path: right.read(path) * (1 + 1e-12))

    def forgetful(*arguments: Any) -> Contender:
        right, calls = contenders.article_loop(*arguments), []
        return Contender(
            right.run, lambda path: right.read(path) + (calls.append(1) or len(calls) > 1)
        )

    for name, make in (("off", half), ("forgetful", forgetful)):
        monkeypatch.setitem(CONTENDERS, name, (make, "article"))
    rows = {row.name: row for row in training.measure(3, BRIEF)}
    assert rows["off"].note.startswith("wrong: w1 in epoch 0")
    assert rows["forgetful"].note.startswith("wrong: another answer than before timing")
    assert rows["off"].median_ms is rows["forgetful"].median_ms is None
    monkeypatch.setattr(training, "measure", lambda rounds, on_round: list(rows.values()))
    assert CliRunner().invoke(training.main, []).exit_code == 1


def test_an_absent_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders.shutil, "which", lambda _: None)
    (row,) = (row for row in training.measure(3, BRIEF) if row.name.startswith("C,"))
    assert row.note == "absent: no C compiler: there is no cc on the path"


def test_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = training.measure(3, BRIEF)
    monkeypatch.setattr(training, "measure", lambda rounds, on_round: rows)
    shown = CliRunner().invoke(training.main, ["--rounds", "3"])
    assert shown.exit_code == 0
    assert "(goal: at least 100)" in shown.output
    answer = json.loads(CliRunner().invoke(training.main, ["--json"]).output)
    assert [row["name"] for row in answer["rows"]] == [*CONTENDERS, training.AGAIN]
    assert np.isfinite(answer["rows"][0]["median_ms"])
