"""Frames of a traceback: whether they are the caller's own or a library's, and quoting them."""

import linecache
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from traceback import FrameSummary, extract_tb, walk_tb
from types import FrameType, TracebackType

#: The folder of the package, two above this file.
_HERE = Path(__file__).parents[1]
_STANDARD = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}

#: Folders of any environment that libraries are installed in.
_INSTALLED = {"site-packages", "dist-packages"}

#: The most frames to quote: those nearest to the error.
MOST_FRAMES = 8

#: Longer lines are cut off where they are quoted inside a sentence.
LONG_LINE = 60


def is_own(file: str, named: Iterable[Path] = ()) -> bool:
    """Tell whether a file is the caller's own: not of a library, of Python or of handgrad.

    Args:
        file: a frame's file name.
        named: files and folders that the caller named, which count as own wherever they are.
    """
    return any(Path(file).is_relative_to(name) for name in named) or _is_nobody_elses(file)


@cache
def _is_nobody_elses(file: str) -> bool:
    """Tell whether a file belongs to no package; cached, since every operation has a file."""
    if file.startswith("<") or is_handgrads(file):
        return False
    path = Path(file)  # which knows that Windows tells no capital letters apart
    return not _INSTALLED & set(path.parts) and not any(map(path.is_relative_to, _STANDARD))


@cache
def is_handgrads(file: str) -> bool:
    """Tell whether a file belongs to handgrad; cached for the same reason."""
    return Path(file).is_relative_to(_HERE)


def frames_of(traceback: TracebackType | None) -> list[tuple[FrameType, FrameSummary]]:
    """Return the frames of a traceback, the outermost first, each with its source line."""
    frames = [frame for frame, _ in walk_tb(traceback)]
    # An explicit limit, since sys.tracebacklimit may be set and would leave some out.
    return list(zip(frames, extract_tb(traceback, limit=len(frames)), strict=True))


def own_frames(
    traceback: TracebackType | None, named: Iterable[Path] = ()
) -> list[tuple[FrameType, FrameSummary]]:
    """Return the frames of a traceback that `is_own` accepts."""
    return [pair for pair in frames_of(traceback) if is_own(pair[1].filename, named)]


def expression(place: FrameSummary) -> str:
    """Return the expression that was being evaluated, or its line if that is not known."""
    if place.colno is None or place.end_colno is None or place.end_lineno != place.lineno:
        return place.line or ""
    # The offsets count bytes.
    line = linecache.getline(place.filename, place.lineno or 0).encode()
    return line[place.colno : place.end_colno].decode()


def in_one_line(error: BaseException) -> str:
    """Return the type of an error and the first line of what it says, if it says anything."""
    said = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *said[:1]])


def with_place(error: BaseException) -> str:
    """Return the same, followed by the line of the caller's that raised it, if that is known."""
    frames = own_frames(error.__traceback__)
    if not frames:
        return in_one_line(error)
    place = frames[-1][1]
    return f"{in_one_line(error)} ({near(place.filename)}, line {place.lineno})"


def quoted(frames: list[FrameSummary]) -> list[str]:
    """Return the last few frames as Python prints them: file, line number and text."""
    lines = ["  ..."] if len(frames) > MOST_FRAMES else []
    for frame in frames[-MOST_FRAMES:]:
        lines.append(f'  File "{near(frame.filename)}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            lines.append(f"    {frame.line}")
    return lines


def quoted_line(file: str, line: int) -> str:
    """Return the place and the text of a line, cut off where it is long."""
    text = linecache.getline(file, line).strip()
    text = text if len(text) <= LONG_LINE else text[: LONG_LINE - 3] + "..."
    return f"{near(file)}, line {line}: `{text}`"


def near(file: str | Path) -> str:
    """Return a path relative to the working directory, if it lies below it."""
    path = Path(file)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
