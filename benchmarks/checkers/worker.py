"""Run a checker in its own process, so that it can be stopped by time or memory.

The process checks case after case; after it was stopped, the next case starts a new one.
"""

import resource
import time
import warnings
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.checkers.cases import Case
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.question import NO_ANSWER, Answer
from benchmarks.process import Process, StoppedError, WorkerError
from handgrad.clock import PATIENCE

#: Bytes that a checker may use. The largest case, 10⁶ parameters, takes handgrad 1.3 GB.
MEMORY = 6 * 2**30

#: Seconds within which a checker must have been loaded; ours take three to ten.
START = 180.0


@dataclass(frozen=True)
class Reply:
    """The result of a case."""

    answer: Answer
    wrong_leaves: tuple[str, ...] = ()  #: the wrong leaves of the gradient; empty if not known
    leaves: int = 0  #: the number of leaves of the parameters; 0 if not known


class Worker:
    """Runs one checker in another process; a context manager that leaves no process behind."""

    def __init__(self, contender: Contender, limit: float, memory: int = MEMORY) -> None:
        self.contender, self.limit, self.memory = contender, limit, memory
        self._process: Process | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask(self, case: Case) -> Reply:
        """Return the checker's answer, or that there is none within the limits.

        Raises:
            WorkerError: the case cannot be built, or the checker cannot be loaded.
        """
        process = self._started()
        process.send(case)
        try:
            # The time starts when the case is built, which may take as long as checking it.
            process.receive(self.limit, self.memory, PATIENCE)
            return process.receive(self.limit, self.memory, PATIENCE)
        except StoppedError as stopped:
            self.stop()
            return Reply(Answer(NO_ANSWER, str(stopped), seconds=stopped.seconds))
        except WorkerError as error:
            self.stop()
            raise WorkerError(f"{self.contender.name}: {error}") from error

    def _started(self) -> Process:
        if self._process is None:
            self._process = Process(answer, self.contender)
            try:
                self._process.receive(START)
            except StoppedError as stopped:
                raise WorkerError(f"{self.contender.name}: does not start: {stopped}") from stopped
        return self._process

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.stop()
        self._process = None


def answer(pipe: Connection, contender: Contender) -> None:
    """Answer cases until the pipe closes; runs in the other process."""
    warnings.simplefilter("ignore")
    _answered(contender, contender.first())
    pipe.send("ready")
    while True:
        question = pipe.recv().build()
        pipe.send("built")
        given = _answered(contender, question)
        pipe.send(Reply(given, question.wrong_leaves(), len(question.paths)))


def _answered(contender: Contender, question: Any) -> Answer:
    import jax

    with jax.enable_x64(True):
        began, used = time.perf_counter(), processor_seconds()
        try:
            answer = contender.ask(question)
        except MemoryError:
            answer = Answer(NO_ANSWER, "memory")
        except Exception as error:
            answer = Answer(NO_ANSWER, "error", message=f"{type(error).__name__}: {error}")
        seconds, cpu = time.perf_counter() - began, processor_seconds() - used
        return replace(answer, seconds=seconds, cpu=cpu)


def processor_seconds() -> float:
    """Return the seconds of processors that this process has used, and its ended children.

    All threads count, so that it may be more than has gone by; what others do on the machine does
    not, but for what they cost in caches.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
