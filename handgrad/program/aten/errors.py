"""What is said of an operation that the table does not cover."""

from traceback import extract_stack

from handgrad.data.frames import expression, is_own, near


class UncoveredOperationError(NotImplementedError):
    """A PyTorch function uses an operation that has no counterpart in the table."""


def uncovered(what: str, instead: str = "") -> UncoveredOperationError:
    """Return the error for an operation, with the caller's line and what would help."""
    helps = instead or "write this with other operations of PyTorch"
    return UncoveredOperationError(
        f"{user_line()}{what} is not covered; {helps}, or give reference=, the same function in JAX"
    )


def user_line() -> str:
    """Return file, line and expression of the innermost frame of the caller's own code."""
    for frame in reversed(extract_stack()):
        if is_own(frame.filename):
            return f"{near(frame.filename)}, line {frame.lineno}: {expression(frame)}: "
    return ""
