"""The error for an operation that the table does not cover."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import FrameSummary
from types import FrameType
from typing import Any

from handgrad.data.advised import AdvisedError
from handgrad.data.frames import expression, is_own, near


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
    place = _place(frame)
    return f"{near(place.filename)}, line {place.lineno}: {expression(place)}: "


def _place(frame: FrameType) -> FrameSummary:
    """Return where a frame is, with the columns, which `traceback.extract_stack` leaves out."""
    code = frame.f_code
    line, end_line, start, end = list(code.co_positions())[frame.f_lasti // 2]
    return FrameSummary(
        code.co_filename, line, code.co_name, end_lineno=end_line, colno=start, end_colno=end
    )
