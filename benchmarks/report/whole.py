"""Show a whole run: cell by cell on a terminal or in Markdown, or in a line a cell."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
from rich.console import Console

from benchmarks import analysis, names
from benchmarks.cases import CASES
from benchmarks.report import units
from benchmarks.report.table import Table
from benchmarks.results import AGAIN, CONTENDER, Cell, Results, Row
from benchmarks.statistics import time, typical

#: A gate that covers at least this share of the gradient needs no remark.
ALMOST_ALL = 0.999

#: The headings of the columns.
COLUMNS = (
    *("", "median", "95 % interval", "min", "middle half"),
    *(f"/ {names.REFERENCE}", "", "/ floor", "gate error"),
)
WORDS = (0, 6)  #: those of words

#: The rows that are fitted and searched for crossings.
FITTED = (names.HAND, names.HAND_JIT, names.GRAD)
CROSSED = (names.HAND, names.GRAD, names.FLOATS, names.C)

#: Pairs of rows whose relative growth is estimated.
GROWN = ((names.GRAD, names.LOSS), (names.FORWARD, names.GRAD), (names.DIFFERENCES, names.GRAD))


def show(results: Results, out: Console) -> None:
    """Print everything, cell after cell: a table, conclusions, what the rows are, a last word."""
    _say(out, about(results))
    for cell in results.cells:
        _say(out, [f"\n{title(cell)}"])
        lines(cell).show(out)
        _say(out, [*missing(cell), *closing(cell)])
    rows = {row[0]: None for cell in results.cells for row in lines(cell).rows}
    width = max(map(len, rows), default=0)
    _say(out, ["", *(f"{name:{width}}  {names.LABELS[name]}" for name in rows), ""])
    _say(out, [*summary(results), *results.left_out, *results.refused, *results.failed])
    _say(out, [f"\n{last_word(results)}"])


def _say(out: Console, lines: Iterable[str]) -> None:
    for line in lines:
        out.print(line, soft_wrap=True)


def show_short(results: Results, out: Console) -> None:
    """Print a line a cell, for screens that show the last lines only."""
    heads = ("cell", "grad-jit", "/ floor", "hand-jit", "tax", "noise", "gate")
    rest = ("hand-numpy", "torch", "transfer", "steady")
    _say(out, [", ".join(results.about["gpus"]) or results.about["processor"]])
    Table((*heads, *rest), [_short(cell) for cell in results.cells]).show(out)
    _say(out, [*results.left_out, *results.refused, *results.failed, last_word(results)])


def _short(cell: Cell) -> list[str]:
    reference = cell.row(names.GRAD)
    floor = analysis.over_floor(cell, reference) if reference else None
    tax, band = analysis.between(cell, names.GRAD, names.HAND_JIT), analysis.noise(cell)
    errors = [row.gate_error for row in cell.rows if row.gate_error is not None]
    steady = reference.steady_after if reference else []
    times = (names.GRAD, names.HAND_JIT, names.HAND, names.TORCH, names.TRANSFER)
    grad, hand_jit, *others = (
        units.seconds(typical(found)) if (found := cell.times(name)) else "-" for name in times
    )
    return [
        *(cell.label, grad, units.digits(floor.middle) if floor else "-", hand_jit),
        f"{tax.middle:.3f}" if tax else "-",
        f"{band - 1:.1%}" if band else "-",
        *(units.percent(max(errors, default=0)), *others, str(max(steady, default="-"))),
    ]


def last_word(results: Results) -> str:
    """State whether all answers were right."""
    cells, failed, refused = len(results.cells), len(results.failed), len(results.refused)
    wrong = f"{failed} wrong answer{'s' * (failed != 1)}" if failed else ""
    unjudged = f"{refused} cell{'s' * (refused != 1)} that could not be judged" if refused else ""
    if failed or refused:
        return f"{' and '.join(filter(None, (wrong, unjudged)))}: no time for those."
    if not results.right:
        return "Nothing was timed."
    rows = sum(len(lines(cell).rows) for cell in results.cells)
    return f"{rows} rows in {cells} cells, every answer right before and after it was timed."


def markdown(results: Results) -> str:
    """Write the conditions, a table and conclusions for each cell, and the summary."""
    parts = ["\n".join(about(results))]
    for cell in results.cells:
        notes = _bullets([*missing(cell), *closing(cell)])
        found = lines(cell)
        as_code = replace(found, rows=[(f"`{name}`", *rest) for name, *rest in found.rows])
        parts += [f"**{title(cell)}**", as_code.markdown(), notes]
    return "\n\n".join(filter(None, [*parts, _bullets(summary(results))])) + "\n"


def _bullets(found: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in found)


def summary(results: Results) -> list[str]:
    """Return a line for each finding."""
    return [
        f"{where}: {line}"
        for where, cells in analysis.axes(results).items()
        for line in _along(cells)
    ]


def _along(cells: list[Cell]) -> Iterator[str]:
    for name in FITTED:
        if (found := analysis.fit(cells, name)) and found.per_flop > 0:
            yield f"{name} = {line(found)}"
    for name, other in GROWN:
        if grown := analysis.exponent(cells, name, other):
            ends = f"{grown.low:.2f} to {grown.high:.2f}"
            yield (f"{name} / {other} grows as parameters to the {grown.middle:.2f} ({ends})")
    for pair in combinations(CROSSED, 2):
        for found in analysis.crossovers(cells, *pair):
            yield f"{found.loser} until {crossing(found)}"


def line(found: analysis.Fit) -> str:
    """Format T = a + b · FLOPs, with b as a rate."""
    rate = f"{units.digits(1e-9 / found.per_flop)} GFLOP/s"
    off = f"off by a factor of {found.worst:.2f} at most"
    return f"{units.seconds(found.fixed)} + FLOPs / ({rate}), {off}"


def crossing(found: analysis.Crossover) -> str:
    """Format a crossing: its size with an interval, and the faster row beyond it."""
    at, low, high = (units.many(round(size)) for size in found.size)
    measured = f"measured at {found.between[0]:,} and {found.between[1]:,}"
    return f"{at} ({low} to {high}; {measured}), from where on {found.winner} is faster"


def about(results: Results) -> list[str]:
    """Describe the machine, the settings, and the columns."""
    found = results.about
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    where = ", ".join(found["gpus"]) or f"{found['processor']}, {found['processors']} processors"
    return [
        f"{where}; {versions}",
        f"{found['rounds']} rounds over {found['processes']} processes; "
        "/ floor: * where more than half of the time is the call itself, < where a time is below "
        "its floor; gate error: the largest, of what is allowed; ratios are of one round each, not "
        "of the medians",
        *busy(results),
    ]


def busy(results: Results) -> list[str]:
    """Return a warning if the machine was busy before the start."""
    load = results.about["load"]
    if load <= results.about["processors"] / 2:
        return []
    return [f"Load {load} before the start: others run here, take it again when it is quiet."]


def lines(cell: Cell) -> Table:
    """Return a line for every row of this version with a time, fastest first, the noise last.

    In the floor's column `*` says that dispatch is most of a time, `<` that it is below its floor.
    """
    timed = [row for row in cell.timed(CONTENDER) if row.name in names.CONTENDERS]
    contenders = sorted(timed, key=lambda row: typical(row.samples))
    return Table(COLUMNS, [_line(cell, row) for row in (*contenders, *cell.timed(AGAIN))], WORDS)


def _line(cell: Cell, row: Row) -> list[str]:
    found = time(row.samples)
    least, lower, upper = np.quantile(row.samples, [0.0, 0.25, 0.75])
    ratio = analysis.between(cell, row.name, names.REFERENCE)
    return [
        *(row.name, units.seconds(found.middle), units.interval(found.low, found.high)),
        units.seconds(least),
        units.interval(lower, upper),
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
    pairs = (names.HAND, names.GRAD), (names.HAND, names.HAND_JIT), (names.GRAD, names.HAND_JIT)
    if all(found := [analysis.between(cell, *pair) for pair in pairs]):
        speed_up, gain, tax = (ratio.middle for ratio in found if ratio)
        yield (
            f"jax.grad is {units.digits(speed_up)} times as fast as by hand in NumPy ="
            f" compiler gain {gain:.3f} / autodiff tax {tax:.3f}"
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
        first, calls = pays
        once = f"the first call of jax.grad, which compiles, takes {units.seconds(first)}, and"
        overtakes = "never overtakes NumPy by hand"
        if calls is not None:
            overtakes = f"overtakes NumPy by hand after {units.many(calls)} calls"
        yield f"{once} {overtakes}"
    if memory := "; ".join(_memory(cell)):
        yield memory


def _floor(cell: Cell) -> Iterator[str]:
    for label, name in (("a call of Python", names.EMPTY_CALL), ("of JAX", names.IDENTITY)):
        if times := cell.times(name):
            yield f"{label} {units.seconds(typical(times))}"
    for label, libraries in (("products", names.PRODUCTS), ("bytes", names.MEMORY)):
        if best := analysis.fastest(cell, libraries):
            library, taken = best
            yield f"{label} {units.seconds(float(np.median(taken)))} ({library})"
    if moved := cell.times(names.TRANSFER):
        there = units.seconds(typical(moved))
        yield f"apart from it, to the device and back {there}"


def _memory(cell: Cell) -> Iterator[str]:
    """Yield what was measured, or on a GPU planned, and the times without freed memory kept."""
    planned = cell.device == "gpu" and all(row.peak_bytes is None for row in cell.rows)
    sizes = [
        f"{row.name} {units.size_in_bytes(size)}{', as planned' * planned}"
        for row in cell.rows
        if (size := row.planned_bytes if planned else row.peak_bytes) is not None
    ]
    untuned = [f"{row.name} {units.seconds(row.untuned)}" for row in cell.rows if row.untuned]
    if sizes:
        yield f"memory of a call: {', '.join(sizes)}"
    if untuned:
        yield f"time of one without freed memory kept: {', '.join(untuned)}"
