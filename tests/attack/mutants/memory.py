"""Edits of functions in memory alone, and forks to try them in: no file is written."""

import gc
import os
import resource
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

#: Bytes that a fork may take.
MEMORY = 8 << 30

#: A fork that waits ends after so many times the processor time that it has.
WAITING = 20


def give_code(path: str, old: str, new: str) -> int:
    """Give every function made from a file's text `old` the code that it has in the text `new`.

    Those that are made later, by functions around them, get it with these.

    Args:
        path: the file, as the functions' code names it.
        old: the text of the file.
        new: a text that differs in the bodies of functions.

    Returns:
        How many functions there were. A table that was computed on import stays as it is.
    """
    before, after = (_functions(compile(text, path, "exec")) for text in (old, new))
    edited = {
        (key[0], code.co_firstlineno): after[key]
        for key, code in before.items()
        if key in after and _differ(code, after[key])
    }
    found = 0
    for function in gc.get_objects():
        # Its type, and not its class: a proxy is asked for that, and may raise.
        if type(function) is FunctionType and function.__code__.co_filename == path:
            code = function.__code__
            made = edited.get((code.co_qualname, code.co_firstlineno))
            if made is not None and made.co_freevars == code.co_freevars:
                function.__code__ = made
                found += 1
    return found


def _functions(module: CodeType) -> dict[tuple[str, int], CodeType]:
    """All functions' code by name, and its number among those of this name."""
    counts, found = Counter[str](), {}
    for code in _within(module):
        found[code.co_qualname, counts[code.co_qualname]] = code
        counts[code.co_qualname] += 1
    return found


def _within(code: CodeType) -> Iterator[CodeType]:
    for inner in _inner(code):
        yield inner
        yield from _within(inner)


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _differ(code: CodeType, other: CodeType) -> bool:
    """Whether two functions do not do the same, on whatever lines they stand."""

    def of(code: CodeType) -> Any:
        constants = [repr(value) for value in code.co_consts if not isinstance(value, CodeType)]
        names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
        return code.co_code, constants, names, len(_inner(code))

    inner = zip(_inner(code), _inner(other), strict=False)
    return of(code) != of(other) or any(_differ(*pair) for pair in inner)


def forked(work: Callable[[Callable[[str], object]], object], seconds: float) -> list[str]:
    """Run work in a fork that has so many seconds of processor time; return the lines it says.

    What it prints goes nowhere. Its last line is "ended" if it came to its end.
    """
    reading, writing = os.pipe()
    if not (child := os.fork()):
        _in_fork(work, writing, seconds)
    os.close(writing)
    said, end = b"", time.monotonic() + WAITING * seconds
    while time.monotonic() < end:
        if select.select([reading], [], [], 1)[0]:
            if not (more := os.read(reading, 1 << 16)):
                break
            said += more
    else:
        os.killpg(child, signal.SIGKILL)
    os.close(reading)
    os.waitpid(child, 0)
    return said.decode().splitlines()


def _in_fork(work: Callable[[Callable[[str], object]], object], to: int, seconds: float) -> None:
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for output in (1, 2):
            os.dup2(nowhere, output)
        work(lambda line: os.write(to, f"{line}\n".encode()))
        os.write(to, b"ended\n")
    finally:
        os._exit(0)
