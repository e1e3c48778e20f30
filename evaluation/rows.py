"""Results as JSON lines, synced so that a crash loses none."""

import json
import os
from pathlib import Path
from typing import Any

#: What is stored of one thing that was judged; `id` is its name.
Row = dict[str, Any]


def read(file: Path) -> dict[str, Row]:
    """Return the stored rows by their `id`, a later one in place of an earlier one.

    A last line without its end was being written when the process was killed; it is left out.
    """
    if not file.exists():
        return {}
    *lines, _ = file.read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines]
    return {row["id"]: row for row in rows}


def add(file: Path, rows: list[Row]) -> None:
    """Add rows, each with an `id`; what a killed process left of a line is removed first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as stream:
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
