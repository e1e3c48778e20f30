"""Whose a frame of a traceback is, the reader's own or a library's, and how it is quoted."""

import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from traceback import FrameSummary, extract_tb, walk_tb
from types import FrameType, TracebackType

#: The folder of the package, two above this file.
_HERE = Path(__file__).parents[1]
_STANDARD = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib")})

#: Where libraries are installed, wherever that is.
_INSTALLED = {"site-packages", "dist-packages"}

#: Frames to quote at most: those next to the error.
MOST_FRAMES = 8


def is_own(file: str, named: Iterable[Path] = ()) -> bool:
    """Whether a file is somebody's own: no library's, not Python's, not handgrad's.

    Args:
        file: a frame's file name.
        named: files and folders that were asked for by name, their owner's wherever they are.
    """
    return any(Path(file).is_relative_to(name) for name in named) or _is_nobody_elses(file)


@cache
def _is_nobody_elses(file: str) -> bool:
    """Remembered, since a loss is asked for the file of each of its operations."""
    if file.startswith("<") or is_handgrads(file):
        return False
    return not _INSTALLED & set(Path(file).parts) and not file.startswith(_STANDARD)


def is_handgrads(file: str) -> bool:
    """Whether a file belongs to handgrad."""
    return Path(file).is_relative_to(_HERE)


def frames_of(traceback: TracebackType | None) -> list[tuple[FrameType, FrameSummary]]:
    """The frames of a traceback, the outermost first, each with its place in the source."""
    frames = [frame for frame, _ in walk_tb(traceback)]
    # Its own limit: sys.tracebacklimit, which somebody may have set, would leave some out.
    return list(zip(frames, extract_tb(traceback, limit=len(frames)), strict=True))


def own_frames(
    traceback: TracebackType | None, named: Iterable[Path] = ()
) -> list[tuple[FrameType, FrameSummary]]:
    """Those frames of a traceback that `is_own` accepts."""
    return [pair for pair in frames_of(traceback) if is_own(pair[1].filename, named)]


def quoted(frames: list[FrameSummary]) -> list[str]:
    """The frames as Python prints them, file and line and the line's text; the last few of many."""
    lines = ["  ..."] if len(frames) > MOST_FRAMES else []
    for frame in frames[-MOST_FRAMES:]:
        lines.append(f'  File "{near(frame.filename)}", line {frame.lineno}, in {frame.name}')
        if frame.line:
            lines.append(f"    {frame.line}")
    return lines


def near(file: str | Path) -> str:
    """A path as it is written from here, if it lies below; as it is otherwise."""
    path = Path(file)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
