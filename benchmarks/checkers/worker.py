"""A process of its own for a checker, so that it can be stopped: by time, or by memory.

It is spawned, never forked (a fork of a process in which JAX has started hangs), asked case after
case while it is warm, and killed by its own number where it takes too long; the next question
starts another one.
"""

import multiprocessing
import os
import re
import signal
import threading
import time
import warnings
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.checkers.cases import Case
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.question import NO_ANSWER, Answer, Question

#: Bytes that a checker may use. The largest case, 10⁶ parameters, takes handgrad 1.3 GB.
MEMORY = 6 * 2**30

#: Seconds within which a checker must have been loaded; ours take three to ten.
START = 180.0

#: Seconds between two looks at the memory of a process.
LOOK = 0.2


@dataclass(frozen=True)
class Reply:
    """What came of a case."""

    answer: Answer
    wrong_leaves: tuple[str, ...] = ()  #: where the gradient was wrong; empty if not known
    leaves: int = 0  #: how many leaves the parameters have; 0 if not known


class WorkerError(RuntimeError):
    """The harness itself failed: a case that cannot be built, a checker that cannot be loaded."""


class Worker:
    """Asks one checker in another process; a context manager that leaves no process behind."""

    def __init__(self, contender: Contender, limit: float, memory: int = MEMORY) -> None:
        self.contender, self.limit, self.memory = contender, limit, memory
        self._process: Any = None
        self._pipe: Any = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, case: Case) -> Reply:
        """The checker's answer, or that there is none within the limits.

        Raises:
            WorkerError: the case cannot be built, or the checker cannot be loaded.
        """
        if self._process is None:
            self._start()
        self._pipe.send(case)
        # The clock begins when the case is built; building it may take as long as checking it.
        message = self._received(self.limit)
        return message if isinstance(message, Reply) else self._received(self.limit)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, self.contender)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        if isinstance(failed := self._received(START), Reply):
            raise WorkerError(f"{self.contender.name}: does not start: {failed.answer.reason}")

    def _received(self, limit: float) -> Any:
        """What the process says next, or a reply that it did not."""
        began = time.perf_counter()
        stopped = self._stopped(began, limit)
        message = None
        try:
            message = None if stopped else self._pipe.recv()
        except (EOFError, OSError):
            stopped = "crashed"
        if stopped:
            self.stop()
            return Reply(Answer(NO_ANSWER, stopped, seconds=time.perf_counter() - began))
        if isinstance(message, WorkerError):
            self.stop()
            raise message
        return message

    def _stopped(self, began: float, limit: float) -> str:
        """Why the process is not waited for any longer; "" when it has spoken, or ended."""
        while not self._pipe.poll(min(LOOK, limit)):
            if time.perf_counter() - began > limit:
                return "time"
            if resident(self._process.pid) > self.memory:
                return "memory"
        return ""

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
        self._process = self._pipe = None


def resident(pid: int) -> int:
    """Bytes of memory that a process holds; 0 where the system is not Linux, which tells."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def serve(pipe: Connection, contender: Contender) -> None:
    """The other process: answers cases until the pipe closes."""
    # Ctrl-C reaches every process of a terminal; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    try:
        _answered(contender, _warm_up())
        pipe.send("ready")
        while True:
            case = pipe.recv()
            question = case.build()
            pipe.send("built")
            answer = _answered(contender, question)
            pipe.send(Reply(answer, question.wrong_leaves(), len(question.paths)))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        pipe.send(WorkerError(f"{contender.name}: {type(error).__name__}: {error}"))


def _end_with_the_parent() -> None:
    """A parent that was killed cannot end this process, which may be at a check for hours."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answered(contender: Contender, question: Question) -> Answer:
    import jax

    with jax.enable_x64(True):
        began = time.perf_counter()
        try:
            answer = contender.ask(question)
        except MemoryError:
            answer = Answer(NO_ANSWER, "memory")
        except Exception as error:
            answer = Answer(NO_ANSWER, "error", message=f"{type(error).__name__}: {error}")
        return replace(answer, seconds=time.perf_counter() - began)


def _warm_up() -> Question:
    """A question that loads what the checker needs, so that no case pays for it."""
    import jax.numpy as jnp
    import numpy as np

    def gradient(params: Any) -> Any:
        return {"w": 2 * params["w"]}

    return Question(lambda params: jnp.sum(params["w"] ** 2), gradient, {"w": np.ones(2)}, ())
