"""The harness stops what must be stopped and loses no answer; the command says what is wrong."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.checkers import cases, contenders
from benchmarks.checkers import results as results_module
from benchmarks.checkers import run as run_module
from benchmarks.checkers import table as table_module
from benchmarks.checkers.cases import Case
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer, Question
from benchmarks.checkers.results import Check, Results
from benchmarks.checkers.worker import Worker, _answered
from benchmarks.process import WorkerError
from compare.wording import InputError
from tests.benchmarks.planted_checkers import (
    ALWAYS_RIGHT,
    ALWAYS_WRONG,
    PARAMS,
    Here,
    a_case,
    dies,
    eats,
    gradient,
    hangs,
    loss,
    made_up,
    question,
    results,
    turned,
    unbuilt,
    works,
)
from tests.benchmarks.sure import ended, one_line, sure

ROOT = Path(__file__).parent.parent.parent


def test_an_interrupted_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "Worker", Here)
    out, asked = tmp_path / "results.json", [a_case(slug) for slug in ("exchanged", "half-mse")]

    def interrupt(_: Any, case: Case, check: Check | None) -> None:
        if check is None and case.what == "half-mse":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_module.run(results(), [ALWAYS_RIGHT, ALWAYS_WRONG], asked, out, interrupt)
    half, again = Results.load(out), []
    assert [check.what for check in half.checks] == ["exchanged"]
    run_module.run(half, [ALWAYS_RIGHT, ALWAYS_WRONG], asked, out, lambda *told: again.append(told))
    assert len(again) == 2 * 3
    assert Counter(check.what for check in Results.load(out).checks) == {
        "exchanged": 2,
        "half-mse": 2,
    }


def test_an_absent_checker_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "Worker", Here)
    made = results()
    made.contenders["always right"] = "not installed"
    run_module.run(made, [ALWAYS_RIGHT, ALWAYS_WRONG], [a_case("half-mse")], None)
    assert [check.contender for check in made.checks] == ["always wrong"]
    assert "Not asked: `always right`, not installed." in table_module.markdown(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ask", "reason", "memory"),
    [
        (hangs, "time", 2**33),
        (works, "time", 2**33),
        (dies, "crashed", 2**33),
        (eats, "memory", 2**30),
    ],
)
def test_what_does_not_come_to_an_end_is_ended(
    ask: Callable[[Question], Answer], reason: str, memory: int
) -> None:
    """And a next question is answered by another process."""
    limit = 0.5 if reason == "time" else 60  # ten times that, since it waits and does not work
    with Worker(Contender("planted", "numpy", ask), limit, memory) as worker:
        reply = worker.ask(a_case("half-mse"))
        assert (reply.answer.verdict, reply.answer.reason) == (NO_ANSWER, reason)
        assert reply.answer.seconds < 60, "left to itself it would take ten minutes"
        assert worker.ask(a_case("half-mse", elementary)).answer.verdict == RIGHT


@pytest.mark.slow
def test_what_waits_for_a_busy_machine_is_not_stopped() -> None:
    """The limit is one of processors; on the clock it may go by ten times."""
    with Worker(Contender("planted", "numpy", waits_long), 0.5) as worker:
        assert worker.ask(a_case("half-mse", elementary)).answer.verdict == RIGHT


def waits_long(_: Question) -> Answer:
    time.sleep(1.5)
    return Answer(RIGHT)


def elementary() -> Question:
    """A question without inputs, which the planted checkers answer."""
    return Question(loss, gradient, PARAMS, ())


def waits(_: Question) -> Answer:
    time.sleep(0.1)
    return Answer(RIGHT)


def works_elsewhere(_: Question) -> Answer:
    subprocess.run([sys.executable, "-S", "-c", "sum(range(10**6))"], check=True)
    return Answer(RIGHT)


def test_waiting_takes_no_processor_and_the_work_of_children_does() -> None:
    waited = _answered(Contender("planted", "numpy", waits), elementary())
    assert waited.seconds >= 0.1 > sure(waited.cpu)
    assert sure(_answered(Contender("planted", "numpy", works_elsewhere), elementary()).cpu) > 0.01


@pytest.mark.slow
def test_a_process_stays_warm_and_is_gone_afterwards() -> None:
    with Worker(ALWAYS_WRONG, 60) as worker:
        first = worker.ask(a_case("half-mse", partial(question, turned)))
        process = worker._started()
        second = worker.ask(a_case("exchanged"))
        assert worker._process is process
    assert process._process.exitcode is not None
    assert (first.answer.verdict, first.wrong_leaves, first.leaves) == (WRONG, ("params['w']",), 2)
    assert second.wrong_leaves == ()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes as Linux shows them")
def test_a_killed_run_leaves_no_process_behind() -> None:
    code = """
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.worker import Worker
from tests.benchmarks.planted_checkers import a_case, hangs
if __name__ == "__main__":
    worker = Worker(Contender("hangs", "numpy", hangs), 600)
    process = worker._started()
    process.send(a_case("half-mse"))
    process.receive()  # that it is built: now it hangs
    print(process.pid, flush=True)
    process.receive()
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
    with (
        Worker(ALWAYS_RIGHT, 60) as worker,
        pytest.raises(WorkerError, match="always right: KeyError: 'no such model'"),
    ):
        worker.ask(a_case("half-mse", unbuilt))


def test_stored_results_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = tmp_path / "results.json"
    made_up().save(stored)
    assert ended("checkers", "--table", str(stored)) == 0
    assert capsys.readouterr().out == table_module.markdown(made_up())
    assert ended("checkers", "--table", str(stored), "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(stored.read_text("utf-8"))


def test_a_file_without_results_is_refused(tmp_path: Path) -> None:
    stored = tmp_path / "results.json"
    stored.write_text('{"schema": 1}', "utf-8")
    with pytest.raises(InputError, match="checks is null; expected `array`, got `null`"):
        Results.load(stored)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--contender", "mine"], "'--contender': 'mine'; expected one of handgrad.check_grad"),
        (["--table", "nothing.json"], "nothing.json: No such file or directory"),
        (["--subject", "nothing"], "'--subject': 'nothing'; expected one of "),
    ],
)
def test_bad_options_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert ended("checkers", *arguments, "--quick") == 2
    one_line(capsys, says)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command with a checker and two cases in this process."""
    monkeypatch.setattr(run_module, "Worker", Here)
    monkeypatch.setattr(contenders, "CONTENDERS", (ALWAYS_WRONG,))
    monkeypatch.setattr(cases, "cases", lambda: [a_case("half-mse"), a_case("exchanged")])


@pytest.mark.usefixtures("little")
def test_a_run_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "results.json")
    assert ended("checkers", "--out", out) == 0
    shown = capsys.readouterr()
    assert shown.out == table_module.markdown(Results.load(Path(out)))
    assert "1/2 always wrong: linear, half-mse: wrong, " in shown.err
    assert ended("checkers", "--out", out) == 2
    one_line(capsys, "is there already; expected --resume or --overwrite")
    assert ended("checkers", "--out", out, "--resume") == 0
    assert capsys.readouterr().err == "", "there was nothing left to ask"
    assert ended("checkers", "--out", out, "--resume", "--limit", "5") == 2
    one_line(capsys, "was made with --limit 120, got 5")
    assert ended("checkers", "--out", "/dev/null/results.json") == 2
    one_line(capsys, "cannot be written: ")
    assert ended("checkers", "--out", "9" * 300) == 2
    one_line(capsys, "cannot be written: File name too long")
    assert ended("checkers", "--out", out, "--overwrite", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["checks"]) == 2


@pytest.mark.usefixtures("little")
def test_a_run_goes_on_only_where_it_began(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    assert ended("checkers", "--out", str(out)) == 0
    made = Results.load(out)
    replace(made, fingerprint={**made.fingerprint, "date": "1999-01-01"}).save(out)
    capsys.readouterr()
    assert ended("checkers", "--out", str(out), "--resume") == 0, "a run may take more than a day"
    capsys.readouterr()
    replace(made, fingerprint={**made.fingerprint, "processor": "another"}).save(out)
    assert ended("checkers", "--out", str(out), "--resume") == 2
    one_line(capsys, "was made with another processor; expected a run to go on where it began")


@pytest.mark.usefixtures("little")
def test_a_part_of_a_run_is_not_stored_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "stored.json"
    monkeypatch.setattr(results_module, "STORED", stored)
    assert ended("checkers", "--subject", "linear") == 0
    assert ended("checkers", "--quick") == 0
    assert not stored.exists()
    assert ended("checkers") == 0
    assert stored.exists()
