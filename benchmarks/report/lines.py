"""Describe a cell in text: a line for each row, and conclusions."""

from collections.abc import Iterator

import numpy as np

from benchmarks import analysis, names
from benchmarks.cases import CASES
from benchmarks.report import units
from benchmarks.report.table import Table
from benchmarks.results import AGAIN, CONTENDER, Cell, Results, Row
from benchmarks.statistics import spread, time

#: A gate that covers at least this share of the gradient needs no remark.
ALMOST_ALL = 0.999

#: The headings of the columns.
COLUMNS = (
    *("", "median", "95 % interval", "min", "middle half"),
    *(f"/ {names.REFERENCE}", "", "/ floor", "gate error"),
)
WORDS = (0, 6)  #: those of words


def about(results: Results) -> list[str]:
    """Describe the machine, the settings, and the columns."""
    found, settings = results.fingerprint, results.settings
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    where = ", ".join(found["gpus"]) or f"{found['processor']}, {found['processors']} processors"
    return [
        f"{where}; {versions}",
        f"{settings['rounds']} rounds over {settings['processes']} processes; "
        "/ floor: * where more than half of the time is the call itself, < where a time is below "
        "its floor; gate error: the largest, of what is allowed; ratios are of one round each, not "
        "of the medians",
        *busy(results),
    ]


def busy(results: Results) -> list[str]:
    """Return a warning if the machine was busy before the start."""
    load = results.fingerprint["load"]
    if load <= results.fingerprint["processors"] / 2:
        return []
    return [f"Load {load} before the start: others run here, take it again when it is quiet."]


def lines(cell: Cell) -> Table:
    """Return a line for every row of this version with a time, fastest first, the noise last.

    In the floor's column `*` says that dispatch is most of a time, `<` that it is below its floor.
    """
    timed = [row for row in cell.timed(CONTENDER) if row.name in names.CONTENDERS]
    contenders = sorted(timed, key=lambda row: spread(row.samples).median)
    return Table(COLUMNS, [_line(cell, row) for row in (*contenders, *cell.timed(AGAIN))], WORDS)


def _line(cell: Cell, row: Row) -> list[str]:
    found, all_of_it = time(row.samples), spread(row.samples)
    ratio = analysis.between(cell, row.name, names.REFERENCE)
    return [
        *(row.name, units.seconds(found.middle), units.interval(found.low, found.high)),
        units.seconds(all_of_it.least),
        units.interval(all_of_it.lower, all_of_it.upper),
        units.digits(ratio.middle) if ratio else "-",
        "noise" if row.kind == AGAIN else analysis.verdict(cell, row.name),
        *(_of_floor(cell, row), units.percent(row.gate_error or 0.0)),
    ]


def _of_floor(cell: Cell, row: Row) -> str:
    found = analysis.over_floor(cell, row)
    if found is None:
        return "-"
    mark = "<" if found.high < 1 else "*" if analysis.dispatch_bound(cell, row) else ""
    return f"{units.digits(found.middle)}{mark}"


def title(cell: Cell) -> str:
    """Describe the cell: case, size, problem, and how JAX runs it."""
    size = " × ".join(f"{number:,}" for number in cell.size)
    threads = "one thread" if cell.threads == "1" else "all threads"
    where = f"{cell.dtype}, {threads}, {cell.device}"
    about = CASES[cell.case].about if cell.case in CASES else "of another version"
    return f"{cell.case} {size}: {about}; {where}, products at {cell.precision}"


def missing(cell: Cell) -> list[str]:
    """List the rows without a time, by reason."""
    rows = [row for row in cell.rows if row.name in names.LABELS]
    wrong = [f"{row.name}: no time, wrong: {row.wrong}" for row in rows if row.wrong]
    absent: dict[str, list[str]] = {}
    for row in rows:
        if row.absent:
            absent.setdefault(row.absent, []).append(row.name)
    return [*wrong, *(f"not timed: {', '.join(found)}: {why}" for why, found in absent.items())]


def closing(cell: Cell) -> Iterator[str]:
    """Yield the conclusions: floor, noise, factors, cost, break-even calls, memory."""
    if parts := [*_floor(cell)]:
        yield f"floor: {', '.join(parts)}"
    ratios = ((row.name, analysis.over_floor(cell, row)) for row in cell.timed(CONTENDER))
    # What is significantly below its floor needs an explanation.
    if below := [name for name, ratio in ratios if ratio and ratio.high < 1]:
        yield f"below the floor, which asks for a reason: {', '.join(below)}"
    if band := analysis.noise(cell):
        yield f"noise: ratios from {1 / band:.3f} to {band:.3f} are a tie"
    if found := analysis.factors(cell):
        yield (
            f"jax.grad is {units.digits(found.speed_up.middle)} times as fast as by hand in NumPy ="
            f" compiler gain {found.compiler_gain.middle:.3f} / autodiff tax "
            f"{found.autodiff_tax.middle:.3f}"
        )
    if (cost := analysis.between(cell, names.GRAD, names.LOSS)) and cell.expected_cost is not None:
        yield (
            f"loss and gradient cost {cost.middle:.2f} losses; counted in multiply-adds "
            f"{cell.expected_cost:.2f}"
        )
    row = cell.row(names.GRAD)
    if row and row.counted_flops is not None and cell.flops is not None:
        yield (
            f"XLA counts {row.counted_flops / cell.flops:.2f} times the operations that the matrix "
            "products of the formula have"
        )
    if cell.sees is not None and cell.sees <= ALMOST_ALL:
        unseen = units.percent(1 - cell.sees)
        yield f"{unseen} of the gradient could be 0 and the gate not see it"
    if row and row.timed and row.steady_after:
        calls = sorted(row.steady_after)
        yield f"{names.GRAD} is steady after {calls[0]} to {calls[-1]} calls"
    if pays := analysis.break_even(cell):
        once = f"the first call of jax.grad, which compiles, takes {units.seconds(pays.first)}"
        after = f"overtakes NumPy by hand after {units.many(pays.calls or 0)} calls"
        never = "never overtakes NumPy by hand"
        yield f"{once}, and {never if pays.calls is None else after}"
    if memory := "; ".join(_memory(cell)):
        yield memory


def _floor(cell: Cell) -> Iterator[str]:
    for label, name in (("a call of Python", names.EMPTY_CALL), ("of JAX", names.IDENTITY)):
        if times := cell.times(name):
            yield f"{label} {units.seconds(spread(times).median)}"
    for label, libraries in (("products", names.PRODUCTS), ("bytes", names.MEMORY)):
        if best := analysis.fastest(cell, libraries):
            library, taken = best
            yield f"{label} {units.seconds(float(np.median(taken)))} ({library})"
    if moved := cell.times(names.TRANSFER):
        there = units.seconds(spread(moved).median)
        yield f"apart from it, to the device and back {there}"


def _memory(cell: Cell) -> Iterator[str]:
    """Yield what was measured, or on a GPU planned, and the times without freed memory kept."""
    peaks = [(row.name, row.peak_bytes, "") for row in cell.rows]
    planned = [(row.name, row.planned_bytes, ", as planned") for row in cell.rows]
    none = all(size is None for _, size, _ in peaks)
    of = planned if none and cell.device == "gpu" else peaks
    sizes = [f"{name} {units.size_in_bytes(n)}{how}" for name, n, how in of if n is not None]
    untuned = [f"{row.name} {units.seconds(row.untuned)}" for row in cell.rows if row.untuned]
    if sizes:
        yield f"memory of a call: {', '.join(sizes)}"
    if untuned:
        yield f"time of one without freed memory kept: {', '.join(untuned)}"
