"""Ctrl-C that is not lost: Python can drop the exception where a library calls back into it."""

import signal
from typing import Any

_asked = False


def listen() -> None:
    """Raise KeyboardInterrupt on Ctrl-C as Python does, and remember that it was asked for."""
    signal.signal(signal.SIGINT, _on_signal)


def check() -> None:
    """Raise KeyboardInterrupt if it was asked for and got lost."""
    if _asked:
        raise KeyboardInterrupt


def _on_signal(number: int, frame: Any) -> None:  # noqa: ARG001 (the signal module's signature)
    global _asked
    _asked = True
    raise KeyboardInterrupt
