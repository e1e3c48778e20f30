"""What is said of an error in somebody's own code: one line of ours, and their own frames."""

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import format_exception_only
from typing import Any

from handgrad.data.frames import frames_of, near, own_frames, quoted
from handgrad.judging.untraceable import explanation

#: Lines of an exception's message to show at most.
MOST_LINES = 8


def theirs(error: BaseException, named: Iterable[Path] = ()) -> list[str]:
    """Somebody's own frames of an error, and its message."""
    frames = [summary for _, summary in own_frames(error.__traceback__, named)]
    message = "".join(format_exception_only(error)).rstrip().split("\n")
    more = ["..."] if message[MOST_LINES:] else []
    return [*quoted(frames), *message[:MOST_LINES], *more]


def about(error: Exception, asked: Mapping[str, Any], named: Iterable[Path] = ()) -> list[str]:
    """What went wrong while somebody's functions were judged, the first line ours.

    Args:
        error: what was raised.
        asked: their functions, by what to call each in the first line.
        named: as for `handgrad.data.frames.is_own`.

    Returns:
        One line for bad input and for a loss that JAX cannot trace; their frames under it if the
        error came out of their code.
    """
    named = list(named)
    line = explanation(error, named)
    if line:
        return [line]
    frames = own_frames(error.__traceback__, named)
    if frames:
        codes = {_code(function): name for name, function in asked.items()}
        who = [codes[frame.f_code] for frame, _ in frames if frame.f_code in codes]
        first = f"{(who or [near(frames[0][1].filename)])[0]} raised {type(error).__name__}"
        return [first, *theirs(error, named)]
    if isinstance(error, ValueError | TypeError):
        return [" ".join(str(error).split())]
    return [_ours(error)]


def _code(function: Any) -> Any:
    """The code that a function runs, under whatever it is wrapped in."""
    return getattr(inspect.unwrap(function), "__code__", None)


def _ours(error: Exception) -> str:
    """A failure of handgrad itself, in one line that can be reported."""
    if isinstance(error, ModuleNotFoundError):
        return f"the package {error.name!r} is not installed; expected what handgrad depends on"
    message = " ".join(f"{type(error).__name__}: {error}".split())
    frames = frames_of(error.__traceback__)
    where = f" ({near(frames[-1][1].filename)}, line {frames[-1][1].lineno})" if frames else ""
    return f"a mistake in handgrad itself, please report it: {message}{where}"
