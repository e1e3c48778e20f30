"""Functions that can only be called, as compiled ones can, though they are written in Python."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class OnlyCalled:
    """A function whose code refers to nothing that could be replaced: it is in a list."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._functions = [function]

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._functions[0](*args, **options)
