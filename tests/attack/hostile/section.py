"""The section on hostile input in docs/reliability.md, from the stored results."""

from pathlib import Path
from typing import Any

from tests.attack.hostile.command import BATCH, COUNT, LINES, LINES_BATCH, RESULTS
from tests.attack.hostile.files import KINDS
from tests.attack.hostile.fuzz import MEGABYTES, SECONDS
from tests.attack.stored import filled, read

SUMS, LARGEST = ("tried", "refused", "accepted", "stopped", "found"), ("slowest", "megabytes")


def kinds() -> list[dict[str, Any]]:
    """Return a row for each kind of input, with its sums and its extremes."""
    stored, made = read(RESULTS).values(), []
    for name in dict.fromkeys(row["kind"] for row in stored):
        rows = [row for row in stored if row["kind"] == name]
        about = f"{name}: {KINDS[name].about}" if name in KINDS else name
        made.append(
            {"kind": about}
            | {key: sum(row.get(key, 0) for row in rows) for key in SUMS}
            | {key: max(row[key] for row in rows) for key in LARGEST}
        )
    return made


def section() -> str:
    """Write the section."""
    rows = kinds()
    return filled(
        Path(__file__).with_name("section.md.j2"),
        kinds=rows,
        tried=sum(row["tried"] for row in rows),
        asked=COUNT + sum(LINES.values()),
        seconds=SECONDS,
        megabytes=MEGABYTES,
        batch=BATCH,
        lines=LINES_BATCH,
        revisions=sorted({row["revision"] for row in read(RESULTS).values()}),
    )
