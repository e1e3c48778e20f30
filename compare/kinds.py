"""Refuse a file of another kind than expected: say what it is, and what to do instead.

A file is what it holds, whatever its name: it is known by its first bytes, and by the keys or
members that it has.
"""

import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from compare.files import expect_regular
from compare.wording import LONGEST_PATH, InputError, shown
from handgrad.commands.file_kinds import BINARY, FIRST, JSON, TEXT, examined


class Kind(NamedTuple):
    """A kind of file that our commands write or read."""

    name: str
    keys: tuple[str, ...]  #: that only it has: of an object, or of an archive's members
    source: str = ""  #: follows the name where it is expected
    use: str = ""  #: follows "for" where something else is expected


#: How files begin that are no text. What could also be a word counts in front of binary data only.
SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF-": "a PDF document",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"(\xb5/\xfd": "a Zstandard file",
    b"\x93NUMPY": "a NumPy array (.npy)",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\xff\xfe": "text in UTF-16, not in UTF-8",
    b"\xfe\xff": "text in UTF-16, not in UTF-8",
    b"\x7fELF": "a program",
    b"MZ": "a program",
}

#: What a zip archive is, by the end of the name of a member.
MEMBERS = {
    "xl/workbook.xml": "an Excel workbook",
    "word/document.xml": "a Word document",
    "/data.pkl": "a PyTorch file",
    ".npy": "a NumPy archive (.npz)",
}

#: How text in a markup language begins, in lower case.
MARKUP = {
    r"<!doctype html|<html": "an HTML page",
    r"<svg|<\?xml[^\0]{,500}<svg": "an SVG image",
    r"<\?xml": "an XML file",
    # A heading, and further down another one, a block of code or a link.
    r"#{1,6} .+\n[ \t\r]*\n(?:[^\0]*\n)??(?:#{2,6} |```|~~~|.*\]\()": "Markdown",
}

DAMAGED = "a zip archive that is cut short or damaged"

MODEL, PARAMETERS = "a file that train has written", "a JSON file with parameters"

_TEACHING = (", as docs/teaching.md shows", "--params")
_TIMINGS = (
    ", as `python -m benchmarks --out` writes it",
    "table, compare and plot of `python -m benchmarks`",
)

OWN = (
    Kind(MODEL, ("header.npy",), " with --out", "resume and --model"),
    Kind(PARAMETERS, ("layers",), *_TEACHING),
    Kind(PARAMETERS, ("w1", "w6", "b3"), *_TEACHING),
    Kind("a JSON file with timings", ("schema", "fingerprint", "cells"), *_TIMINGS),
    Kind(
        "a JSON file with times of checks",
        ("schema", "fingerprint", "predicted", "rows"),
        ", as `python -m benchmarks check-times --out` writes it",
        "`python -m benchmarks check-times --table`",
    ),
    Kind(
        "a JSON file with answers of checkers",
        ("schema", "fingerprint", "checks"),
        ", as `python -m benchmarks checkers --out` writes it",
        "`python -m benchmarks checkers --table`",
    ),
    Kind("what `handgrad check --json` prints", ("verdict", "findings", "leaves")),
    Kind("what `compare step --json` prints", ("about", "steps", "quantities")),
    Kind("what `compare explain --json` prints", ("about", "quantity", "chain")),
    Kind("what `compare run --json` prints", ("partials", "training", "predictions")),
    Kind("what `compare train --json` prints", ("data", "by", "training", "model")),
    Kind("what `compare predict --json` prints", ("by_hand", "autodiff", "label")),
    Kind("what `compare predict --json` prints", ("target", "rows", "warnings")),
    Kind("what `compare sweep --json` prints", ("cases", "histogram", "suspects")),
    Kind("what `compare replay --json` prints", ("case", "ruling", "trace")),
    Kind("what `compare prove --json` prints", ("of", "partials", "also")),
    Kind("what `compare regress --json` prints", ("coefficients", "r_squared")),
    Kind("what `compare break --json` prints", ("slug", "says", "checks")),
)

#: Kinds of which the reader's own message says more: where in the file something is wrong.
VAGUE = (None, TEXT, DAMAGED)

#: Streams that the process was given, `<(...)` of a shell among them: somebody writes to them.
STREAMS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def expect(path: Path, expected: str, *allowed: str) -> None:
    """Refuse a pipe or a device, and a file that is clearly of another kind.

    Whether it can be read is not looked at.

    Args:
        path: the file.
        expected: what it should be, for the error message: a name of `OWN`, or another.
        *allowed: kinds that it may be as well.

    Raises:
        InputError: it is of another kind.
    """
    if not str(path).startswith(STREAMS):
        expect_regular(path, expected)
    found = kind_of(path)
    if found in (*VAGUE, expected, *allowed):
        return
    use = next((f", for {kind.use}" for kind in OWN if kind.name == found and kind.use), "")
    source = next((kind.source for kind in OWN if kind.name == expected), "")
    where = shown(str(path), LONGEST_PATH)
    raise InputError(f"{where}: {found}{use}; expected {expected}{source}")


def kind_of(path: Path) -> str | None:
    """Return what a file is, as in "a PNG image"; None if it cannot be read or is no file."""
    kind, content = examined(path)
    if kind == JSON:
        return _own(_keys(content)) or kind
    if kind not in (BINARY, TEXT):
        return kind
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path)
    for signature, name in SIGNATURES.items():
        if content.startswith(signature) and (kind == BINARY or not signature.isalnum()):
            return name
    text = content[:FIRST].decode("utf-8", "replace").removeprefix("\ufeff").lstrip().lower()
    return next((name for begin, name in MARKUP.items() if re.match(begin, text)), kind)


def _archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        # The last of a directory that claims a version of zip which there is not.
        return DAMAGED
    return _own(names) or next(
        (kind for end, kind in MEMBERS.items() if any(name.endswith(end) for name in names)),
        "a zip archive",
    )


def _keys(content: bytes) -> Iterable[str]:
    found = json.loads(content)
    return found if isinstance(found, dict) else ()


def _own(names: Iterable[str]) -> str | None:
    """Return the kind of ours that has such keys or members."""
    return next((kind.name for kind in OWN if set(kind.keys) <= set(names)), None)
