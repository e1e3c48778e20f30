"""Run a whole session: every cell in several processes, with results stored as they come."""

import math
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import names
from benchmarks.files import expect_writable
from benchmarks.process import Worker, WorkerError, begun
from benchmarks.protocol.cell import Job, measure, time_cell
from benchmarks.results import CONTENDER, Cell, Results

#: Contenders whose memory and untuned time are measured: the three main ones, and PyTorch.
OF_MEMORY = (names.HAND, names.HAND_JIT, names.GRAD, names.TORCH)

#: What is measured of them, and the field for it.
MEMORY = {"memory": "peak_bytes", "time without freed memory kept": "untuned"}

#: Bytes of arguments and result from which memory is measured; below, a process's own memory varies
#: by as much.
WORTH_WEIGHING = 2**23


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
