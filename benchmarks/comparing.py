"""Two runs set side by side: which rows became faster or slower, beyond what noise explains.

On one machine times are compared. On two, times say nothing; there the ratios to the floor, which
was measured on the same machine in the same rounds, are.

**The time of a row** is the lowest decile of its samples. Another process on the machine only ever
adds to a sample, and does so for seconds at a time, so that medians of two runs differ by what the
neighbours did; the low end is what the program takes.

**Noise.** The reference is in every cell twice. How far the two are apart, with its interval, in
either run, is the band that hides a change; a row is a tie while the interval of its change meets
the band. Intervals are from draws of processes, then of rounds, of both runs.
"""

from dataclasses import dataclass

from benchmarks.analysis.floors import dispatch_bound, floor
from benchmarks.fingerprint import differences
from benchmarks.names import AGAIN, REFERENCE
from benchmarks.results import CONTENDER, Cell, Results
from benchmarks.statistics import Band, Interval, band, change

BETTER, WORSE, TIE = "better", "worse", "tie"


@dataclass(frozen=True)
class Change:
    """What became of a row."""

    cell: str
    row: str
    ratio: Interval  #: after / before
    noise: Band
    verdict: str  #: better, worse or tie
    dispatch_bound: bool


@dataclass(frozen=True)
class Comparison:
    """Of two runs."""

    by_floor: list[str]  #: why ratios to the floor are compared and not times; [] for times
    changes: list[Change]
    missing: list[str]  #: what only one of the two has

    def of(self, verdict: str) -> list[Change]:
        """The rows with that verdict."""
        return [change for change in self.changes if change.verdict == verdict]


def compare(before: Results, after: Results) -> Comparison:
    """Every row that both have times for."""
    other = differences(before.fingerprint, after.fingerprint)
    changes: list[Change] = []
    for cell in after.cells:
        old = before.cell(cell.label)
        if old is not None:
            changes += _of_cell(old, cell, by_floor=bool(other))
    return Comparison(other, changes, _missing(before, after))


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
        found.append(Change(after.label, row.name, ratio, hidden, _verdict(ratio, hidden), bound))
    return found


def _noise(*cells: Cell) -> Band:
    """The widest of the cells' bands; where the reference was not there twice, none."""
    widest = Band(1.0, 1.0)
    for cell in cells:
        first, again = cell.row(REFERENCE), cell.row(AGAIN)
        if first is not None and again is not None and first.timed and again.timed:
            widest = max(widest, band(change(first.samples, again.samples)), key=_width)
    return widest


def _width(found: Band) -> float:
    return found.high


def _verdict(ratio: Interval, hidden: Band) -> str:
    if ratio.overlaps(*hidden):
        return TIE
    return WORSE if ratio.low > hidden.high else BETTER


def _missing(before: Results, after: Results) -> list[str]:
    def timed(results: Results) -> set[tuple[str, str]]:
        return {(c.label, r.name) for c in results.cells for r in c.timed(CONTENDER)}

    first, second = timed(before), timed(after)
    gone = [f"{cell}: {row}: in the first only" for cell, row in sorted(first - second)]
    return gone + [f"{cell}: {row}: in the second only" for cell, row in sorted(second - first)]
