"""What a piece of work costs, a guard against work without end, and the revision that did it."""

import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class OverrunError(BaseException):
    """More processor time than was allowed; no `except Exception` holds it up."""


class Cost(NamedTuple):
    """Processor time in seconds, that of ended children included, and peak memory in MB."""

    seconds: float
    megabytes: float


def cost() -> Cost:
    """Return what this process and its ended children have used until now."""
    own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return Cost(seconds, max(own.ru_maxrss, others.ru_maxrss) / 1024)


@contextmanager
def at_most(seconds: float, by_interrupt: bool = False) -> Iterator[None]:
    """Raise `OverrunError` in the work within when it has used so much processor time, or Ctrl-C.

    Again and again after that, since Python drops what is raised inside a callback.
    """

    def ring(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
        if by_interrupt:
            signal.raise_signal(signal.SIGINT)
            return
        raise OverrunError(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def revision() -> str:
    """Return the checkout's revision."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Clock:
    """Seconds of real time since it was made, for a run that is to begin nothing after so long."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return time.monotonic() - self._start
