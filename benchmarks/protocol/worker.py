"""The worker process that measures on request and reports as it goes.

It is started anew for every repetition, so that differences between processes, such as the
placement of arrays, are part of the measurement.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from benchmarks.process import Process, StoppedError, WorkerError

if TYPE_CHECKING:
    from benchmarks.cases import Spec
    from benchmarks.protocol.cell import Plan

#: What a worker does: yields messages, of what `answers` was given.
Work = Callable[..., Iterator[dict[str, Any]]]

#: The variables from which linear algebra libraries read their number of threads.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def answers(work: Work, threads: str, device: str, *given: Any) -> Iterator[dict[str, Any]]:
    """Yield a worker's messages as they come; the worker is ended with the iteration.

    Raises:
        WorkerError: the worker ended before it had answered.
    """
    with Process(_work, threads, device) as worker:
        worker.send((work, given))
        try:
            while (answer := worker.receive()) is not None:
                yield answer
        except StoppedError as error:
            raise WorkerError(worker.ending()) from error


def environment(threads: str, device: str) -> dict[str, str]:
    """Return the environment variables of a worker.

    No compilation cache is used, and device memory is allocated on demand, so that it can be
    measured. With a GPU the processor stays usable, for building gates.
    """
    # Thread settings of the user would contradict the label of a cell.
    found = {name: value for name, value in os.environ.items() if name not in THREADS}
    return found | {
        "JAX_ENABLE_COMPILATION_CACHE": "0",
        "JAX_PLATFORMS": "cuda,cpu" if device == "gpu" else "cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **(dict.fromkeys(THREADS, "1") if threads == "1" else {}),
    }


def _work(pipe: Connection, threads: str, device: str) -> None:
    """Answer the request; runs in the other process, before which XLA and BLAS are not loaded."""
    wanted = environment(threads, device)
    os.environ.clear()
    os.environ.update(wanted)
    if threads == "1":
        # They size their thread pools by the processors.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    work, given = pipe.recv()
    for answer in work(*given):
        pipe.send(answer)


def times(
    specs: "list[Spec]", plan: "Plan", deadline: float | None = None
) -> Iterator[dict[str, Any]]:
    """Time cells with the same threads and device.

    Args:
        specs: the cells.
        plan: how.
        deadline: seconds since the epoch, after which no cell starts.

    Yields:
        What the worker is, the rows as they begin, and for each cell its times, or why it has none.
    """
    from benchmarks.problems.deviation import AtAKinkError
    from benchmarks.protocol.cell import RefusedError, time_cell
    from compare.memory import keep_freed_memory

    kept = keep_freed_memory()  # before JAX has computed anything
    yield {"started": {**started(), "keeps freed memory": kept}}
    if deadline is None:
        # A different order in each repetition, so that cells affect different successors. With a
        # deadline the order is fixed, as the last cells may be left out.
        random.Random(plan.seed).shuffle(specs)
    for spec in specs:
        label = spec.label
        if deadline is not None and time.time() > deadline:
            yield {"left_out": label}
            continue
        try:
            for answer in time_cell(spec, plan):
                yield {"at": label, "row": answer} if isinstance(answer, str) else {"cell": answer}
        except (AtAKinkError, RefusedError) as error:
            yield {"refused": label, "why": str(error)}


def started() -> dict[str, Any]:
    """Start JAX with a tiny program, so that no cell pays for it; return the time it took.

    Also return facts about the process that are only known now.
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
