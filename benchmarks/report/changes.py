"""Print a comparison of two runs."""

from typing import Any

from rich.console import Console

from benchmarks.comparing import BETTER, WORSE, Change, Comparison
from benchmarks.report.table import Table
from benchmarks.statistics import TIE

#: Up to so many rows with the same reason are listed one by one.
FEW = 3


def show(found: Comparison, out: Console) -> None:
    """Print the rows that changed, and the number of those that did not."""
    why = "Ratios to the floor are compared, not times, since the machines differ in"
    changed = [change for change in found.changes if change.verdict != TIE]
    for line in [why, *(f"  {line}" for line in found.by_floor)] if found.by_floor else []:
        out.print(line, soft_wrap=True)
    if changed:
        _table(changed).show(out)
    for line in (*_grouped(found.missing), last_word(found)):
        out.print(line, soft_wrap=True)


def _grouped(missing: list[str]) -> list[str]:
    """Group rows with the same reason into a line with an example, unless they are few."""
    by_reason: dict[str, list[str]] = {}
    for line in missing:
        cell, row, why = line.split(": ", 2)
        by_reason.setdefault(why, []).append(f"{cell}: {row}")
    lines = []
    for why, rows in by_reason.items():
        if len(rows) <= FEW:
            lines += [f"{row}: {why}" for row in rows]
        else:
            lines.append(f"{len(rows)} rows, {rows[0]} for one: {why}")
    return lines


def _table(changed: list[Change]) -> Table:
    heads = ("cell", "row", "B / A", "95 % interval", "tie up to", "")
    rows = [
        [
            *(change.cell, change.row, f"{change.ratio.middle:.3f}"),
            f"{change.ratio.low:.3f} to {change.ratio.high:.3f}",
            *(f"{change.noise.high:.3f}", change.verdict),
        ]
        for change in sorted(changed, key=lambda change: -change.ratio.middle)
    ]
    return Table(heads, rows, words=range(len(heads)))


def last_word(found: Comparison) -> str:
    """Count the rows by verdict."""
    counts = [(len(found.of(verdict)), verdict) for verdict in (WORSE, BETTER, TIE)]
    counts += [(len(found.wrong), "wrong or refused")] * bool(found.wrong)
    total = len(found.changes)
    return f"{total} rows: {', '.join(f'{count} {what}' for count, what in counts)}"


def as_dict(found: Comparison) -> dict[str, Any]:
    """Return the comparison for JSON."""
    return {
        "compared": "ratios to the floor" if found.by_floor else "times",
        "differences": found.by_floor,
        "changes": [
            {
                "cell": change.cell,
                "row": change.row,
                "ratio": change.ratio.middle,
                "interval": [change.ratio.low, change.ratio.high],
                "noise": list(change.noise),
                "verdict": change.verdict,
                "dispatch_bound": change.dispatch_bound,
            }
            for change in found.changes
        ],
        "missing": found.missing,
        "wrong": found.wrong,
    }
