"""Compare two runs: which rows became faster or slower, beyond the noise.

Runs on the same machine are compared by their times. Runs on different machines are compared by the
ratios to the floor, which was measured on the same machine in the same rounds.

**The time of a row** is the lowest decile of its samples. Other processes only ever add to a
sample, for seconds at a time, so the medians of two runs differ by the load of the machine; the low
end is the time of the program.

**Noise.** The reference is measured twice in every cell. The ratio of the two, with its interval,
in either run gives the noise band; a row is a tie while the interval of its change overlaps the
band. Intervals are bootstrapped over processes, then rounds, of both runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from benchmarks.analysis import dispatch_bound, floor
from benchmarks.machine import differences
from benchmarks.names import AGAIN, REFERENCE
from benchmarks.report.table import Table
from benchmarks.results import CONTENDER, Cell, Results
from benchmarks.statistics import FASTER, SLOWER, TIE, band, change, word

BETTER, WORSE = "better", "worse"

#: The verdict on a row, by the change of its time.
BECAME = {FASTER: BETTER, SLOWER: WORSE, TIE: TIE}

#: Up to so many rows with the same reason are listed one by one.
FEW = 3


@dataclass(frozen=True)
class Change:
    """The change of a row."""

    cell: str
    row: str
    ratio: float  #: after / before
    noise: tuple[float, float]  #: ratios between the two are a tie
    verdict: str  #: better, worse or tie
    dispatch_bound: bool
    interval: tuple[float, float]  #: of the ratio, 95 %


@dataclass(frozen=True)
class Comparison:
    """The comparison of two runs."""

    by_floor: list[str]  #: why ratios to the floor are compared instead of times; [] for times
    changes: list[Change]
    missing: list[tuple[str, str]]  #: rows that cannot be compared, and why
    wrong: list[str]  #: rows that had a time and now have a wrong answer or cannot be judged

    def of(self, verdict: str) -> list[Change]:
        """Return the rows with that verdict."""
        return [change for change in self.changes if change.verdict == verdict]

    def show(self, out: Console) -> None:
        """Print the rows that changed, those with the same reason for none, and the counts."""
        why = "Ratios to the floor are compared, not times, since the machines differ in"
        for line in [why, *(f"  {line}" for line in self.by_floor)] if self.by_floor else []:
            out.print(line, soft_wrap=True)
        heads = ("cell", "row", "B / A", "95 % interval", "tie up to", "")
        rows = [
            [
                *(change.cell, change.row, f"{change.ratio:.3f}"),
                "{:.3f} to {:.3f}".format(*change.interval),
                *(f"{change.noise[1]:.3f}", change.verdict),
            ]
            for change in sorted(self.changes, key=lambda change: -change.ratio)
            if change.verdict != TIE
        ]
        if rows:
            Table(heads, rows, words=range(len(heads))).show(out)
        for why in dict.fromkeys(why for _, why in self.missing):
            found = [row for row, reason in self.missing if reason == why]
            many = [f"{len(found)} rows, {found[0]} for one"]
            for which in found if len(found) <= FEW else many:
                out.print(f"{which}: {why}", soft_wrap=True)
        out.print(self.last_word(), soft_wrap=True)

    def last_word(self) -> str:
        """Count the rows by verdict."""
        counts = [f"{len(self.of(verdict))} {verdict}" for verdict in (WORSE, BETTER, TIE)]
        counts += [f"{len(self.wrong)} wrong or refused"] * bool(self.wrong)
        return f"{len(self.changes)} rows: {', '.join(counts)}"

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON."""
        return {
            "compared": "ratios to the floor" if self.by_floor else "times",
            "differences": self.by_floor,
            "changes": [vars(change) for change in self.changes],
            "missing": [": ".join(row) for row in self.missing],
            "wrong": self.wrong,
        }


def compare(before: Results, after: Results) -> Comparison:
    """Compare every row that has times in both runs."""
    other = differences(before.about, after.about)
    changes = [
        change
        for cell in after.cells
        if (old := before.cell(cell.label))
        for change in _of_cell(old, cell, by_floor=bool(other))
    ]
    compared = {(change.cell, change.row) for change in changes}
    first, second = (
        {(cell.label, row.name) for cell in run.cells for row in cell.timed(CONTENDER)}
        for run in (before, after)
    )
    missing = []
    for cell, row in sorted((first | second) - compared):
        why = "no floor to compare it by"
        for which, results, timed in (("first", before, first), ("second", after, second)):
            if (cell, row) not in timed:
                why = f"no time in the {which}: {_why_not(results, cell, row)}"
        missing.append((f"{cell}: {row}", why))
    cells = {cell for cell, _ in first}
    wrong = [line for line in after.refused if line.partition(": ")[0] in cells]
    wrong += [line for line in after.failed if (*line.split(": ", 2)[:2],) in first]
    return Comparison(other, changes, missing, wrong)


def _of_cell(before: Cell, after: Cell, by_floor: bool) -> Iterator[Change]:
    twice = [(cell.times(REFERENCE), cell.times(AGAIN)) for cell in (before, after)]
    # The larger noise of the two; 1 where the reference was measured once.
    hidden = max([1.0, *(band(change(one, again)) for one, again in twice if one and again)])
    for row in after.timed(CONTENDER):
        old = before.row(row.name)
        if old is None or not old.timed:
            continue
        below = (floor(before, old.called), floor(after, row.called)) if by_floor else (None, None)
        if by_floor and None in below:
            continue
        found = change(old.samples, row.samples, *below)
        became, bound = BECAME[word(found, hidden)], dispatch_bound(after, row)
        where, noise = (after.label, row.name), (1 / hidden, hidden)
        yield Change(*where, found.middle, noise, became, bound, found[1:])


def _why_not(results: Results, label: str, name: str) -> str:
    """Return why a row has no time."""
    cell = results.cell(label)
    row = cell and cell.row(name)
    if row:
        return f"wrong: {row.wrong}" if row.wrong else row.absent or "it was not timed everywhere"
    said = (line.partition(": ") for line in (*results.refused, *results.left_out))
    return next((why for where, _, why in said if where == label), "it was not asked for")
