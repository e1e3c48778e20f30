"""Run measurements in another process: start it, ask it, stop it.

It is spawned, never forked: a fork of a process in which JAX has started hangs. A worker is started
anew for every repetition, so that differences between processes, such as the placement of arrays,
are part of the measurement.
"""

import math
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import psutil

#: Seconds between two readings of a process's memory.
POLL_SECONDS = 0.2

#: The variables from which linear algebra libraries read their number of threads.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerError(RuntimeError):
    """The harness failed: a process raised an exception or ended before it had answered."""


class StoppedError(WorkerError):
    """A process was stopped, or has ended: `why` is `time`, `memory` or `crashed`."""

    def __init__(self, why: str, seconds: float, says: str) -> None:
        super().__init__(says or why)
        self.why, self.seconds = why, seconds


class Worker:
    """A process with its number of threads and its device, for any number of requests.

    A context manager that always ends it; its output is captured.
    """

    def __init__(self, threads: str = "all", device: str = "cpu") -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._printed = tempfile.NamedTemporaryFile()  # noqa: SIM115 (closed in `stop`)
        arguments = (theirs, self._printed.name, threads, device)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(
        self,
        work: Callable[..., Iterator[Any]],
        *given: Any,
        limit: float = math.inf,
        memory: float = math.inf,
        patience: float = 1.0,
    ) -> Iterator[Any]:
        """Yield what `work` of these arguments yields there, as it comes.

        Args:
            work: a function of a module.
            *given: its arguments.
            limit: seconds before each answer after which the process is stopped.
            memory: bytes of memory beyond which it is stopped.
            patience: how many times the limit may go by as long as the process has used less of
                processors, which on a busy machine it waits for.

        Raises:
            StoppedError: the process was stopped, or has ended.
            WorkerError: it raised an exception.
        """
        with suppress(BrokenPipeError):  # that it has ended is noticed below
            self._pipe.send((work, given))
        while (answer := self._receive(limit, memory, patience)) is not None:
            yield answer

    def _receive(self, limit: float, memory: float, patience: float) -> Any:
        """Receive the next answer, None after the last one."""
        began, before, stopped, message = time.perf_counter(), used(self.pid)[0], "", None
        while not stopped and not self._pipe.poll(min(POLL_SECONDS, limit)):
            passed = time.perf_counter() - began
            worked, resident = used(self.pid)
            if passed > limit and max(passed / patience, worked - before) > limit:
                stopped = "time"
            elif resident > memory:
                stopped = "memory"
        try:
            message = None if stopped else self._pipe.recv()
        except (EOFError, OSError):
            stopped = "crashed"
        if stopped:
            says = self._ending() if stopped == "crashed" else ""
            raise StoppedError(stopped, time.perf_counter() - began, says)
        if isinstance(message, WorkerError):
            raise message
        return message

    def _ending(self) -> str:
        """Describe how the process crashed: its exit code and last line of output."""
        self._process.join()
        printed = Path(self._printed.name).read_text(encoding="utf-8", errors="replace").strip()
        last = printed.splitlines()[-1] if printed else "it said nothing"
        return f"a worker ended with {self._process.exitcode}: {last}"

    def stop(self) -> None:
        """End the process if it is running."""
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._printed.close()


def used(pid: int | None) -> tuple[float, int]:
    """Return a process's seconds of processors, and its resident bytes; zeros if it has ended."""
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return 0.0, 0


def _serve(pipe: Connection, printed: str, threads: str, device: str) -> None:
    """Answer requests in the other process, before which XLA and BLAS are not loaded."""
    # Ctrl-C reaches every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with open(printed, "a", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    wanted = environment(threads, device)
    os.environ.clear()
    os.environ.update(wanted)
    if threads == "1":
        # They size their thread pools by the processors.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    try:
        while True:
            work, given = pipe.recv()
            for answer in work(*given):
                pipe.send(answer)
            pipe.send(None)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        pipe.send(WorkerError(f"{type(error).__name__}: {error}"))


def _end_with_the_parent() -> None:
    """Watch the parent: if it is killed, it cannot end this process, which may run for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
