"""Attempts that may fail, where an error costs a hint and not the answer.

A diagnosis runs the caller's functions at points of its own choice, and asks of JAX what it may not
have. Whatever these raise is passed over, and so would be a mistake in handgrad. Tests set the
environment variable `VARIABLE`, under which such an error is raised.
"""

import ast
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import reduce
from inspect import unwrap
from traceback import FrameSummary
from types import CodeType, FrameType, TracebackType
from typing import Any

from handgrad.data.frames import expression, frames_of, is_handgrads, is_own

#: Set to anything, it makes errors in handgrad itself fail what would pass over them.
VARIABLE = "HANDGRAD_RAISE_INTERNAL_ERRORS"

#: What the caller's functions may raise, also where they mean to end the process. It is no answer:
#: a process that ends with 0 would say that a gradient is right.
RAISED = (Exception, SystemExit)

#: What any code may raise where memory or the stack ends.
EXHAUSTED = (MemoryError, RecursionError)

#: What JAX notes on its errors where it takes its own frames off them, the last ones.
REMOVED = "JAX has removed its internal frames"

#: Installed functions that callers gave, by their ids, and their code: a gradient of SciPy's.
_GIVEN: dict[int, Any] = {}
_CODES: set[CodeType] = set()


def given(function: Callable[..., Any]) -> None:
    """Take down that a function is the caller's, though it be a library's.

    What it raises is no error of handgrad's then. Only where `VARIABLE` is set, since it is kept.
    """
    if not os.getenv(VARIABLE):
        return
    inner = function
    while hasattr(inner, "func"):  # as `functools.partial` has
        inner = inner.func  # pyright: ignore[reportFunctionMemberAccess]
    code = getattr(unwrap(inner), "__code__", None)
    if code is None or _is_of_library(code.co_filename):
        _GIVEN[id(function)] = function
        _CODES.update(() if code is None else (code,))


class InternalError(BaseException):
    """An error in handgrad itself; not an `Exception`, so that no handler of errors takes it."""


#: What ends a command, and is no error of the caller's functions: Ctrl-C, and mistakes of ours.
PASSED = (KeyboardInterrupt, InternalError)


class best_effort(AbstractContextManager[None, bool]):  # noqa: N801 (as `contextlib.suppress`)
    """Pass over what the caller's functions raise within, and over known limits.

    Known limits are the exceptions that handgrad defines.

    Args:
        known: types of errors that are expected as well where a library raises them.
    """

    def __init__(self, *known: type[Exception]) -> None:
        self._known = known

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Tell whether to go on after an error.

        Raises:
            InternalError: it is one in handgrad, and `VARIABLE` is set.
        """
        if not isinstance(error, RAISED):
            return False
        raise_internal(error, *self._known)
        return True


def raise_internal(error: Exception | SystemExit, *known: type[Exception]) -> None:
    """Raise an error that is passed over if it is one in handgrad, and `VARIABLE` is set.

    Args:
        error: what was raised.
        known: as for `best_effort`.

    Raises:
        InternalError: from the error.
    """
    if os.getenv(VARIABLE) and not isinstance(error, EXHAUSTED) and _is_internal(error, known):
        raise InternalError(f"{type(error).__name__}: {error}") from error


def _is_internal(error: BaseException, known: tuple[type[Exception], ...]) -> bool:
    """Tell whether an error arose in handgrad, and not in a function of the caller that it called.

    A library's own errors, where handgrad called it, count unless they are known.
    """
    while isinstance(error, SystemError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # code in C went on after that, as SciPy's `brentq` does
    if type(error).__module__.partition(".")[0] == "handgrad":
        return False
    frames = frames_of(error.__traceback__)
    files = [place.filename for _, place in frames]
    in_jax = any(REMOVED in note for note in getattr(error, "__notes__", ()))
    if isinstance(error, known) and (in_jax or _is_of_library(files[-1])):
        return False
    last = max((i for i, file in enumerate(files) if not _is_of_library(file)), default=None)
    if last is None or not is_handgrads(files[last]):
        return False
    codes = {frame.f_code for frame, _ in frames[last + 1 :]}
    return _CODES.isdisjoint(codes) and id(_called(*frames[last])) not in _GIVEN


def _called(frame: FrameType, place: FrameSummary) -> Any:
    """Return the function that a frame calls, if it calls one by a name: `self.f(x)`."""
    names: list[str] = []
    try:
        node = ast.parse(expression(place), mode="eval").body
        node = node.func if isinstance(node, ast.Call) else node
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        held = frame.f_locals[node.id] if isinstance(node, ast.Name) else None
        return reduce(getattr, names, held)
    except (SyntaxError, KeyError, AttributeError):
        return None


def _is_of_library(file: str) -> bool:
    if file.startswith("<"):  # code that is made of a text: by a library, or else by the caller
        return file.startswith(("<frozen ", "<__array_function__", "<string>"))
    return not is_handgrads(file) and not is_own(file)
