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

from dataclasses import dataclass

from benchmarks.analysis.floors import dispatch_bound, floor
from benchmarks.machine import differences
from benchmarks.names import AGAIN, REFERENCE
from benchmarks.results import CONTENDER, Cell, Results
from benchmarks.statistics import FASTER, SLOWER, TIE, Band, Interval, band, change, word

BETTER, WORSE = "better", "worse"

#: The verdict on a row, by the change of its time.
BECAME = {FASTER: BETTER, SLOWER: WORSE, TIE: TIE}


@dataclass(frozen=True)
class Change:
    """The change of a row."""

    cell: str
    row: str
    ratio: Interval  #: after / before
    noise: Band
    verdict: str  #: better, worse or tie
    dispatch_bound: bool


@dataclass(frozen=True)
class Comparison:
    """The comparison of two runs."""

    by_floor: list[str]  #: why ratios to the floor are compared instead of times; [] for times
    changes: list[Change]
    missing: list[str]  #: rows that cannot be compared, and why
    wrong: list[str]  #: rows that had a time and now have a wrong answer or cannot be judged

    def of(self, verdict: str) -> list[Change]:
        """Return the rows with that verdict."""
        return [change for change in self.changes if change.verdict == verdict]


def compare(before: Results, after: Results) -> Comparison:
    """Compare every row that has times in both runs."""
    other = differences(before.fingerprint, after.fingerprint)
    changes: list[Change] = []
    for cell in after.cells:
        old = before.cell(cell.label)
        if old is not None:
            changes += _of_cell(old, cell, by_floor=bool(other))
    compared = {(change.cell, change.row) for change in changes}
    return Comparison(other, changes, _missing(before, after, compared), _wrong(before, after))


def _of_cell(before: Cell, after: Cell, by_floor: bool) -> list[Change]:
    hidden = _noise(before, after)
    found = []
    for row in after.timed(CONTENDER):
        old = before.row(row.name)
        if old is None or not old.timed:
            continue
        below = (floor(before, old), floor(after, row)) if by_floor else (None, None)
        if by_floor and None in below:
            continue
        ratio = change(old.samples, row.samples, *below)
        bound = dispatch_bound(after, row)
        became = BECAME[word(ratio, hidden)]
        found.append(Change(after.label, row.name, ratio, hidden, became, bound))
    return found


def _noise(*cells: Cell) -> Band:
    """Return the widest of the cells' bands; no width where the reference was measured once."""
    widest = Band(1.0, 1.0)
    for cell in cells:
        first, again = cell.times(REFERENCE), cell.times(AGAIN)
        if first and again:
            widest = max(widest, band(change(first, again)), key=lambda found: found.high)
    return widest


def _missing(before: Results, after: Results, compared: set[tuple[str, str]]) -> list[str]:
    """List the rows with a time in one run that are not compared, a line each."""
    first, second = _timed(before), _timed(after)
    lines = []
    for cell, row in sorted((first | second) - compared):
        if (cell, row) not in second:
            why = f"no time in the second: {_why_not(after, cell, row)}"
        elif (cell, row) not in first:
            why = f"no time in the first: {_why_not(before, cell, row)}"
        else:
            why = "no floor to compare it by"
        lines.append(f"{cell}: {row}: {why}")
    return lines


def _wrong(before: Results, after: Results) -> list[str]:
    timed = _timed(before)
    cells = {cell for cell, _ in timed}
    refused = [line for line in after.refused if line.partition(": ")[0] in cells]
    return refused + [
        f"{cell.label}: {row.name}: {row.wrong}"
        for cell in after.cells
        for row in cell.rows
        if row.wrong and (cell.label, row.name) in timed
    ]


def _timed(results: Results) -> set[tuple[str, str]]:
    return {(cell.label, row.name) for cell in results.cells for row in cell.timed(CONTENDER)}


def _why_not(results: Results, label: str, name: str) -> str:
    """Return why a row has no time."""
    cell = results.cell(label)
    row = cell and cell.row(name)
    if not row:
        lines = (*results.refused, *results.left_out)
        said = next((line for line in lines if line.startswith(f"{label}: ")), None)
        return said.removeprefix(f"{label}: ") if said else "it was not asked for"
    return f"wrong: {row.wrong}" if row.wrong else row.absent or "it was not timed everywhere"
