"""The call that gives a report again, as a line that can be pasted."""

from collections.abc import Callable, Mapping, Sequence
from inspect import ismethod, signature
from keyword import iskeyword
from typing import Any

import numpy as np


def call_line(
    check: Callable[..., Any], functions: Mapping[str, Any], names: Sequence[str], **options: Any
) -> str:
    """Write the call of a check: `check_gradient(gradient, loss, w, x, points=0)`.

    Args:
        check: the function that was called.
        functions: the caller's functions, by the general name of each.
        names: the names of the other positional arguments, `w`; those of `*args` as `args[0]`, ...
        options: the options; only those that are not the default are written.
    """
    defaults = signature(check).parameters
    given = [
        f"{name}={_written(name, value)}"
        for name, value in options.items()
        if _written(name, value) != _written(name, defaults[name].default)
    ]
    arguments = dict.fromkeys(f"*{n.partition('[')[0]}" if "[" in n else n for n in names)
    return f"{check.__name__}({', '.join([*_called(functions), *arguments, *given])})"


def _called(functions: Mapping[str, Any]) -> list[str]:
    """Return the functions' own names, or the general ones if one has none or two have the same."""
    own = [_own_name(function) for function in functions.values()]
    pairs = zip(own, functions, strict=True)
    return [
        name if name.isidentifier() and not iskeyword(name) and own.count(name) == 1 else general
        for name, general in pairs
    ]


def _own_name(function: Any) -> str:
    """Return what a function is called where it is written; no identifier for a method."""
    if ismethod(function):  # its function may have a name of its own
        return ""
    return str(getattr(function, "__qualname__", "")).rpartition("<locals>.")[2]


def _written(name: str, value: Any) -> str:
    """Write the value of an option; arrays and lists of points by the name of the option."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"float('{value}')" if not np.isfinite(value) else f"{value!r}".removesuffix(".0")
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, Sequence | frozenset) and all(isinstance(v, str) for v in value):
        return repr(sorted(value))
    return name
