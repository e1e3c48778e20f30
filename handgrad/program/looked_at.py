"""Whether code asks for the value of what JAX is tracing, and goes on when it gets none."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

#: What JAX raises where a value is asked for. While somebody records, they tell.
_REFUSALS = jax.errors.JAXTypeError, jax.errors.JAXIndexError
_FOUND: ContextVar[list[str] | None] = ContextVar("found", default=None)
_LOCK = threading.Lock()
_recording = 0


def _telling(kind: Any) -> Any:
    def init(self: Any, *args: Any) -> None:
        if (found := _FOUND.get()) is not None:
            found.append(type(self).__name__)
        super(kind, self).__init__(*args)

    return init


def _count(by: int) -> None:
    """Count who records; the first one makes the refusals tell, the last one ends that."""
    global _recording
    with _LOCK:
        before, _recording = _recording, _recording + by
        for kind in _REFUSALS:
            if not before:
                kind.__init__ = _telling(kind)
            elif not _recording:
                del kind.__init__


@contextmanager
def looked_at() -> Iterator[list[str]]:
    """Record each refusal of JAX to give a value, also those that the code catches.

    Code that is never refused cannot tell a tracer from an array by its value.
    """
    found: list[str] = []
    token = _FOUND.set(found)
    _count(1)
    try:
        yield found
    finally:
        _count(-1)
        _FOUND.reset(token)
