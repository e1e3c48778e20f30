"""Run a whole session: every cell in several processes, with results stored as they come."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.files import expect_writable
from benchmarks.process import WorkerError
from benchmarks.protocol import apart
from benchmarks.protocol.cell import Plan
from benchmarks.protocol.worker import Work, answers, times
from benchmarks.results import CONTENDER, Cell, Results, Row

#: Contenders whose memory and untuned time are measured: the three main ones, and PyTorch.
OF_MEMORY = (names.HAND, names.HAND_JIT, names.GRAD, names.TORCH)

#: Bytes of arguments and result from which memory is measured; below, a process's own memory varies
#: by as much.
WORTH_WEIGHING = 2**23


@dataclass(frozen=True)
class Job:
    """The definition of a run."""

    specs: Sequence[Spec]
    rounds: int = 30  #: at least
    processes: int = 5
    only: Sequence[str] = ()  #: contenders
    weigh: bool = True  #: whether memory is measured, at the end
    limit: float | None = None  #: seconds after which no measurement starts
    for_times: float = 1.0  #: the share of the limit after which no cell starts
    out: Path | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The part that is stored with the results."""
        return {
            "rounds": self.rounds,
            "processes": self.processes,
            "contenders": list(self.only),
        }


#: Called with the number of steps that are done, of how many, what runs, and at the start of a cell
#: a line for where nothing can be redrawn.
OnStep = Callable[..., None]


def run(job: Job, results: Results, on_step: OnStep = lambda *_: None) -> None:
    """Time everything; what was timed is stored even when the run is interrupted.

    Raises:
        WorkerError: a worker ended before it had answered.
        InputError: the file cannot be written.
    """
    if job.out:
        expect_writable(job.out)
    begin = time.time()
    try:
        with tempfile.TemporaryDirectory() as gates:
            _times(job, results, gates, on_step)
        _apart(job, results, begin, on_step)
        results.settings["seconds"] = round(time.time() - begin, 1)
    finally:
        # Workers run the cells in different orders.
        places = {spec.label: at for at, spec in enumerate(job.specs)}
        results.cells.sort(key=lambda cell: places[cell.label])
        if job.out and results.timed:
            results.save(job.out)


def _times(job: Job, results: Results, gates: str, on_step: OnStep) -> None:
    begin, done, total = time.time(), 0, job.processes * len(job.specs)
    for process in range(job.processes):
        # Each process gets its share of the time.
        share = (process + 1) / job.processes
        deadline = None if job.limit is None else begin + share * job.for_times * job.limit
        for threads, specs in _alike(job.specs):
            rounds = -(-job.rounds // job.processes)
            plan = Plan(rounds, process, job.only, Path(gates))
            for answer in answers(times, threads, specs[0].device, specs, plan, deadline):
                if "started" in answer:
                    _note_start(results, threads, answer["started"])
                elif "at" in answer:
                    running = f"process {process + 1} of {job.processes}: {answer['at']}"
                    line = "" if answer["row"] else f"{done}/{total} {running}"
                    on_step(done, total, f"{running} {answer['row']}", line)
                else:
                    done += 1
                    _take(results, answer, process)
            if job.out and results.timed:
                results.save(job.out)


def _alike(specs: Sequence[Spec]) -> Iterator[tuple[str, list[Spec]]]:
    """Group the cells that one process can time: same threads, same device."""

    def kind(spec: Spec) -> tuple[str, str]:
        return spec.threads, spec.device

    for (threads, _), group in groupby(sorted(specs, key=kind), kind):
        yield threads, list(group)


def _note_start(results: Results, kind: str, started: Mapping) -> None:
    """Note a worker's environment and the time in which JAX started."""
    noted = results.fingerprint["workers"].setdefault(kind, {"seconds to start JAX": []})
    noted["seconds to start JAX"].append(round(started["seconds"], 4))
    noted |= {name: value for name, value in started.items() if name != "seconds"}


def _take(results: Results, answer: Mapping, process: int) -> None:
    """Add a process's result for a cell: its times, or why there are none."""
    if "cell" in answer:
        add(results, answer["cell"])
    elif "refused" in answer:
        line = f"{answer['refused']}: {answer['why']}"
        if line not in results.refused:
            results.refused.append(line)
    else:
        results.left_out.append(f"{answer['left_out']}: no time left in process {process + 1}")


def add(results: Results, new: Cell) -> None:
    """Add one process's measurements of a cell to those of others."""
    old = results.cell(new.label)
    if old is None:
        results.cells.append(new)
        return
    for row in new.rows:
        known = old.row(row.name)
        assert known is not None  # all processes time the same rows
        _join(known, row)


def _join(known: Row, row: Row) -> None:
    """Add another process's measurements of a row, which is timed in all processes or none."""
    known.samples = known.samples + row.samples if known.samples and row.samples else []
    known.steady_after += row.steady_after
    known.wrong, known.absent = known.wrong or row.wrong, known.absent or row.absent
    errors = [e for e in (known.gate_error, row.gate_error) if e is not None]
    known.gate_error = max(errors, default=None)


def _apart(job: Job, results: Results, begin: float, on_step: OnStep) -> None:
    """Measure the reference's first calls in every cell, and memory of rows in larger ones."""
    todo = [*_first_calls(job, results), *(_weighed(job, results) if job.weigh else ())]
    for done, (what, work, spec, row) in enumerate(todo):
        if job.limit and time.time() > begin + job.limit:
            results.left_out.append(f"{spec.label}: {row.name}: no time left for {what}")
            continue
        running = f"{what}: {spec.label}: {row.name}"
        on_step(done, len(todo), running, f"{done}/{len(todo)} {running}")
        # The times are valid without these measurements.
        with suppress(WorkerError):
            for answer in answers(work, spec.threads, spec.device, spec, row.name):
                for measured, value in answer.items():
                    setattr(row, measured, value)


#: A measurement besides times: what it is called, what does it, and of which row.
Apart = tuple[str, Work, Spec, Row]


def _first_calls(job: Job, results: Results) -> Iterator[Apart]:
    for spec in job.specs:
        cell = results.cell(spec.label)
        if cell and (row := cell.row(names.REFERENCE)):
            yield "first", apart.phases, spec, row


def _weighed(job: Job, results: Results) -> Iterator[Apart]:
    for spec in job.specs:
        cell = results.cell(spec.label)
        # A device reports the peak since the start of a process; only the planned memory is usable.
        if cell is None or spec.device != "cpu" or cell.bytes < WORTH_WEIGHING:
            continue
        for row in cell.timed(CONTENDER):
            if row.name in OF_MEMORY:
                yield "memory", apart.peak, spec, row
                yield "time without freed memory kept", apart.untuned, spec, row
