"""Functions that can only be called, as compiled ones can, though they are written in Python."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any


class OnlyCalled:
    """A function whose code refers to nothing that could be replaced: it is in an attribute."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._function(*args, **options)
