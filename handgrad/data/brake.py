"""The end of a limit on time in code of the caller that never looks at it: a loop in Python."""

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any, TypeVar

from handgrad.clock import Clock, OutOfTimeError
from handgrad.data.frames import is_handgrads, is_own

#: Seconds between two looks at the clock, and at what is running, once the time may be up.
EVERY = 0.1

#: Nothing is raised in these, which restore settings of a thread.
_RESTORE = ("__enter__", "__exit__", "__del__")

#: The code of functions of handgrad that run others' alone, perhaps a library's.
_INTERRUPTIBLE: set[CodeType] = set()

Function = TypeVar("Function", bound=Callable[..., object])


def interruptible(function: Function) -> Function:
    """Let libraries that a function calls be interrupted, as those that the caller's code calls."""
    _INTERRUPTIBLE.add(function.__code__)
    return function


@contextmanager
def braked(clock: Clock) -> Iterator[None]:
    """Raise `OutOfTimeError` in code of the caller that is still run when the time is up.

    Code in Python alone can be interrupted. That of handgrad looks at the time by itself.
    """
    thread, done, lock = threading.get_ident(), threading.Event(), threading.Lock()
    running = True

    def watch() -> None:
        wait = min(max(clock.seconds, 0.0), threading.TIMEOUT_MAX)  # no less passes on any clock
        while not done.wait(wait) and running:
            wait = EVERY
            with lock:
                if clock.over and _is_callers(sys._current_frames()[thread]) and running:
                    _raise_in(thread, OutOfTimeError)

    told_of = sys.unraisablehook

    def unraisable(lost: Any) -> None:
        # In a destructor or a callback of `weakref` Python drops it; it is raised again `EVERY`.
        if lost.exc_type is not OutOfTimeError:
            told_of(lost)

    sys.unraisablehook = unraisable
    threading.Thread(target=watch, name="handgrad: seconds", daemon=True).start()
    try:
        yield
    finally:
        running = False
        with suppress(OutOfTimeError):  # what has been raised too late
            with lock:  # it is not being raised now
                done.set()
            for _ in range(2):
                pass
        if sys.unraisablehook is unraisable:
            sys.unraisablehook = told_of


def _raise_in(thread: int, error: type[BaseException]) -> None:
    # It is raised in the next call or turn of a loop. What is pending cannot be taken back: NULL
    # would leave CPython 3.11 looking for it for ever.
    set_error = ctypes.pythonapi.PyThreadState_SetAsyncExc
    set_error(ctypes.c_ulong(thread), ctypes.py_object(error))


def _is_callers(frame: FrameType | None) -> bool:
    """Tell whether a frame is the caller's, or of a library that the caller's code has called."""
    outer = frame
    while outer is not None:  # a module that is half imported stays so
        if outer.f_code.co_filename.startswith("<frozen importlib"):
            return False
        outer = outer.f_back
    while frame is not None and not is_handgrads(frame.f_code.co_filename):
        module = frame.f_globals.get("__name__")
        if frame.f_code.co_name in _RESTORE or module == "contextlib":
            return False
        if _is_own_code(frame.f_globals):
            return True
        frame = frame.f_back
    return frame is not None and frame.f_code in _INTERRUPTIBLE


def _is_own_code(names: dict[str, Any]) -> bool:
    """Tell by its names whether code is the caller's, that which was typed or made of text too.

    What libraries make of text, for named tuples and data classes, has the names of a module.
    """
    file = names.get("__file__")
    return is_own(file) if file else names.get("__name__") in (None, "__main__")
