"""Writing files, whole or not at all."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


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


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place.

    Raises:
        OSError: the file cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk does not say what was written
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
