"""Whole runs from the command line to the file and back, one of them in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import cli, machine, names, protocol
from benchmarks.cases import Spec
from benchmarks.contenders.families import FAMILIES
from benchmarks.machine import differences
from benchmarks.problems.gradient import ArticleProblem
from benchmarks.process import THREADS, Worker, WorkerError, begun, environment
from benchmarks.protocol import Job, measure, time_cell
from benchmarks.ready import Ready
from benchmarks.results import CONTENDER, Cell, Results
from tests.benchmarks.sure import ended, one_line, row_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BRIEF = ["--processes", "2", "--rounds", "4"]
#: The reference and two more.
FEW = ["--contender", "hand-numpy", "--contender", "hand-floats"]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker's answers without the process, in which JAX would have to start."""

    def ask(work: Any, *given: Any) -> Iterator[Any]:
        return work(*given) if work in (begun, time_cell) else iter(())

    here = nullcontext(SimpleNamespace(ask=ask))
    monkeypatch.setattr(protocol, "Worker", lambda *_: here)
    monkeypatch.setattr(protocol, "WARM_CALLS", 3)
    for seconds in ("SAMPLE_SECONDS", "WARM_SECONDS"):
        monkeypatch.setattr(protocol, seconds, 1e-3)


def test_a_run_is_stored_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sub" / "sample.json"
    assert ended("--case", "sample", *FEW, *BRIEF, "--out", str(out)) == 0
    shown: Any = capsys.readouterr()
    assert "1/2 process 2 of 2: sample/1/float64/1/highest/cpu" in shown.err
    results = Results.load(out)
    (cell,) = results.cells
    assert [row.name for row in cell.timed(CONTENDER)] == ["hand-floats", "hand-numpy", "grad-jit"]
    for row in cell.timed(CONTENDER):
        assert [len(rounds) for rounds in row.samples] == [2, 2]
        assert len(row.steady_after) == 2
        assert row.name in shown.out
    phases = row_of(cell, "grad-jit").phases
    assert set(phases) == {"trace", "lower", "compile", "first call"}
    assert all(seconds > 0 for seconds in phases.values())
    found = results.about
    assert found["workers"]["1"]["platform"] == "cpu"
    assert len(found["workers"]["1"]["seconds to start JAX"]) == 2
    assert all(blas["num_threads"] == 1 for blas in found["workers"]["1"]["blas"])
    assert differences(found, json.loads(json.dumps(found))) == []
    assert str(ROOT) not in out.read_text()
    assert ended("--case", "sample", "--out", str(out)) == 2, "what is there is not lost"
    one_line(capsys, "is there already")
    assert ended("plot", str(out), str(tmp_path / "figures")) == 2
    one_line(capsys, "nothing to draw")


@pytest.mark.usefixtures("in_this_process")
def test_a_wrong_contender_ends_with_one_and_no_time_at_all_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.machine.psutil.getloadavg", lambda: (99.0, 0.0, 0.0))
    ours = FAMILIES[ArticleProblem][names.HAND]

    def wrong(problem: ArticleProblem) -> Ready:
        ready = ours(problem)
        return replace(ready, read=lambda answer: [-leaf for leaf in ready.read(answer)])

    monkeypatch.setitem(FAMILIES[ArticleProblem], names.HAND, wrong)
    assert ended("--case", "sample", *FEW, *BRIEF, "--json") == 1
    shown = capsys.readouterr()
    assert shown.err.splitlines()[0].startswith("Load 99.0 before the start: others run here")
    (cell,) = Results.read(json.loads(shown.out), "").cells
    assert row_of(cell, "hand-numpy").wrong.startswith("the loss: got")
    assert [row.name for row in cell.timed(CONTENDER)] == ["hand-floats", "grad-jit"]
    assert ended("--case", "sample", "--limit", "1e-9", *FEW, *BRIEF) == 1
    shown = capsys.readouterr().out
    assert "sample/1/float64/1/highest/cpu: no time left in process 1" in shown
    assert shown.splitlines()[-1] == "Nothing was timed."


@pytest.mark.usefixtures("in_this_process")
def test_what_is_timed_on_a_gpu_runs_on_the_processor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The limit, the short table, the JSON; a device's own, tests of cells have run."""
    out = tmp_path / "gpu.json"
    brief = ["--processes", "1", "--rounds", "2", "--case", "sample", "--out", str(out)]
    assert ended("--gpu", "--device", "cpu", *brief) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"Results: {out}"
    found = Results.load(out)
    assert [cell.label for cell in found.cells] == ["sample/1/float64/1/highest/cpu"]
    assert {*cli.ON_GPU["contenders"]} >= {r.name for r in found.cells[0].timed(CONTENDER)}
    assert found.about["processes"] == 1
    assert ended("--gpu", "--device", "cpu", "--case", "depth") == 2
    one_line(capsys, "no cell: depth is not timed in --gpu")


def test_memory_is_weighed_in_a_process_of_its_own() -> None:
    """A gradient of 4^9 examples holds several arrays of them between call and answer.

    And takes longer than copying one of them, in a process whose memory is as it is by itself.
    """
    spec = Spec("batch-2-2-1", (4**9,), "float64", "1")
    with Worker("1", "cpu") as one:
        for size in one.ask(measure, spec, names.HAND, "peak_bytes"):
            assert 4 * 8 * 4**9 < size < 60 * 8 * 4**9
    with Worker("1", "cpu") as another:
        (seconds,) = another.ask(measure, spec, names.HAND, "untuned")
        assert 8 * 4**9 / 50e9 < seconds < 10


@pytest.mark.parametrize(
    ("ask", "device"),
    [("", "gpu"), ("raise RuntimeError", "cpu"), ("import time; time.sleep(60)", "cpu")],
)
def test_without_device_it_is_the_one_that_jax_finds(
    monkeypatch: pytest.MonkeyPatch, ask: str, device: str
) -> None:
    """A GPU that does not answer in time, here two seconds, is not used."""
    monkeypatch.setattr(machine, "PATIENCE", 2 if "sleep" in ask else 60)
    monkeypatch.setattr(machine, "gpus", lambda: ["A GPU"])
    monkeypatch.setattr(machine, "PROBE", ask)
    assert cli._device(None) == device


def test_a_worker_that_fails_or_dies_is_an_error_of_the_harness() -> None:
    with pytest.raises(WorkerError, match=r"^KeyError: 'nothing'$"), Worker("1", "cpu") as one:
        list(one.ask(time_cell, Spec("nothing", (1,)), Job(), 0))
    ends = pytest.raises(WorkerError, match=r"a worker ended with 3: the last line$")
    with ends, Worker("1", "cpu") as another:
        list(another.ask(dies))


def dies() -> Iterator[str]:
    yield "nothing more"
    os.write(2, b"the first line\nthe last line\n")
    os._exit(3)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A child ignores an interrupt if this process does, as it may when started in a script."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupted_what_was_measured_is_stored(tmp_path: Path) -> None:
    out = tmp_path / "interrupted.json"
    long = ["--case", "sample", "--rounds", "400", "--processes", "100", *FEW, "--out", str(out)]
    run = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *long],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 90
        while time.monotonic() < until and not (out.exists() and Results.load(out).cells):
            time.sleep(0.2)
        os.killpg(run.pid, signal.SIGINT)
        _, said = run.communicate(timeout=30)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "Stopped." in said
    assert isinstance(Results.load(out).cells[0], Cell)


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (OSError("no room"), 70)])
@pytest.mark.usefixtures("in_this_process")
def test_where_nothing_was_timed_old_results_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Any, code: int
) -> None:
    def not_begun(*_: Any) -> None:
        raise raised

    monkeypatch.setattr(protocol, "_times", not_begun)
    monkeypatch.setattr(os, "_exit", sys.exit)
    out = tmp_path / "results.json"
    out.write_text("of before")
    run = ["--case", "sample", *FEW, *BRIEF, "--out", str(out)]
    assert ended(*run, "--overwrite") == code
    assert out.read_text() == "of before"
    assert list(tmp_path.iterdir()) == [out]


def test_the_workers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """All threads are all, whatever somebody has set for other programs."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one, gpu = environment("1", "cpu"), environment("all", "gpu")
    assert {one[name] for name in THREADS} == {"1"}
    assert not set(THREADS) & set(gpu)
    assert (one["JAX_PLATFORMS"], gpu["JAX_PLATFORMS"]) == ("cpu", "cuda,cpu")
    assert one["JAX_ENABLE_COMPILATION_CACHE"] == "0"
