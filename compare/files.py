"""What can be read, and writing files whole or not at all."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from compare.wording import LONGEST_PATH, InputError, shown

#: Streams that the process was given, `<(...)` of a shell among them: somebody writes to them.
STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def expect_regular(path: Path, expected: str, streams: bool = True) -> None:
    """Refuse a pipe or a device: reading one may never end.

    Args:
        path: the file.
        expected: what it should be, for the error message.
        streams: whether it may be one of `STREAMS`.

    Raises:
        InputError: the path leads to one.
    """
    if streams and str(path).startswith(STREAMS):
        return
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # the latter of a NUL in the path
        return  # reading it will say so
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        where = shown(str(path), LONGEST_PATH)
        raise InputError(f"{where}: no regular file; expected {expected}")


def unwritable(path: Path) -> str | None:
    """Return why `path` cannot be written, in a few words, or None if it seems writable."""
    try:
        if path.is_dir():
            return "is a directory"
        if not path.parent.is_dir():
            return f"there is no directory '{path.parent}'"
        if path.exists() and not os.access(path, os.W_OK):
            return "permission denied"
        with tempfile.TemporaryFile(dir=path.parent):
            return None
    except OSError as error:
        return error.strerror or str(error)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place.

    Raises:
        OSError: the file cannot be written; `path` is then as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        # mkstemp makes files readable by their owner only; restore the usual permissions.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk does not say what was written
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
