"""Time a run: every cell in several processes, with results stored as they come.

In a process a cell is gated, warmed up, all its rows timed in rounds, and gated again. Apart from
the times are measured the first call, peak memory, and the time without kept memory. Each has a
separate process. JAX was started there by another program and has traced and compiled nothing else,
so no part of a first call was done before.
"""

import math
import pickle
import random
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import jax
import psutil

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.files import expect_writable
from benchmarks.floors import floors
from benchmarks.problems.gate import Gate, RefusedError
from benchmarks.problems.training import Judge, Problem
from benchmarks.process import Worker, WorkerError, begun, started
from benchmarks.ready import Ready, Unavailable, error_line
from benchmarks.results import AGAIN, CONTENDER, FLOOR, LOSS, Cell, Results, Row
from compare.memory import give_back_freed_memory
from handgrad.speed.rounds import calls_of_a_sample, collector_off, sample, time_rounds

#: Contenders whose memory and untuned time are measured: the three main ones, and PyTorch.
OF_MEMORY = (names.HAND, names.HAND_JIT, names.GRAD, names.TORCH)

#: What is measured of them, and the field for it.
MEMORY = {"memory": "peak_bytes", "time without freed memory kept": "untuned"}

#: Bytes of arguments and result from which memory is measured; below, a process's own memory varies
#: by as much.
WORTH_WEIGHING = 2**23

#: Operations from which a NumPy product uses several threads, which spin afterwards.
MANY_FLOPS = 1e6

#: The largest share of the gradient below the gate's tolerance; with more, a cell is refused.
BLIND = 0.5

#: A slow row is called once per round; a fast one until a sample takes this long.
SAMPLE_SECONDS = 0.02

#: Before the first round a row is called for at least so long and so often, and until its times no
#: longer fall, but at most for the last of these.
WARM_SECONDS, WARM_CALLS, WARM_AT_MOST = 0.2, 10, 2.0

#: Times no longer fall if the median of the last third of the calls is at least this share of that
#: of the third before.
STEADY = 0.95

#: Rows whose compiled programs are analysed.
INSPECTED = (names.HAND_JIT, names.HAND_JIT_ARTICLE, names.GRAD)

#: A line of a program's text: `%name = f32[64,10]{1,0} multiply(%a, %b), ...`; several results form
#: a tuple, `(f32[], f32[3]{0})`.
LINE = re.compile(r"^\s+(?:ROOT )?%\S+ = (\([^()]*\)|\S+) ([a-z][a-z0-9-]*)\(", re.MULTILINE)

#: The lengths of an array's axes, within its type.
SHAPE = re.compile(r"\[([\d,]*)\]")

#: Calls over which the peak is taken, after one that compiles.
CALLS = 3

#: Calls over which the median time is taken.
TIMED_CALLS = 15

#: Time after which freed memory has been returned to the system.
SETTLE_SECONDS = 0.5


#: Called with the number of steps that are done, of how many, what runs, and at the start of a cell
#: a line for where nothing can be redrawn.
OnStep = Callable[..., None]


@dataclass(frozen=True)
class Job:
    """The definition of a run."""

    specs: Sequence[Spec] = ()
    rounds: int = 30  #: at least
    processes: int = 5
    only: Sequence[str] = ()  #: the contenders to time; () for all
    weigh: bool = True  #: whether memory is measured, at the end
    limit: float = math.inf  #: seconds after which no measurement starts
    for_times: float = 1.0  #: the share of the limit after which no cell starts
    out: Path | None = None
    gates: Path | None = None  #: the folder of gates shared by the processes of the run


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
            _times(replace(job, gates=Path(gates)), results, on_step)
        _apart(job, results, begin, on_step)
        results.about["seconds"] = round(time.time() - begin, 1)
    finally:
        # Workers run the cells in different orders.
        places = {spec.label: at for at, spec in enumerate(job.specs)}
        results.cells.sort(key=lambda cell: places[cell.label])
        if job.out and results.timed:
            results.save(job.out)


def _times(job: Job, results: Results, on_step: OnStep) -> None:
    begin, done, total = time.time(), 0, job.processes * len(job.specs)
    for process in range(job.processes):
        # Each process gets its share of the time.
        deadline = begin + (process + 1) / job.processes * job.for_times * job.limit
        for threads in sorted({spec.threads for spec in job.specs}):
            specs = [spec for spec in job.specs if spec.threads == threads]
            if deadline == math.inf:
                # A different order in each repetition, so that cells affect different successors.
                # With a deadline the order is fixed, as the last cells may be left out.
                random.Random(process).shuffle(specs)
            with Worker(threads, specs[0].device) as worker:
                _note_start(results, threads, *worker.ask(begun))
                for spec in specs:
                    if time.time() > deadline:
                        line = f"{spec.label}: no time left in process {process + 1}"
                        results.left_out.append(line)
                    else:
                        at = f"process {process + 1} of {job.processes}: {spec.label}"
                        so_far = results.cell(spec.label)
                        for found in worker.ask(time_cell, spec, job, process, so_far):
                            if isinstance(found, str):
                                line = "" if found else f"{done}/{total} {at}"
                                on_step(done, total, f"{at} {found}", line)
                            elif isinstance(found, Cell):
                                others = (c for c in results.cells if c.label != found.label)
                                results.cells = [*others, found]
                            elif (line := f"{spec.label}: {found}") not in results.refused:
                                results.refused.append(line)
                    done += 1
            if job.out and results.timed:
                results.save(job.out)


def _note_start(results: Results, kind: str, started: dict[str, Any]) -> None:
    """Note a worker's environment and the time in which JAX started."""
    noted = results.about["workers"].setdefault(kind, {"seconds to start JAX": []})
    noted["seconds to start JAX"].append(round(started.pop("seconds"), 4))
    noted |= started


def _apart(job: Job, results: Results, begin: float, on_step: OnStep) -> None:
    """Measure the reference's first calls in every cell, and memory of rows in larger ones."""
    cells = [(spec, cell) for spec in job.specs if (cell := results.cell(spec.label))]
    todo = [
        ("first", "phases", spec, row, names.GRAD_AOT)
        for spec, cell in cells
        for row in cell.rows
        if row.name == names.REFERENCE
    ]
    todo += [
        (what, field, spec, row, row.name)
        for spec, cell in cells
        # A device reports the peak since the start of a process; only the planned memory is usable.
        if job.weigh and spec.device == "cpu" and cell.bytes >= WORTH_WEIGHING
        for row in cell.timed(CONTENDER)
        if row.name in OF_MEMORY
        for what, field in MEMORY.items()
    ]
    for done, (what, field, spec, row, called) in enumerate(todo):
        if time.time() > begin + job.limit:
            results.left_out.append(f"{spec.label}: {row.name}: no time left for {what}")
            continue
        running = f"{what}: {spec.label}: {row.name}"
        on_step(done, len(todo), running, f"{done}/{len(todo)} {running}")
        # The times are valid without these measurements.
        with suppress(WorkerError), Worker(spec.threads, spec.device) as worker:
            for value in worker.ask(measure, spec, called, field):
                setattr(row, field, value)


def time_cell(
    spec: Spec, job: Job, process: int, cell: Cell | None = None
) -> Iterator[str | Cell | RefusedError]:
    """Gate and time every row of a cell; add to what earlier processes measured of it.

    The number of the process orders the rows within rounds.

    Yields:
        The name of each row as it begins, "" for the gate; and last the cell, or why no answer in
        it could be judged.
    """
    wide = jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision("highest"):
        yield ""
        problem = spec.problem()
        makers = _makers(problem, spec)
        try:
            judge = _gate(spec, problem, job)
            cell = cell or _described(spec, problem, judge, _rows(makers, spec, job))
        except RefusedError as error:
            yield error
            return
        ready: dict[str, Ready] = {}
        repeats: dict[str, int] = {}
        for row in cell.rows:
            if row.absent or row.wrong:
                continue
            yield row.name
            try:
                made = makers[row.name](problem)
                if calls := _tried(row, made, judge):
                    ready[row.name], repeats[row.name] = made, calls
            except Unavailable as reason:
                row.absent = str(reason)
            except Exception as error:  # a library's failure must not affect the other rows
                row.wrong = f"it raised {error_line(error)}"
        yield "rounds"
        pause = cell.threads != "1" and (cell.flops or 0) > MANY_FLOPS
        times, last = time_rounds(
            {name: made.run for name, made in ready.items()},
            -(-job.rounds // job.processes),
            repeats=repeats,
            pause=pause,
            shuffle=random.Random(process).shuffle,
        )
        for row in cell.rows:
            if row.name in last:
                apply_gate(row, ready[row.name], last[row.name], judge)
                row.samples.append(times[row.name])
            if row.absent or row.wrong:  # it is timed in all processes or none
                row.samples = []
    yield cell


def _described(spec: Spec, problem: Problem, judge: Judge, rows: list[Row]) -> Cell:
    seen = judge.sees() if isinstance(judge, Gate) else None
    if seen is not None and seen < BLIND:
        raise RefusedError(
            f"all but {seen:.1%} of the gradient could be 0 and the gate would not see it"
        )
    products = [m * k * n for m, k, n in problem.products]
    forward = products[: (len(products) + 1) // 3]  # three products a layer, two for the first
    return Cell(
        *(spec.case, spec.size, spec.dtype, spec.threads, spec.precision, spec.device),
        about=problem.about,
        parameters=problem.parameters,
        flops=float(2 * sum(products)) or None,
        bytes=problem.moved,
        # None without products, as the exponentials dominate there.
        expected_cost=sum(products) / sum(forward) if products else None,
        sees=seen,
        rows=rows,
    )


def _gate(spec: Spec, problem: Problem, job: Job) -> Judge:
    """Build the problem's gate, or take an earlier process's: it may take longer than the cell."""
    kept = job.gates / f"{spec.label.replace('/', '_')}.pickle" if job.gates else None
    if kept is not None and kept.exists():
        return pickle.loads(kept.read_bytes())
    judge = problem.gate()
    if kept is not None:
        kept.write_bytes(pickle.dumps(judge))
    return judge


def _makers(problem: Problem, spec: Spec) -> dict[str, Callable[[Any], Ready]]:
    """Return what prepares each row, in order."""
    made = contenders(problem)
    of_this = {name: made[name] for name in names.CONTENDERS if name in made}
    of_this[names.AGAIN] = made[names.REFERENCE]
    if alone := problem.loss_alone():
        of_this[names.LOSS] = lambda _: alone
    return of_this | floors(problem, spec.device)


def _rows(makers: Collection[str], spec: Spec, job: Job) -> list[Row]:
    """List all rows; one that is not timed here says why."""
    # The reference is always timed, for the ratios and the noise.
    wanted, rows = {names.REFERENCE, *(job.only or names.CONTENDERS)}, []
    for name in filter(wanted.__contains__, names.CONTENDERS):
        left_out = name in spec.leave_out and name not in job.only
        absent = "not in this set; --contender times it" if left_out else ""
        absent = absent if name in makers else "not for this problem"
        rows.append(Row(name, CONTENDER, absent=absent))
    others = {names.AGAIN: AGAIN, names.LOSS: LOSS}
    rest = (name for name in makers if name not in names.CONTENDERS)
    return rows + [Row(name, others.get(name, FLOOR)) for name in rest]


def _tried(row: Row, ready: Ready, judge: Judge) -> int:
    """Call a row, judge its answer, warm it up; return how many calls fill a sample, 0 if wrong."""
    answer = ready.run()
    row.called = ready.called
    if row.name in INSPECTED and not row.operations and ready.compiled is not None:
        _inspect(row, ready.compiled())
    apply_gate(row, ready, answer, judge)
    if row.wrong:
        return 0
    # A part of the floor is one operation, which warms up faster.
    least = WARM_SECONDS / 4 if row.kind == FLOOR else WARM_SECONDS
    steady_after, each = warm_up(ready.run, least)
    row.steady_after.append(steady_after)
    return calls_of_a_sample(each, SAMPLE_SECONDS)


def _inspect(row: Row, program: Any) -> None:
    """Note what the compiler says of a program: its FLOPs, operations and planned memory."""
    row.counted_flops = (program.cost_analysis() or {}).get("flops")
    for made, operation in LINE.findall(program.as_text()):
        count, largest = row.operations.get(operation, (0, 0))
        shapes = (filter(None, shape.split(",")) for shape in SHAPE.findall(made))
        numbers = sum(math.prod(map(int, lengths)) for lengths in shapes)
        row.operations[operation] = [count + 1, max(largest, numbers)]
    row.operations = dict(sorted(row.operations.items()))
    if planned := program.memory_analysis():
        row.planned_bytes = planned.temp_size_in_bytes + planned.output_size_in_bytes


def apply_gate(row: Row, ready: Ready, answer: Any, judge: Judge) -> None:
    """Judge an answer, if the row has one, and note the result in the row."""
    if row.kind == FLOOR:
        return
    leaves, judge = ready.read(answer), ready.judge(judge)
    row.wrong = judge.complaint(leaves)
    if not row.wrong:
        row.gate_error = max(judge.share(leaves), row.gate_error or 0.0)


def warm_up(run: Callable[[], Any], least: float = WARM_SECONDS) -> tuple[int, float]:
    """Call a function until it is warm: for a minimum time and count, and until times settle.

    Returns:
        The number of calls until the times no longer fell, and the seconds of a call by then.
    """
    times: list[float] = []
    begin = time.perf_counter()
    while True:
        before = time.perf_counter()
        run()
        now = time.perf_counter()
        times.append(now - before)
        enough = now - begin >= least and len(times) >= WARM_CALLS
        if now - begin >= WARM_AT_MOST or (enough and _falls_no_more(times)):
            break
    each = median(times[-max(len(times) // 3, 1) :])
    # The first of three successive calls as fast as the last ones.
    fast = [seconds <= each / STEADY for seconds in times]
    steady = (at for at in range(len(times) - 2) if all(fast[at : at + 3]))
    return next(steady, len(times)), each


def _falls_no_more(times: list[float]) -> bool:
    third = len(times) // 3
    return median(times[-third:]) >= STEADY * median(times[-2 * third : -third])


def measure(spec: Spec, name: str, field: str) -> Iterator[Any]:
    """Measure a field of a row in a process that has just started; yield it if it is known."""
    if field == "peak_bytes":
        give_back_freed_memory()
    started()
    problem, wide = spec.problem(), jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision("highest"):
        value = FIELDS[field](contenders(problem)[name](problem))
    if value is not None:
        yield value


def _peak(ready: Ready) -> int | None:
    """Return the peak memory of a call in bytes, result included, above that between calls."""
    ready.run()
    # JAX frees a result's memory asynchronously.
    time.sleep(SETTLE_SECONDS)
    try:
        # This resets the system's peak of this process to the current memory.
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # the system does not report it
        return None
    before = psutil.Process().memory_info().rss
    for _ in range(CALLS):
        ready.run()
    found = re.findall(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return max(int(found[0]) * 1024 - before, 0)


def _untuned(ready: Ready) -> float:
    """Return the median seconds of a call with the C library's default settings."""
    with collector_off():
        ready.run()
        return median(sample(ready.run, 1)[0] for _ in range(TIMED_CALLS))


#: What is measured, by the field of the row.
FIELDS: dict[str, Callable[[Ready], Any]] = {
    "phases": lambda ready: {**ready.phases, "first call": sample(ready.run, 1)[0]},
    "peak_bytes": _peak,
    "untuned": _untuned,
}
