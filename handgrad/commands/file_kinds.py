"""What a file is, for one who wants Python code: by its content, never by its name."""

import ast
import csv
import json
import re
import warnings
from pathlib import Path

FOLDER, EMPTY, JSON, NOTEBOOK = "a folder", "an empty file", "JSON", "a Jupyter notebook"
PYTHON, CSV, TEXT, BINARY = "Python code", "a CSV file", "text", "binary data"

#: Bytes that are looked at, and the most of a file of JSON or Python, which is read as a whole.
FIRST, LARGEST = 2**16, 2**26

#: Lines at the beginning of a table that must have as many cells as each other.
_LINES = 8

_STATEMENT = re.compile(rb"^(import|from|def|class|async def) \w", re.MULTILINE)
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kind_of(path: Path) -> str | None:
    """Return what a file is, as in "a CSV file"; "text" where it is not certain.

    Returns:
        The kind; None if there is no such file, if it cannot be read, or is a pipe or a device,
        from which nothing is taken.
    """
    return examined(path)[0]


def examined(path: Path) -> tuple[str | None, bytes]:
    """Return a file's kind, and its content as far as it was looked at."""
    try:
        if path.is_dir():
            return FOLDER, b""
        if not path.is_file():
            return None, b""
        with path.open("rb") as file:
            content = file.read(FIRST)
            is_json = content.lstrip()[:1] in (b"{", b"[")
            if is_json or _STATEMENT.search(content):
                content += file.read(LARGEST)
    except (OSError, ValueError):  # the latter of a NUL in the path
        return None, b""
    if not content:
        return EMPTY, b""
    if _is_binary(content[:FIRST]):
        return BINARY, content
    found = is_json and _json(content)
    return found or (_is_python(content) and PYTHON) or (_is_csv(content) and CSV) or TEXT, content


def _is_binary(first: bytes) -> bool:
    # Text in an old encoding is text; a character may be cut off where the reading ends.
    return b"\x00" in first or (
        "\ufffd" in first[:-4].decode("utf-8", "replace") and _CONTROLS.search(first) is not None
    )


def _json(content: bytes) -> str | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return NOTEBOOK if isinstance(found, dict) and {"cells", "nbformat"} <= set(found) else JSON


def _is_python(content: bytes) -> bool:
    """Tell whether all of it is Python, and begins as a program does, and no text in words."""
    if not _STATEMENT.search(content[:FIRST]):
        return False
    try:
        with warnings.catch_warnings():  # of escapes, which importing it gives as well
            warnings.simplefilter("ignore")
            module = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    after_docstring = module.body[ast.get_docstring(module) is not None :]
    first = next(iter(after_docstring), None)
    return not isinstance(first, ast.Expr | ast.AnnAssign | None)


def _is_csv(content: bytes) -> bool:
    """Tell whether the first lines have as many cells as each other, one of them a number."""
    text = content[:FIRST].decode("utf-8", "replace").removeprefix("\ufeff")
    lines = [line for line in text.splitlines() if line.strip()][:_LINES]
    for separator in ",;\t":
        rows = list(csv.reader(lines, delimiter=separator))
        as_many = len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1
        if as_many and any(_is_number(cell) for row in rows for cell in row):
            return True
    return False


def _is_number(cell: str) -> bool:
    try:
        return float(cell) == float(cell)
    except ValueError:
        return False
