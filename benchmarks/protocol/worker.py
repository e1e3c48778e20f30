"""The worker process that measures on request and reports as it goes.

It is started anew for every repetition, so that differences between processes, such as the
placement of arrays, are part of the measurement.
"""

import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.process import Process, StoppedError, WorkerError

#: The variables from which linear algebra libraries read their number of threads.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Worker(Process):
    """A process with its number of threads and its device, for any number of requests."""

    def __init__(self, threads: str, device: str) -> None:
        super().__init__(_work, threads, device)

    def ask(self, work: Callable[..., Iterator[Any]], *given: Any) -> Iterator[Any]:
        """Yield what `work` of these arguments yields there, as it comes.

        Raises:
            WorkerError: it raised an exception, or the worker ended before it had answered.
        """
        self.send((work, given))
        try:
            while (answer := self.receive()) is not None:
                yield answer
        except StoppedError as error:
            raise WorkerError(self.ending()) from error


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
    """Answer requests; runs in the other process, before which XLA and BLAS are not loaded."""
    wanted = environment(threads, device)
    os.environ.clear()
    os.environ.update(wanted)
    if threads == "1":
        # They size their thread pools by the processors.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    while True:
        work, given = pipe.recv()
        for answer in work(*given):
            pipe.send(answer)
        pipe.send(None)


def begun() -> Iterator[dict[str, Any]]:
    """Prepare a worker for timing cells, and yield what it is."""
    from compare.memory import keep_freed_memory

    kept = keep_freed_memory()  # before JAX has computed anything
    yield {**started(), "keeps freed memory": kept}


def started() -> dict[str, Any]:
    """Start JAX with a tiny program, so that no cell pays for it; return the time it took.

    Also return facts about the process that are only known now.
    """
    import jax
    import threadpoolctl

    begin = time.perf_counter()
    jax.block_until_ready(jax.jit(lambda x: x + 1)(1.0))
    seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "device": jax.devices()[0].device_kind,
        "platform": jax.default_backend(),
        "blas": [
            {key: found.get(key) for key in ("internal_api", "version", "num_threads")}
            for found in threadpoolctl.threadpool_info()
        ],
    }
