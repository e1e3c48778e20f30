"""Handle Ctrl-C reliably: Python can drop the exception inside a library's callback."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_interrupted = False


def listen() -> None:
    """Raise KeyboardInterrupt on Ctrl-C as Python does, and remember it.

    Where the exception is dropped, as in JAX's callback on garbage collection, nothing is printed.
    """
    signal.signal(signal.SIGINT, _on_signal)
    sys.unraisablehook = _on_dropped


def check() -> None:
    """Raise KeyboardInterrupt if one was dropped."""
    if _interrupted:
        raise KeyboardInterrupt


def _on_signal(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
    global _interrupted
    _interrupted = True
    raise KeyboardInterrupt


def _on_dropped(dropped: Any) -> None:
    if not (_interrupted and issubclass(dropped.exc_type, KeyboardInterrupt)):
        sys.__unraisablehook__(dropped)


class StopRequest:
    """Records a request to stop, by Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def listen(self) -> None:
        """Note the next signal instead of ending; a second Ctrl-C ends as usual."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    @property
    def code(self) -> int:
        """The exit code that shells expect of a process stopped by the signal; 0 if none came."""
        return 0 if self.signal is None else 128 + self.signal

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.signal == number == signal.SIGINT:
            _on_signal(number, frame)
        self.signal = number


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Yield a `StopRequest` for work that can stop between steps; restore the handlers after."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    request = StopRequest()
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
