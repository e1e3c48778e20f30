"""What a file is: by its first bytes, and by the keys or members that it has; never by its name."""

import json
import re
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path

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

FOLDER, EMPTY, JSON, NOTEBOOK = "a folder", "an empty file", "JSON", "a Jupyter notebook"
PYTHON, CSV, TEXT, BINARY = "Python code", "a CSV file", "text", "binary data"
DAMAGED = "a zip archive that is cut short or damaged"

#: What a zip archive is, by the end of the name of a member.
MEMBERS = {
    "xl/workbook.xml": "an Excel workbook",
    "word/document.xml": "a Word document",
    "/data.pkl": "a PyTorch file",
    ".npy": "a NumPy archive (.npz)",
}

#: How a file in a markup language begins, in lower case.
MARKUP = {"<!doctype html": "an HTML page", "<html": "an HTML page", "<svg": "an SVG image"}

_STATEMENT = re.compile(
    r"^(from [\w.]+ import .+|import \w[\w.]*( as \w+)?|def \w+\(.*|class \w+.*:) *$", re.MULTILINE
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SEPARATORS = ",;\t|"

#: Bytes that are looked at, and the most of a file of JSON, which is read as a whole.
FIRST, LARGEST = 2**16, 2**26

#: Kinds by keys that only such an object of JSON has, or by such names of members of an archive.
Own = Iterable[tuple[str, Collection[str]]]


def kind_of(path: Path, own: Own = ()) -> str | None:
    """Return what a file is, as in "a PNG image".

    Args:
        path: the file.
        own: kinds to be known besides.

    Returns:
        The kind; None if there is no such file, if it cannot be read, or is a pipe or a device,
        from which nothing is taken.
    """
    try:
        if path.is_dir():
            return FOLDER
        if not path.is_file():
            return None
        with path.open("rb") as file:
            first = file.read(FIRST)
            is_json = first.lstrip()[:1] in (b"{", b"[")
            content = first + file.read(LARGEST) if is_json else first
    except (OSError, ValueError):  # the latter of a NUL in the path
        return None
    if not first:
        return EMPTY
    if first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archive(path, own)
    for signature, kind in SIGNATURES.items():
        if first.startswith(signature) and (_is_binary(first) or not signature.isalnum()):
            return kind
    if _is_binary(first):
        return BINARY
    return (
        _json(content, own)
        if is_json
        else _text(first.decode("utf-8", "replace").removeprefix("\ufeff"))
    )


def _is_binary(first: bytes) -> bool:
    # Text in an old encoding is text; a character may be cut off where the reading ends.
    return b"\x00" in first or (
        "\ufffd" in first[:-4].decode("utf-8", "replace") and _CONTROLS.search(first) is not None
    )


def _archive(path: Path, own: Own) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return DAMAGED
    return _known(names, own) or next(
        (kind for end, kind in MEMBERS.items() if any(name.endswith(end) for name in names)),
        "a zip archive",
    )


def _json(content: bytes, own: Own) -> str:
    try:
        found = json.loads(content.decode())
    except (ValueError, RecursionError):
        return TEXT
    if not isinstance(found, dict):
        return JSON
    return _known(found, [(NOTEBOOK, ("cells", "nbformat")), *own]) or JSON


def _known(names: Collection[str], own: Own) -> str | None:
    return next((kind for kind, keys in own if set(keys) <= set(names)), None)


def _text(text: str) -> str:
    beginning = text.lstrip()[:500].lower()
    for start, kind in MARKUP.items():
        if beginning.startswith(start):
            return kind
    if beginning.startswith("<?xml"):
        return "an SVG image" if "<svg" in beginning else "an XML file"
    if _STATEMENT.search(text):
        return PYTHON
    lines = [line for line in text.splitlines() if line.strip()][:3]
    for sign in _SEPARATORS:
        counts = {line.count(sign) for line in lines}
        if len(lines) > 1 and len(counts) == 1 and counts != {0}:
            return CSV
    return TEXT
