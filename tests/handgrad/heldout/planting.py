"""A mistake is planted as people make it: by changing a line of the right gradient."""

import inspect
import linecache
from collections.abc import Callable
from itertools import count
from textwrap import indent
from typing import Any

from benchmarks.checkers.subject import Gradient

_NUMBERS = count()


def changed(source: str, old: str, new: str) -> str:
    """The source with the one place that reads `old` reading `new`, further lines indented alike.

    Raises:
        ValueError: `old` is there not at all or more than once.
    """
    if source.count(old) != 1:
        raise ValueError(f"{old!r} occurs {source.count(old)} times, expected once")
    before, after = source.split(old)
    line = before.rpartition("\n")[2]
    margin = line[: len(line) - len(line.lstrip())]
    first, *rest = new.split("\n")
    return before + "\n".join([first, *(indent(each, margin) for each in rest)]) + after


def edited(functions: tuple[Callable[..., Any], ...], *changes: tuple[str, str]) -> Gradient:
    """The last of some functions of a module, compiled anew after changes in any of them.

    The others see the changes too; what else the module defines they share with the right ones.
    """
    right = functions[-1]
    source = "\n\n".join(inspect.getsource(function) for function in functions)
    for old, new in changes:
        source = changed(source, old, new)
    name = f"<{right.__module__}, mistake {next(_NUMBERS)}>"
    # A traceback into a mistake then shows its lines.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = dict(right.__globals__)
    exec(compile(source, name, "exec"), namespace)
    return namespace[right.__name__]
