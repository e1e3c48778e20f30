"""Limits on time that say the same on a busy machine as on an idle one, and a line of progress."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from shutil import get_terminal_size
from typing import TextIO

#: How long a check may take by default.
SECONDS = 20.0

#: By how much the wall clock may exceed a limit: on a machine with ten processes for each core, or
#: for a loss that waits for a device, which takes no processor time.
PATIENCE = 10.0

#: Seconds after which work says how far it is, and between two such lines.
SAID_AFTER, SAID_EVERY = 2.0, 0.5


class OutOfTimeError(BaseException):
    """The time for some work is up; not an `Exception`, so that no handler of errors takes it."""


class Clock:
    """A limit on the processor time of this process, and a looser one on wall-clock time.

    Other load takes none of the processor time. Threads of a loss add theirs to it, so that a limit
    is never reached before as much time has passed on the wall clock, either.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._wall, self._processor = time.perf_counter(), time.process_time()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        passed = self.passed  # the processor's time takes longer to ask for
        if passed <= self.seconds:
            return False
        return passed > PATIENCE * self.seconds or self.spent > self.seconds

    @property
    def left(self) -> float:
        """The seconds that are left; -1 if the time is up."""
        return -1.0 if self.over else self.seconds - self.spent

    @property
    def spent(self) -> float:
        """The seconds that count: of the processor, and no more than have passed."""
        return min(self.passed, time.process_time() - self._processor)

    @property
    def passed(self) -> float:
        """The seconds on the wall clock."""
        return time.perf_counter() - self._wall


class Allowance:
    """Seconds that several parts of some work have in common, whenever they are done."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @contextmanager
    def limited(self, part: float = 1.0) -> Iterator[Clock]:
        """Limit what is done within to a part of what is left, which it takes from the rest."""
        with limited(part * self._left) as clock:
            try:
                yield clock
            finally:
                self._left = max(0.0, self._left - clock.spent)


class Progress:
    """A line on standard error, if that is a terminal, that says how far long work is."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._at, self._next, self._shown = clock, "", SAID_AFTER, 0
        self.part = ""  #: which part of several is worked on, for the line

    def at(self, what: str) -> None:
        """Say what is done from now on."""
        self._at = what
        self.tick()

    def tick(self) -> None:
        """Write the line, if it is time to."""
        passed = self._clock.passed
        if passed < self._next or not _is_terminal(sys.stderr):
            return
        self._next = passed + SAID_EVERY
        part = f"{self.part}: " if self.part else ""
        line = f"handgrad: {part}{self._at}, {passed:.0f} s"
        line = line[: get_terminal_size().columns - 1]  # of one that is wrapped a part would stay
        self._write(line)
        self._shown = len(line)

    def close(self) -> None:
        """Remove the line."""
        if self._shown and _is_terminal(sys.stderr):
            self._write("")

    def _write(self, line: str) -> None:
        sys.stderr.write(f"\r{line.ljust(self._shown)}" + ("" if line else "\r"))
        sys.stderr.flush()


def _is_terminal(stream: TextIO | None) -> bool:
    # Without a console there is no stream, and a caller may have closed it.
    return stream is not None and not stream.closed and stream.isatty()


_LIMIT: ContextVar[Clock | None] = ContextVar("limit", default=None)
_PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def limited(seconds: float) -> Iterator[Clock]:
    """Let `check_time` raise after so many seconds, or earlier if a limit around this one ends."""
    around = _LIMIT.get()
    clock = Clock(min(seconds, around.left) if around else seconds)
    token = _LIMIT.set(clock)
    try:
        yield clock
    finally:
        _LIMIT.reset(token)


@contextmanager
def reported(clock: Clock) -> Iterator[Progress]:
    """Show the progress of the work within, each time that it calls `check_time`.

    Of work that is a part of some other, it is that of all.
    """
    if (of_all := _PROGRESS.get()) is not None:
        yield of_all
        return
    progress = Progress(clock)
    token = _PROGRESS.set(progress)
    try:
        yield progress
    finally:
        _PROGRESS.reset(token)
        progress.close()


def time_in_all(otherwise: float) -> float:
    """Return the seconds of the limit that the running work has, or others if it has none."""
    limit = _LIMIT.get()
    return limit.seconds if limit else otherwise


def time_left(otherwise: float) -> float:
    """Return the seconds that the running work has left, or others if it has no limit."""
    limit = _LIMIT.get()
    return limit.left if limit else otherwise


def check_time() -> None:
    """Raise if the time is up, and say how far the work is, if that is due.

    Long work calls this every few milliseconds.

    Raises:
        OutOfTimeError: the time of a limit is up.
    """
    progress, clock = _PROGRESS.get(), _LIMIT.get()
    if progress is not None:
        progress.tick()
    if clock is not None and clock.over:
        raise OutOfTimeError
