"""A process that measures what it is asked for; what it says is read as it comes.

It is started anew for every repetition, so that what differs between processes, where arrays lie
and what was compiled, is part of what is measured.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from benchmarks.process import Process, StoppedError, WorkerError

if TYPE_CHECKING:
    from benchmarks.cases import Spec
    from benchmarks.protocol.cell import Plan

TIMES, FIRST, MEMORY, UNTUNED = "times", "first", "memory", "time without freed memory kept"

#: What libraries of linear algebra read the number of their threads from.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Request:
    """What a process is asked for."""

    measure: str
    """TIMES of cells, or of one cell what comes FIRST, or of a contender the MEMORY, or the time
    UNTUNED: in a process that was not told to keep freed memory."""
    specs: "list[Spec]"  #: all on as many threads, on one device
    plan: "Plan | None" = None  #: for TIMES
    name: str = ""  #: the contender, for MEMORY and UNTUNED
    deadline: float | None = None  #: seconds since the epoch, after which no cell is begun


def answers(request: Request) -> Iterator[dict[str, Any]]:
    """What a worker says, as it says it; it is ended when nobody listens any longer.

    Raises:
        WorkerError: it ended before it had answered.
    """
    first = request.specs[0]
    env = environment(first.threads, first.device)
    with Process(_work, first.threads, env=env) as worker:
        worker.send(request)
        try:
            while (answer := worker.receive()) is not None:
                yield answer
        except StoppedError as error:
            raise WorkerError(worker.ending()) from error


def environment(threads: str, device: str) -> dict[str, str]:
    """The variables under which a worker runs.

    Nothing compiled is taken from an earlier run; memory of a device is taken as it is needed, so
    that it can be counted. Beside a GPU the processor stays usable: gates are made there.
    """
    # What somebody has set for other programs is not what the label of a cell says.
    found = {name: value for name, value in os.environ.items() if name not in THREADS}
    return found | {
        "JAX_ENABLE_COMPILATION_CACHE": "0",
        "JAX_PLATFORMS": "cuda,cpu" if device == "gpu" else "cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **(dict.fromkeys(THREADS, "1") if threads == "1" else {}),
    }


def _work(pipe: Connection, threads: str) -> None:
    """In the other process: answer the request."""
    if threads == "1":
        # Before anything is loaded that counts the processors: XLA and BLAS size their pools so.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    request, kept = pipe.recv(), False
    if request.measure == TIMES:
        from compare.memory import keep_freed_memory

        kept = keep_freed_memory()  # before JAX has computed anything
    started = _started()
    if request.measure == FIRST:
        from benchmarks.protocol.first import phases

        pipe.send({"phases": phases(request.specs[0])})
    elif request.measure == MEMORY:
        from benchmarks.protocol.memory import peak

        pipe.send({"peak": peak(request.specs[0], request.name)})
    elif request.measure == UNTUNED:
        from benchmarks.protocol.memory import time_untuned

        pipe.send({"untuned": time_untuned(request.specs[0], request.name)})
    else:
        pipe.send({"started": {**started, "keeps freed memory": kept}})
        _time(request, pipe.send)


def _time(request: Request, say: Callable[[Mapping[str, Any]], None]) -> None:
    from benchmarks.problems.deviation import AtAKinkError
    from benchmarks.protocol.cell import RefusedError, time_cell

    specs, plan = request.specs, request.plan
    assert plan is not None
    if request.deadline is None:
        # Each repetition in an order of its own: what a cell leaves behind meets another one. Where
        # time may run out, what comes last is what is left out.
        random.Random(plan.seed).shuffle(specs)
    for spec in specs:
        label = spec.label
        if request.deadline is not None and time.time() > request.deadline:
            say({"left_out": label})
            continue
        say({"begun": label})
        try:
            cell = time_cell(spec, plan, lambda row, label=label: say({"at": label, "row": row}))
        except (AtAKinkError, RefusedError) as error:
            say({"refused": label, "why": str(error)})
        else:
            say({"cell": cell})


def _started() -> dict[str, Any]:
    """Start JAX with a program as small as any, so that no cell pays for the start; what it took.

    And what the process runs on, which only now can be known.
    """
    import jax
    import threadpoolctl

    begin = time.perf_counter()
    jax.block_until_ready(jax.jit(lambda x: x + 1)(1.0))
    seconds = time.perf_counter() - begin
    device = jax.devices()[0]
    return {
        "seconds": seconds,
        "device": device.device_kind,
        "platform": jax.default_backend(),
        "blas": [
            {key: found.get(key) for key in ("internal_api", "version", "num_threads")}
            for found in threadpoolctl.threadpool_info()
        ],
    }
