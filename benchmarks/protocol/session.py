"""A whole run: every cell in several processes, results stored as they come, memory at the end."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.protocol.process import answers, environment
from benchmarks.protocol.worker import Request
from benchmarks.results import CONTENDER, Cell, Results, Row

#: At least so many rounds, over so many processes.
ROUNDS, PROCESSES = 30, 5

#: Whose memory is measured: the three that are compared, and what PyTorch takes.
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
    memory: bool = True
    limit: float | None = None  #: seconds after which no cell is begun
    out: Path | None = None


@dataclass(frozen=True)
class Step:
    """How far a run is: so many of so many steps, and what is running."""

    done: int
    total: int
    running: str


def run(job: Job, results: Results, on_step: Callable[[Step], None] = lambda _: None) -> None:
    """Time everything; what was measured is stored even when the run is interrupted.

    Raises:
        WorkerError: a worker ended before it had answered.
        BadResultsError: the file cannot be written.
    """
    if job.out:
        results.save(job.out)  # a file that cannot be written is better known before than after
    try:
        with tempfile.TemporaryDirectory() as gates:
            _times(job, results, gates, on_step)
        if job.memory:
            _weigh(job, results, on_step)
    finally:
        if job.out:
            results.save(job.out)


def _times(job: Job, results: Results, gates: str, on_step: Callable[[Step], None]) -> None:
    deadline = time.time() + job.limit if job.limit is not None else None
    total, done = job.processes * len(job.specs), 0
    per_process = -(-job.rounds // job.processes)
    for process in range(job.processes):
        for (threads, device), specs in _alike(job.specs):
            request = Request(
                specs=[asdict(spec) for spec in specs],
                rounds=per_process,
                seed=process,
                only=list(job.only),
                plants=dict(job.plants),
                gates=gates,
                threads=threads,
                deadline=deadline,
            )
            for answer in answers(request, environment(threads, device)):
                if "begun" in answer:
                    running = f"process {process + 1} of {job.processes}: {answer['begun']}"
                    on_step(Step(done, total, running))
                    continue
                if "started" in answer:
                    _note_start(results, threads, answer["started"])
                    continue
                done += 1
                if "cell" in answer:
                    _add(results, answer["cell"])
                else:
                    _leave_out(results, answer, process)
            if job.out:
                results.save(job.out)
    on_step(Step(done, total, "timed"))


def _alike(specs: Sequence[Spec]) -> Iterator[tuple[tuple[str, str], list[Spec]]]:
    """Cells that one process can time: on as many threads, one device."""

    def kind(spec: Spec) -> tuple[str, str]:
        return spec.threads, spec.device

    for found, group in groupby(sorted(specs, key=kind), kind):
        yield found, list(group)


def _note_start(results: Results, kind: str, started: Mapping) -> None:
    """What workers of a kind run on, and how long JAX took to start in each."""
    noted = results.fingerprint["workers"].setdefault(kind, {"seconds to start JAX": []})
    noted["seconds to start JAX"].append(round(started["seconds"], 4))
    noted |= {name: value for name, value in started.items() if name != "seconds"}


def _leave_out(results: Results, answer: Mapping, process: int) -> None:
    if "refused" in answer:
        line = f"{answer['refused']}: {answer['why']}"
    else:
        line = f"{answer['left_out']}: no time left in process {process + 1}"
    if line not in results.left_out:
        results.left_out.append(line)


def _add(results: Results, found: Mapping) -> None:
    """Add what one process measured of a cell to what others did."""
    new = Cell(**{**found, "rows": [Row(**row) for row in found["rows"]]})
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
    known.phases += row.phases
    known.steady_after += row.steady_after
    known.wrong, known.absent = known.wrong or row.wrong, known.absent or row.absent
    errors = [e for e in (known.gate_error, row.gate_error) if e is not None]
    known.gate_error = max(errors, default=None)


def _weigh(job: Job, results: Results, on_step: Callable[[Step], None]) -> None:
    """The peak memory of some contenders on the larger cells, a process each."""
    todo = [
        (spec, row)
        for spec in job.specs
        if (cell := results.cell(spec.label)) is not None and cell.bytes >= WORTH_WEIGHING
        for row in cell.timed(CONTENDER)
        if row.name in OF_MEMORY
    ]
    for done, (spec, row) in enumerate(todo):
        on_step(Step(done, len(todo), f"memory: {spec.label}: {row.name}"))
        request = Request([asdict(spec)], 1, 0, [row.name], measure="memory", threads=spec.threads)
        env = environment(spec.threads, spec.device)
        for answer in answers(request, env):
            row.peak_bytes = answer["peak"]
    on_step(Step(len(todo), len(todo), "weighed"))
