"""Messages for errors in the caller's code: one line of ours, and the caller's own frames."""

import inspect
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import format_exception_only
from typing import Any

import jax

from handgrad.data.frames import frames_of, near, own_frames, quoted
from handgrad.judging.untraceable import explanation

#: The most lines of an exception's message to show.
MOST_LINES = 8


def theirs(error: BaseException, named: Iterable[Path] = ()) -> list[str]:
    """Return the caller's own frames of an error, and its message."""
    frames = [summary for _, summary in own_frames(error.__traceback__, named)]
    message = "".join(format_exception_only(error)).rstrip().split("\n")
    more = ["..."] if message[MOST_LINES:] else []
    return [*quoted(frames), *message[:MOST_LINES], *more]


def about(
    error: BaseException, functions: Mapping[str, Any], named: Iterable[Path] = ()
) -> list[str]:
    """Describe an error that was raised while the caller's functions were judged.

    Args:
        error: what was raised.
        functions: the caller's functions, by the name of each in the first line.
        named: as for `handgrad.data.frames.is_own`.

    Returns:
        One line for bad input and for a loss that JAX cannot trace; followed by the caller's frames
        if the error was raised in the caller's code.
    """
    named = list(named)
    line = explanation(error, named)
    if line:
        return [line]
    frames = own_frames(error.__traceback__, named)
    if frames:
        # Functions are known by the code below their wrappers.
        below = {name: inspect.unwrap(function) for name, function in functions.items()}
        codes = {getattr(function, "__code__", None): name for name, function in below.items()}
        who = [codes[frame.f_code] for frame, _ in frames if frame.f_code in codes]
        first = f"{(who or [near(frames[0][1].filename)])[0]} raised {type(error).__name__}"
        return [first, *theirs(error, named)]
    if isinstance(error, ValueError | TypeError):
        return [" ".join(str(error).split())]
    return [_ours(error)]


def _without_device() -> str:
    """Return what JAX_PLATFORMS names if JAX has no device of it, for which its errors vary."""
    try:
        jax.devices()
    except Exception:  # an AssertionError without a word, among others
        return os.environ.get("JAX_PLATFORMS", "")
    return ""


def _ours(error: BaseException) -> str:
    """Describe a failure of handgrad itself in one line that can be reported."""
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name!r} is not installed; expected what handgrad depends on"
    if named := _without_device():
        return f"JAX has no device here that JAX_PLATFORMS={named} names; expected cpu, or nothing"
    message = " ".join(f"{type(error).__name__}: {error}".split())
    frames = frames_of(error.__traceback__)
    where = f" ({near(frames[-1][1].filename)}, line {frames[-1][1].lineno})" if frames else ""
    return f"a mistake in handgrad itself, please report it: {message}{where}"
