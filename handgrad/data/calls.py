"""The call that gives a report again, as a line that can be pasted."""

import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from keyword import iskeyword
from types import FunctionType
from typing import Any

import numpy as np

from handgrad.data.frames import is_own


def call_line(
    check: Callable[..., Any],
    functions: Mapping[str, Any],
    names: Sequence[str],
    options: Mapping[str, Any],
) -> str:
    """Write the call of a check: `check_gradient(gradient, loss, w, x, points=0)`.

    Args:
        check: the function that was called.
        functions: the caller's functions, by the general name of each.
        names: the names of the other positional arguments, `w`; those of `*args` as `args[0]`, ...
        options: those among them are written that the check takes by name alone and that are not
            the default.
    """
    parameters = signature(check).parameters
    by_name = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    texts = {name: written(name, options[name]) for name in by_name if name in options}
    given = [
        f"{name}={text}"
        for name, text in texts.items()
        if text != written(name, parameters[name].default)
    ]
    called = _called(functions)
    arguments = _arguments(names)
    taken = {*called, *(text for name, text in texts.items() if text == name)}
    if len({*arguments}) < len(arguments) or taken.intersection(arguments):
        arguments = [
            f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name
            for p in parameters.values()
            if p.kind is not p.KEYWORD_ONLY and p.name not in functions
        ]
    return f"{check.__name__}({', '.join([*called, *arguments, *given])})"


def _arguments(names: Sequence[str]) -> list[str]:
    """Return the arguments of a call: each by its name, those of `*args` together.

    Two are the same if the names do not tell which is which.
    """
    arguments = [name for name in names if "[" not in name]
    numbers = [name for name in names if "[" in name]
    if numbers:
        name = numbers[0].partition("[")[0]
        whole = numbers == [f"{name}[{i}]" for i in range(len(numbers))]
        arguments += [f"*{name}"] * (1 if whole else 2)
    return arguments


def _called(functions: Mapping[str, Any]) -> list[str]:
    """Return the functions' own names, or the general ones if one has none or two have the same."""
    own = [_own_name(function) for function in functions.values()]
    pairs = zip(own, functions, strict=True)
    return [
        name if name.isidentifier() and not iskeyword(name) and own.count(name) == 1 else general
        for name, general in pairs
    ]


def _own_name(function: Any) -> str:
    """Return what a function is called where it is written; no identifier if that is not known.

    Methods, `np.sum` and what `functools.wraps` or `jax.grad` return bear the names of others.
    """
    name = str(getattr(function, "__qualname__", "")).rpartition("<locals>.")[2]
    if isinstance(function, FunctionType) and function.__code__.co_name == name:
        return name
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    decorated_there = getattr(module, name, None) is function
    return name if decorated_there and is_own(getattr(module, "__file__", None) or "") else ""


def written(name: str, value: Any) -> str:
    """Write the value of an option; arrays and lists of points by the name of the option."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"float('{value}')" if not np.isfinite(value) else f"{value!r}".removesuffix(".0")
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if callable(value):
        own = _own_name(value)
        return own if own.isidentifier() and not iskeyword(own) else name
    if isinstance(value, frozenset) or (isinstance(value, Sequence) and not len(value)):
        return repr(sorted(value))
    if type(value) in (list, tuple) and all(map(_is_plain, value)):
        items = ", ".join(written(name, item) for item in value)
        return f"[{items}]" if type(value) is list else f"({items}{',' * (len(value) == 1)})"
    return name


def _is_plain(value: Any) -> bool:
    """Tell whether a value is written by itself: a text, a number, None, or a tuple of these."""
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | np.generic)
