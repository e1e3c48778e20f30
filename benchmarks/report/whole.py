"""Show a whole run: cell by cell on a terminal or in Markdown, or in a line a cell."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from rich.console import Console

from benchmarks import analysis, names
from benchmarks.report import units
from benchmarks.report.lines import about, closing, lines, missing, title
from benchmarks.report.table import Table
from benchmarks.results import Cell, Results
from benchmarks.statistics import spread

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
    _say(out, [", ".join(results.fingerprint["gpus"]) or results.fingerprint["processor"]])
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
        units.seconds(spread(found).median) if (found := cell.times(name)) else "-"
        for name in times
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
    if any(len(cell.size) != 1 for cell in cells):
        return
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
    rate = f"{units.digits(1e-9 / found.per_flop)} GFLOP/s" if found.per_flop > 0 else "no rate"
    off = f"off by a factor of {found.worst:.2f} at most"
    return f"{units.seconds(found.fixed)} + FLOPs / ({rate}), {off}"


def crossing(found: analysis.Crossover) -> str:
    """Format a crossing: its size with an interval, and the faster row beyond it."""
    at, low, high = (units.many(round(size)) for size in found.size)
    measured = f"measured at {found.between[0]:,} and {found.between[1]:,}"
    return f"{at} ({low} to {high}; {measured}), from where on {found.winner} is faster"
