"""Ctrl-C that is not lost: Python can drop the exception where a library calls back into it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_asked = False


def listen() -> None:
    """Raise KeyboardInterrupt on Ctrl-C as Python does, and remember that it was asked for.

    Where it is dropped, as inside a callback of JAX on garbage collection, nothing is printed.
    """
    signal.signal(signal.SIGINT, _on_signal)
    sys.unraisablehook = _on_dropped


def check() -> None:
    """Raise KeyboardInterrupt if it was asked for and got lost."""
    if _asked:
        raise KeyboardInterrupt


def _on_signal(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
    global _asked
    _asked = True
    raise KeyboardInterrupt


def _on_dropped(dropped: Any) -> None:
    if not (_asked and issubclass(dropped.exc_type, KeyboardInterrupt)):
        sys.__unraisablehook__(dropped)


class Asked:
    """Whether somebody asked to stop, by Ctrl-C or by SIGTERM."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def listen(self) -> None:
        """Note the next signal instead of ending; a second Ctrl-C ends as usual."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    @property
    def code(self) -> int:
        """What shells expect of a process that a signal has stopped; 0 if none has."""
        return 0 if self.signal is None else 128 + self.signal

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.signal == number == signal.SIGINT:
            _on_signal(number, frame)
        self.signal = number


@contextmanager
def gently() -> Iterator[Asked]:
    """For work that can stop between two steps and report what it has: see `Asked`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    asked = Asked()
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
