"""Attempts that may fail, where an error costs a hint and not the answer.

A diagnosis runs the caller's functions at points of its own choice, and asks of JAX what it may not
have. Whatever these raise is passed over, and so would be a mistake in handgrad. Tests set the
environment variable `VARIABLE`, under which such an error is raised.
"""

import os
from contextlib import AbstractContextManager
from traceback import walk_tb
from types import TracebackType

from handgrad.data.frames import is_handgrads, is_own

#: Set to anything, it makes errors in handgrad itself fail what would pass over them.
VARIABLE = "HANDGRAD_RAISE_INTERNAL_ERRORS"

#: What any code may raise where memory or the stack ends.
EXHAUSTED = (MemoryError, RecursionError)


class InternalError(BaseException):
    """An error in handgrad itself; not an `Exception`, so that no handler of errors takes it."""


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
        if not isinstance(error, Exception):
            return False
        raise_internal(error, *self._known)
        return True


def raise_internal(error: Exception, *known: type[Exception]) -> None:
    """Raise an error that is passed over if it is one in handgrad, and `VARIABLE` is set.

    Args:
        error: what was raised.
        known: as for `best_effort`.

    Raises:
        InternalError: from the error.
    """
    if os.getenv(VARIABLE) and not isinstance(error, EXHAUSTED) and _is_internal(error, known):
        raise InternalError(f"{type(error).__name__}: {error}") from error


def _is_internal(error: Exception, known: tuple[type[Exception], ...]) -> bool:
    """Tell whether an error arose in handgrad, and not in a function of the caller that it called.

    A library's own errors, where handgrad called it, count unless they are known.
    """
    if type(error).__module__.partition(".")[0] == "handgrad":
        return False
    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    if isinstance(error, known) and _is_of_library(files[-1]):
        return False
    own = [file for file in files if not _is_of_library(file)]
    return bool(own) and is_handgrads(own[-1])


def _is_of_library(file: str) -> bool:
    if file.startswith("<"):  # code that is made of a text: by a library, or else by the caller
        return file.startswith(("<frozen ", "<__array_function__", "<string>"))
    return not is_handgrads(file) and not is_own(file)
