"""Results as files of JSON: never half written, and another file is refused in one line."""

import json
import os
from pathlib import Path
from typing import Any


class BadResultsError(ValueError):
    """A file of results that cannot be read or written; the message is one line."""


def write(path: Path, text: str) -> None:
    """Write a file in one step: whoever reads it sees the old one or the new one, whole.

    Raises:
        BadResultsError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise BadResultsError(f"{path}: cannot be written: {error.strerror}") from error


def read(path: Path, what: str, schema: int, part: str) -> dict[str, Any]:
    """Read a file of results.

    Args:
        path: of the file.
        what: is in it, for a message.
        schema: its number.
        part: a field that only results of this kind have.

    Raises:
        BadResultsError: it cannot be read, or it is no file of these results, or of another schema.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadResultsError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadResultsError(f"{path}: no JSON: {error}") from error
    if not isinstance(found, dict) or found.get("schema") != schema:
        got = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise BadResultsError(f"{path}: got schema {got!r}, expected {what} of schema {schema}")
    if part not in found:
        raise BadResultsError(f"{path}: a field of the {what} is missing: {part!r}")
    return found
