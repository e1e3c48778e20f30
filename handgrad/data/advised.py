"""Errors of functions that cannot be looked into, and what would help in place of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class AdvisedError(Exception):
    """What is wrong, and any number of ways out; each verb adds those that it has."""

    def __init__(self, what: str, *helps: str) -> None:
        super().__init__(what, *helps)

    def __str__(self) -> str:
        """Return both in one line."""
        what, *helps = self.args
        return f"{what}; {' or '.join(helps)}" if helps else what

    def add(self, help_: str) -> None:
        """Add a way out."""
        if help_ not in self.args:
            self.args: tuple[Any, ...] = (*self.args, help_)

    def replace(self, help_: str, by: str) -> None:
        """Say another way out in place of one that the verb has not."""
        self.args = tuple(by if arg == help_ else arg for arg in self.args)


class UntraceableError(AdvisedError, TypeError):
    """A function that runs in floats does what cannot be traced."""


class AnotherFunctionError(UntraceableError):
    """What was traced, or ran on power series, has other values than the caller's function."""


class NotAFunctionError(ArithmeticError):
    """A loss gave different results at the same arguments."""


class NoScalarError(TypeError):
    """A loss returned something else than one real number."""


@contextmanager
def or_else(help_: str) -> Iterator[None]:
    """Add a way out to the errors of what cannot be looked into."""
    try:
        yield
    except AdvisedError as error:
        error.add(help_)
        raise
