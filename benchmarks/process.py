"""Run a measurement in another process: start it, receive messages, stop it.

It is spawned, never forked: a fork of a process in which JAX has started hangs.
"""

import math
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import psutil

#: Seconds between two readings of a process's memory.
POLL_SECONDS = 0.2


class WorkerError(RuntimeError):
    """The harness failed: a process raised an exception or ended before it had answered."""


class StoppedError(RuntimeError):
    """A process was stopped; the message is `time`, `memory` or `crashed`."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class Process:
    """Runs `work(pipe, *given)` in another process; a context manager that always ends it.

    Messages of `work` are received here, with None as the last; its output is captured.

    Args:
        work: a function of a module that imports nothing large.
        given: the arguments that `work` needs before it imports anything large; the rest is sent.
    """

    def __init__(self, work: Callable[..., None], *given: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._printed = tempfile.NamedTemporaryFile()  # noqa: SIM115 (closed in `stop`)
        arguments = (theirs, self._printed.name, work, *given)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def send(self, message: Any) -> None:
        """Send a message; an ended process is only noticed by `receive`."""
        with suppress(BrokenPipeError):
            self._pipe.send(message)

    def receive(
        self, limit: float = math.inf, memory: float = math.inf, patience: float = 1.0
    ) -> Any:
        """Receive the next message.

        Args:
            limit: seconds after which the process is stopped.
            memory: bytes of memory beyond which it is stopped.
            patience: how many times the limit may go by as long as the process has used less of
                processors, which on a busy machine it waits for.

        Raises:
            StoppedError: the process was stopped, or has ended.
            WorkerError: it raised an exception.
        """
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
            raise StoppedError(stopped, time.perf_counter() - began)
        if isinstance(message, WorkerError):
            raise message
        return message

    def ending(self) -> str:
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


def _serve(pipe: Connection, printed: str, work: Callable[..., None], *given: Any) -> None:
    """Run the work in the other process."""
    # Ctrl-C reaches every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with open(printed, "a", encoding="utf-8") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    try:
        work(pipe, *given)
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
