"""The error for an operation that the table does not cover."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from handgrad.data.advised import AdvisedError
from handgrad.data.frames import expression, frames_of, is_own, near


class UncoveredOperationError(AdvisedError, NotImplementedError):
    """A PyTorch function uses an operation that has no counterpart in the table."""


def uncovered(
    what: str, instead: str = "write this with other operations of PyTorch"
) -> UncoveredOperationError:
    """Return the error for an operation, with the caller's line and what would help."""
    return UncoveredOperationError(
        f"{user_line()}{what} is not covered", *([instead] * bool(instead))
    )


@contextmanager
def covering(function: Any) -> Iterator[None]:
    """Say of an operation that its rule is not written for some of its options."""
    try:
        yield
    except UncoveredOperationError:
        raise
    except NotImplementedError as error:
        raise uncovered(f"{function} ({error})") from error


def user_line() -> str:
    """Return file, line and expression of the innermost frame of the caller's own code."""
    frame = sys._getframe()
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    # A traceback knows columns, which `traceback.extract_stack` leaves out.
    ((_, place),) = frames_of(TracebackType(None, frame, frame.f_lasti, frame.f_lineno))
    return f"{near(place.filename)}, line {place.lineno}: {expression(place)}: "
