"""The harness stops what must be stopped and loses no answer; the command says what is wrong."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from benchmarks.checkers import cases, contenders, run, tables
from benchmarks.checkers import results as results_module
from benchmarks.checkers.cases import (
    GRADIENTS,
    NO_ANSWER,
    RIGHT,
    SIZED,
    TIMES,
    WRONG,
    Case,
    Question,
)
from benchmarks.checkers.results import Answer, Check, Results
from benchmarks.checkers.run import answered, asked
from benchmarks.process import WorkerError
from tests.benchmarks.planted_checkers import (
    ALWAYS_RIGHT,
    ALWAYS_WRONG,
    a_case,
    asked_here,
    contender,
    elementary,
    known,
    never_ends,
    results,
    says_where,
    unbuilt,
    waits,
)
from tests.benchmarks.sure import ended, one_line, sure

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "asked", asked_here)


@pytest.mark.usefixtures("here")
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """And passes over what is not installed."""
    out, asked = tmp_path / "results.json", [a_case(slug) for slug in ("exchanged", "half-mse")]
    made, absent = results(), replace(ALWAYS_RIGHT, name="absent")
    made.contenders["absent"] = "not installed"
    made.planted = {case.id: known() for case in asked}

    def interrupt(_: Any, case: Case, check: Check | None) -> None:
        if check is None and case.what == "half-mse":
            raise KeyboardInterrupt

    everyone = run.left(made, [absent, ALWAYS_RIGHT, ALWAYS_WRONG], asked)
    with pytest.raises(KeyboardInterrupt):
        run.run(made, everyone, out, interrupt)
    half, again = Results.load(out), []
    assert [check.what for check in half.checks] == ["exchanged"]
    rest = run.left(half, [ALWAYS_RIGHT, ALWAYS_WRONG], asked)
    run.run(half, rest, out, lambda *told: again.append(told))
    assert len(again) == 2 * 3
    found = Counter(check.what for check in Results.load(out).checks)
    assert found == {"exchanged": 2, "half-mse": 2}


def test_others_are_timed_where_it_takes_no_minutes() -> None:
    made, every = results(TIMES), cases.cases(TIMES)
    of_gradients = contenders.of(GRADIENTS)
    made.contenders = {each.name: None for each in of_gradients}
    for each in of_gradients:
        names = {case.subject for _, case in run.left(made, [each], every)}
        if each.keeps:
            assert names == {*SIZED}
        else:
            few = each.largest == contenders.FEW
            assert max(Case(TIMES, RIGHT, name, TIMES).build().elements for name in names) == (
                4_810 if few else 669_706
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "reason"),
    [("waits", "time"), ("works", "time"), ("dies", "crashed"), ("eats", "memory")],
)
def test_what_does_not_come_to_an_end_is_ended(how: str, reason: str) -> None:
    """And a next question is answered by another process."""
    limit = 0.5 if reason == "time" else 60  # ten times that, since it waits and does not work
    who, memory = contender("planted", partial(never_ends, how)), 2 ** (30 if how == "eats" else 33)
    about = (who, a_case("half-mse")), (who, a_case("half-mse", elementary))
    ended, after = asked(about, limit, memory)
    (answer,), (right,) = ended[1], after[1]
    assert (answer.verdict, answer.reason) == (NO_ANSWER, reason)
    assert answer.seconds < 500, "left to itself it would take ten minutes"
    assert right.verdict == RIGHT


@pytest.mark.slow
def test_what_waits_for_a_busy_machine_is_not_stopped() -> None:
    """The limit is one of processors; on the clock it may go by ten times."""
    who, about = contender("planted", partial(waits, 1.5)), a_case("half-mse", elementary)
    ((_, (answer,)),) = asked([(who, about)], 0.5)
    assert answer.verdict == RIGHT


def test_waiting_takes_no_processor_and_the_work_of_children_does() -> None:
    def works_elsewhere(_: Question) -> None:
        subprocess.run([sys.executable, "-S", "-c", "sum(range(10**6))"], check=True)

    waited = answered(contender("planted", partial(waits, 0.1)), elementary())
    assert waited.seconds >= 0.1 > sure(waited.cpu)
    assert sure(answered(contender("planted", works_elsewhere), elementary()).cpu) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [False, True])
def test_what_is_timed_has_processes_of_its_own_and_the_rest_a_warm_one(keeps: bool) -> None:
    """Later calls are those of the first one; other parameters are for what keeps its answers."""
    case = a_case("half-mse", questions=TIMES, calls=3)
    about = a_case("half-mse"), a_case("exchanged"), case, replace(case, calls=1)
    who = contender("planted", says_where, keeps)
    found = asked([(who, each) for each in about], 60)
    _, ((warm,), (after,), first, (second,)) = zip(*found, strict=True)
    assert [answer.call for answer in first] == [0, 1, 2]
    before, same, *calls, last = (a.message.split()[0] for a in (warm, after, *first, second))
    assert before == same
    assert len({*calls}) == 1
    assert len({before, calls[0], last}) == 3
    assert len({answer.message for answer in first}) == (3 if keeps else 1)
    assert first[0].elements == 8


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_a_killed_run_leaves_no_process_behind() -> None:
    code = """
import functools
from benchmarks.checkers.run import answer
from benchmarks.process import Worker
from tests.benchmarks.planted_checkers import a_case, contender, never_ends
if __name__ == "__main__":
    hangs, worker = contender("hangs", functools.partial(never_ends, "waits")), Worker()
    for _ in worker.ask(answer, hangs, a_case("half-mse")):
        print(worker.pid, flush=True)  # it is built: now it hangs
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        process = Path("/proc", parent.stdout.readline().decode().strip())
        assert process.exists()
        parent.kill()
    ending = time.monotonic() + 30
    while process.exists() and "Z" not in (process / "stat").read_text().split()[2]:
        assert time.monotonic() < ending, "it goes on without its parent"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_case_that_cannot_be_built_is_no_answer_of_the_checker() -> None:
    with pytest.raises(WorkerError, match="always right: KeyError: 'no such model'"):
        next(asked([(ALWAYS_RIGHT, a_case("half-mse", unbuilt))], 60))


def test_without_torch_the_command_says_what_to_install_and_shows_what_is_stored(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find: Callable[[str], Any] = util.find_spec
    monkeypatch.setattr(
        "benchmarks.commands.checkers.find_spec",
        lambda name: None if name == "torch" else find(name),
    )
    for option in ([], ["--subject", "layer-norm"]):
        assert ended("checkers", "--questions", "torch", *option) == 2
        one_line(capsys, "torch is not installed: ")
    stored = str(results_module.stored("torch"))
    assert ended("checkers", "--table", stored, "--json") == 0
    shown, kept = json.loads(capsys.readouterr().out), json.loads(Path(stored).read_text("utf-8"))
    assert shown | {"calibration": []} == kept, "earlier runs have what is not taken any more"


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, here: None, tmp_path: Path) -> None:  # noqa: ARG001
    """The whole command with a checker and two cases in this process."""
    monkeypatch.setattr(contenders, "CONTENDERS", (ALWAYS_WRONG,))
    monkeypatch.setattr(results_module, "STORED", tmp_path / "stored")

    def few(*_: Any) -> list[Case]:
        return [a_case(what, part=RIGHT) for what in ("tiny", "huge")]

    monkeypatch.setattr(cases, "cases", few)


@pytest.mark.usefixtures("little")
def test_a_run_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes on only where it began, with the same options; it may take more than a day."""
    out = tmp_path / "results.json"
    run = ("checkers", "--out", str(out))
    assert ended(*run) == 0
    shown, made = capsys.readouterr(), Results.load(out)
    assert shown.out == tables.markdown(made)
    assert "1/2 always wrong: linear, tiny: wrong, " in shown.err
    for more, says in (
        ([], "is there already; expected --resume or --overwrite"),
        (["--resume", "--limit", "5"], "was made with --limit 120, got 5"),
        (["--resume", "--questions", "derivatives"], "was made with --questions gradients, got"),
        (["--out", "/dev/null/results.json"], "cannot be written: "),
    ):
        assert ended(*run, *more) == 2
        one_line(capsys, says)
    other: Any = {"date": "1999-01-01", "load": 9.0, "processor": "another"}
    for part, code in (("date", 0), ("load", 0), ("processor", 2)):
        replace(made, fingerprint={**made.fingerprint, part: other[part]}).save(out)
        assert ended(*run, "--resume") == code
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1, "there was nothing left to ask"
    assert "was made with another processor; expected a run to go on where it began" in shown
    assert ended(*run, "--overwrite", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["checks"]) == 2


@pytest.mark.usefixtures("little")
def test_a_part_of_a_run_is_not_stored_as_the_whole(tmp_path: Path) -> None:
    for part in (["--subject", "linear"], ["--quick"]):
        assert ended("checkers", *part) == 0
    assert not (tmp_path / "stored").exists()
    assert ended("checkers") == 0
    assert [file.name for file in (tmp_path / "stored").iterdir()] == ["gradients.json"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("verdict", "code"), [(RIGHT, 0), (WRONG, 1)])
def test_ours_must_agree_where_it_is_timed(
    verdict: str, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = contender(contenders.OURS, lambda _: Answer(verdict), keeps=True)
    monkeypatch.setattr(contenders, "CONTENDERS", (ours,))
    out = tmp_path / "times.json"
    part = ("--questions", "sized", "--quick", "--subject", "2-2-1, 4", "--out", str(out))
    assert ended("checkers", *part) == code
    found = Results.load(out)
    assert [check.call for check in found.checks] == [0, 1, 2]
    assert ended("checkers", "--table", str(out)) == 0, "nothing was measured"
