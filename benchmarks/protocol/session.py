"""A whole run: every cell in several processes, results stored as they come."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.process import WorkerError
from benchmarks.protocol.cell import Plan
from benchmarks.protocol.worker import FIRST, MEMORY, TIMES, UNTUNED, Request, answers
from benchmarks.results import CONTENDER, Cell, Results, Row

#: At least so many rounds, over so many processes.
ROUNDS, PROCESSES = 30, 5

#: Whose memory is measured, and the time where it is not kept: the three that are compared, and
#: PyTorch.
OF_MEMORY = (names.HAND, names.HAND_JIT, names.GRAD, names.TORCH)

#: From so many bytes of arguments and answer on; below, a process's own come and go by as much.
WORTH_WEIGHING = 2**23


@dataclass(frozen=True)
class Job:
    """What a run is asked for."""

    specs: Sequence[Spec]
    rounds: int = ROUNDS
    processes: int = PROCESSES
    only: Sequence[str] = ()  #: contenders
    plants: Mapping[str, str] = field(default_factory=dict)
    apart: Sequence[str] = (FIRST, MEMORY, UNTUNED)  #: in processes of their own, at the end
    limit: float | None = None  #: seconds after which nothing is begun
    for_times: float = 1.0  #: the part of the limit after which no cell is begun
    out: Path | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What of it is stored with the results."""
        return {
            "rounds": self.rounds,
            "processes": self.processes,
            "contenders": list(self.only),
            "plants": dict(self.plants),
        }


@dataclass(frozen=True)
class Step:
    """How far a run is."""

    done: int
    total: int
    running: str
    left: float | None = None  #: about how many seconds are left, from what the cells took so far
    row: str = ""  #: what of a cell is running; "" when it is begun


OnStep = Callable[[Step], None]


def run(job: Job, results: Results, on_step: OnStep = lambda _: None) -> None:
    """Time everything; what was measured is stored even when the run is interrupted.

    Raises:
        WorkerError: a worker ended before it had answered.
        BadResultsError: the file cannot be written.
    """
    if job.out:
        results.save(job.out)  # a file that cannot be written is better known before than after
    begin = time.time()
    try:
        with tempfile.TemporaryDirectory() as gates:
            _times(job, results, gates, on_step)
        _apart(job, results, begin, on_step)
        results.settings["seconds"] = round(time.time() - begin, 1)
    finally:
        # Workers take the cells in orders of their own.
        places = {spec.label: at for at, spec in enumerate(job.specs)}
        results.cells.sort(key=lambda cell: places[cell.label])
        if job.out:
            results.save(job.out)


def _times(job: Job, results: Results, gates: str, on_step: OnStep) -> None:
    begin, clock = time.time(), _Clock(job)
    for process in range(job.processes):
        # Each process gets its share of the time, so that none is left with nothing.
        share = (process + 1) / job.processes
        deadline = None if job.limit is None else begin + share * job.for_times * job.limit
        for threads, specs in _alike(job.specs):
            rounds = -(-job.rounds // job.processes)
            plan = Plan(rounds, process, job.only, job.plants, Path(gates))
            for answer in answers(Request(TIMES, specs, plan, deadline=deadline)):
                if "started" in answer:
                    _note_start(results, threads, answer["started"])
                elif "begun" in answer or "row" in answer:
                    on_step(clock.at(process, answer))
                else:
                    clock.done(answer)
                    _take(results, answer, process)
            if job.out:
                results.save(job.out)
    on_step(clock.at_the_end())


class _Clock:
    """How far a run is, and how long it will go on, from what each cell took the last time."""

    def __init__(self, job: Job) -> None:
        self.labels = [spec.label for spec in job.specs]
        self.processes, self.finished = job.processes, 0
        self.total = job.processes * len(self.labels)
        self.took: dict[str, float] = {}
        self.begun = time.monotonic()
        self.todo = [label for _ in range(job.processes) for label in self.labels]

    def at(self, process: int, answer: Mapping[str, Any]) -> Step:
        """Where the run is: a cell has begun, or a row of it."""
        if "begun" in answer:
            self.begun = time.monotonic()
        label = answer.get("begun") or answer["at"]
        running = f"process {process + 1} of {self.processes}: {label}"
        return Step(self.finished, self.total, running, self._left(), answer.get("row", ""))

    def done(self, answer: Mapping[str, Any]) -> None:
        """A cell has been timed, refused or left out."""
        label = answer.get("refused") or answer.get("left_out") or answer["cell"].label
        self.finished += 1
        self.took[label] = time.monotonic() - self.begun
        self.todo.remove(label)

    def at_the_end(self) -> Step:
        """All is timed."""
        return Step(self.finished, self.total, "timed", 0.0)

    def _left(self) -> float | None:
        if not self.took:
            return None
        mean = sum(self.took.values()) / len(self.took)
        left = sum(self.took.get(label, mean) for label in self.todo)
        return max(left - (time.monotonic() - self.begun), 0.0)


def _alike(specs: Sequence[Spec]) -> Iterator[tuple[str, list[Spec]]]:
    """Cells that one process can time, on as many threads and one device, by the threads."""

    def kind(spec: Spec) -> tuple[str, str]:
        return spec.threads, spec.device

    for (threads, _), group in groupby(sorted(specs, key=kind), kind):
        yield threads, list(group)


def _note_start(results: Results, kind: str, started: Mapping) -> None:
    """What workers of a kind run on, and how long JAX took to start in each."""
    noted = results.fingerprint["workers"].setdefault(kind, {"seconds to start JAX": []})
    noted["seconds to start JAX"].append(round(started["seconds"], 4))
    noted |= {name: value for name, value in started.items() if name != "seconds"}


def _take(results: Results, answer: Mapping, process: int) -> None:
    """Add what a process says of a cell: its times, or why it has none."""
    if "cell" in answer:
        add(results, answer["cell"])
    elif "refused" in answer:
        line = f"{answer['refused']}: {answer['why']}"
        if line not in results.refused:
            results.refused.append(line)
    else:
        results.left_out.append(f"{answer['left_out']}: no time left in process {process + 1}")


def add(results: Results, new: Cell) -> None:
    """Add what one process measured of a cell to what others did."""
    old = results.cell(new.label)
    if old is None:
        results.cells.append(new)
        return
    for row in new.rows:
        known = old.row(row.name)
        assert known is not None  # all processes are asked for the same rows
        _join(known, row)


def _join(known: Row, row: Row) -> None:
    """Add what another process measured of a row; it has times in all of them, or none."""
    known.samples = known.samples + row.samples if known.samples and row.samples else []
    known.steady_after += row.steady_after
    known.wrong, known.absent = known.wrong or row.wrong, known.absent or row.absent
    errors = [e for e in (known.gate_error, row.gate_error) if e is not None]
    known.gate_error = max(errors, default=None)


def _apart(job: Job, results: Results, begin: float, on_step: OnStep) -> None:
    """What comes once, of the reference in every cell; memory, of some rows in the larger ones."""
    todo = _todo(job, results)
    until, started = job.limit and begin + job.limit, time.monotonic()
    for done, (what, spec, row) in enumerate(todo):
        if until and time.time() > until:
            results.left_out.append(f"{spec.label}: {row.name}: no time left for {what}")
            continue
        left = (time.monotonic() - started) / done * (len(todo) - done) if done else None
        on_step(Step(done, len(todo), f"{what}: {spec.label}: {row.name}", left))
        # Without these numbers the times stand as they are.
        with suppress(WorkerError):
            for answer in answers(Request(what, [spec], name=row.name)):
                row.phases = answer.get("phases", row.phases)
                row.peak_bytes = answer.get("peak", row.peak_bytes)
                row.untuned = answer.get("untuned", row.untuned)
    if todo:
        on_step(Step(len(todo), len(todo), "measured apart", 0.0))


def _todo(job: Job, results: Results) -> list[tuple[str, Spec, Row]]:
    """What is measured apart, and of which row."""
    cells = [(spec, cell) for spec in job.specs if (cell := results.cell(spec.label)) is not None]
    once = [
        (FIRST, spec, row)
        for spec, cell in cells
        if FIRST in job.apart and (row := cell.row(names.REFERENCE))
    ]
    weighed = [
        (what, spec, row)
        for spec, cell in cells
        for row in cell.timed(CONTENDER)
        for what in (MEMORY, UNTUNED)
        if what in job.apart
        # A device counts its memory from the start of a process on: there, the plan must do.
        and spec.device == "cpu"
        and cell.bytes >= WORTH_WEIGHING
        and row.name in OF_MEMORY
    ]
    return once + weighed
