"""Temporarily replace a function by another, under every name that code refers to it by."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import CellType, FunctionType
from typing import Any

#: Assigns a function to one name.
Place = Callable[[Any], None]


class NowhereError(LookupError):
    """No name refers to the function: it is an element of a list, say, or a temporary."""


@contextmanager
def rebound(instead: Sequence[tuple[FunctionType, Callable[..., Any]]]) -> Iterator[None]:
    """Replace functions under every name, and restore them afterwards, also after an error.

    Raises:
        NowhereError: a function has no name.
    """
    # All names are found before any is changed, so that no replacement is replaced itself.
    found = [(place, old, new) for old, new in instead for place in _places(old)]
    try:
        for place, _, new in found:
            place(new)
        yield
    finally:
        for place, old, _ in found:
            place(old)


def _places(function: FunctionType) -> list[Place]:
    """Find the global variables and the closure variables that hold a function."""
    places: list[Place] = []
    # No inner scope here may use `function`: it would be a cell itself.
    for holder in gc.get_referrers(function):
        if isinstance(holder, CellType):
            places.append(partial(setattr, holder, "cell_contents"))
        elif isinstance(holder, dict) and "__builtins__" in holder:  # a module's, or exec's
            places += [partial(holder.__setitem__, name) for name in _names(holder, function)]
    if not places:
        raise NowhereError(f"{function.__qualname__}: no name leads to it")
    return places


def _names(variables: dict[str, Any], function: FunctionType) -> list[str]:
    return [name for name, value in variables.items() if value is function]
