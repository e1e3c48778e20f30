"""A request to stop: work that can end between two steps goes on to the next one."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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

    def _on_signal(self, number: int, frame: Any) -> None:  # noqa: ARG002 (the signal module's signature)
        if self.signal == number == signal.SIGINT:
            raise KeyboardInterrupt
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
