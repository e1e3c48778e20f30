"""A request to stop: work that can end between two steps goes on to the next one."""

import signal
from typing import Any


class StopRequest:
    """Records a request to stop, by Ctrl-C or SIGTERM; `with` restores the handlers after."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before = {of: signal.getsignal(of) for of in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> "StopRequest":
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def listen(self) -> None:
        """Note the next signal instead of ending; a second Ctrl-C ends as usual."""
        for number in self._before:
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
