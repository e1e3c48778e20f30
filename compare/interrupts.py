"""Ctrl-C that is not lost: Python can drop the exception where a library calls back into it."""

import signal
import sys
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
