"""What a placeholder of the template may ask of the stored results.

A placeholder is a verb and its arguments, `{{ratio digits/512/float32/all hand-numpy grad-jit}}`. A
cell is named by its label; what is left out at the end of it is `highest` and `cpu`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.analysis.axes import crossovers, exponent, fit
from benchmarks.analysis.factors import between, break_even, factors, gradient_cost, noise
from benchmarks.analysis.floors import fastest
from benchmarks.comparing import TIE, WORSE, compare
from benchmarks.document.reasons import reason
from benchmarks.goals import TAX, goals
from benchmarks.names import GRAD, LABELS, MEMORY, PRODUCTS
from benchmarks.report import units
from benchmarks.report.lines import lines
from benchmarks.report.markdown import table
from benchmarks.results import Cell, Results, Row, load
from benchmarks.statistics import Interval, spread

#: Three runs of the quick set, the last one with every contender slowed by a tenth.
COMPARISON = Path(__file__).parents[1] / "results" / "comparison"
RUNS = ("first", "again", "slowed")

#: Operations that take as long as there are numbers to be put elsewhere.
MOVES = ("copy", "transpose")

#: Operations that take time: on numbers, calls of pieces that are compiled as a whole, and copies.
COMPUTES = (
    *("call", "copy", "transpose"),
    *("dot", "add", "subtract", "multiply", "divide", "exponential", "log", "logistic", "tanh"),
    *("maximum", "minimum", "abs", "negate", "select", "compare", "reduce"),
)


class UnknownError(ValueError):
    """A placeholder that the results have no answer to; the message is one line."""


class Asked(NamedTuple):
    """The results, with what a verb needs to find in them."""

    results: Results

    def cell(self, label: str) -> Cell:
        """The cell of that label."""
        full = "/".join([*label.split("/"), "highest", "cpu"][:6])
        found = self.results.cell(full)
        if found is None:
            raise UnknownError(f"the results have no cell {full}")
        return found

    def row(self, label: str, name: str) -> tuple[Cell, Row]:
        """A row that has times, and its cell."""
        cell = self.cell(label)
        row = cell.row(name)
        if row is None or not row.timed:
            raise UnknownError(f"{cell.label} has no time of {name}")
        return cell, row

    def axis(self, case: str) -> list[Cell]:
        """The cells of `case/dtype/threads`, by size."""
        name, dtype, threads = case.split("/")
        found = self.results.chosen(
            lambda cell: (cell.case, cell.dtype, cell.threads) == (name, dtype, threads)
        )
        if not found:
            raise UnknownError(f"the results have no cells of {case}")
        return found


def _sure(found: Interval | None, what: str) -> Interval:
    if found is None:
        raise UnknownError(f"{what}: a row has no time")
    return found


def _time(asked: Asked, label: str, name: str) -> str:
    return units.seconds(spread(asked.row(label, name)[1].samples).median)


def _ratio(asked: Asked, label: str, name: str, other: str) -> str:
    asked.row(label, name)
    return units.digits(_sure(between(asked.cell(label), name, other), label).middle)


def _factor(asked: Asked, label: str, which: str) -> str:
    found = factors(asked.cell(label))
    if found is None:
        raise UnknownError(f"{label} has not all three rows of the factors")
    return f"{getattr(found, which).middle:.3f}"


def _cost(asked: Asked, label: str) -> str:
    return f"{_sure(gradient_cost(asked.cell(label)), label).middle:.2f}"


def _expected(asked: Asked, label: str) -> str:
    return f"{asked.cell(label).expected_cost or float('nan'):.2f}"


def _taxes(asked: Asked, case: str, least: str) -> str:
    """The smallest and the largest tax along an axis, from a size on."""
    cells = [cell for cell in asked.axis(case) if cell.size[0] >= int(least)]
    found = [made.autodiff_tax.middle for cell in cells if (made := factors(cell))]
    if not found:
        raise UnknownError(f"{case} has no factors from {least} on")
    return f"{min(found):.3f} to {max(found):.3f}"


def _noise(asked: Asked, label: str) -> str:
    band = noise(asked.cell(label))
    if band is None:
        raise UnknownError(f"{label} has no noise")
    return units.percent(band.high - 1)


def _memory(asked: Asked, label: str, name: str) -> str:
    row = asked.row(label, name)[1]
    if row.peak_bytes is None:
        raise UnknownError(f"{label}: the memory of {name} was not measured")
    return units.size_in_bytes(row.peak_bytes)


def _once(asked: Asked, label: str, phase: str) -> str:
    found = asked.row(label, GRAD)[1].phases
    if not found:
        raise UnknownError(f"{label}: what comes once was not measured")
    return units.seconds(sum(found.values()) if phase == "all" else found[phase])


def _paid(asked: Asked, label: str) -> str:
    found = break_even(asked.cell(label))
    if found is None:
        raise UnknownError(f"{label} has not both rows")
    return "never" if found.calls is None else f"after {units.many(found.calls)} calls"


def _crossover(asked: Asked, case: str, name: str, other: str) -> str:
    found = crossovers(asked.axis(case), name, other)
    if not found:
        return "nowhere"
    return ", ".join(
        f"{units.many(round(at.size.middle))} (between {at.between[0]:,} and {at.between[1]:,})"
        for at in found
    )


def _exponent(asked: Asked, case: str, name: str, other: str) -> str:
    found = _sure(exponent(asked.axis(case), name, other), case)
    return f"{found.middle:.2f}"


def _fit(asked: Asked, case: str, name: str) -> str:
    found = fit(asked.axis(case), name)
    if found is None:
        raise UnknownError(f"{case}: fewer than three times of {name}")
    rate = f"{units.digits(1e-9 / found.per_flop)} GFLOP/s" if found.per_flop > 0 else "no rate"
    off = f"off by a factor of {found.worst:.2f} at most"
    return f"{units.seconds(found.fixed)} + FLOPs / ({rate}), {off}"


def _part(asked: Asked, label: str, part: str) -> str:
    found = fastest(asked.cell(label), {"products": PRODUCTS, "bytes": MEMORY}[part])
    if found is None:
        raise UnknownError(f"{label} has no {part}")
    library, taken = found
    return f"{units.seconds(sorted(taken.reshape(-1).tolist())[taken.size // 2])} by {library}"


def _table(asked: Asked, label: str) -> str:
    return table(lines(asked.cell(label)))


def _contenders(asked: Asked) -> str:
    timed = {row.name for cell in asked.results.cells for row in cell.rows if row.timed}
    rows = [f"| `{name}` | {what} |" for name, what in LABELS.items() if name in timed]
    return "\n".join(["| row | what it is |", "| :-- | :-- |", *rows])


def _goals(asked: Asked) -> str:
    """A table of the goals; of the taxes, of which there are many, only those that are missed."""
    head = [
        "| cell | what | asked | found | 95 % interval | |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    rows = [
        f"| `{goal.cell}` | {goal.what} | {goal.asked} | {_close(goal.found.middle)} | "
        f"{_close(goal.found.low)} to {_close(goal.found.high)} | "
        f"{'met' if goal.met else '**missed**'} |"
        for goal in goals(asked.results)
        if not (goal.what == TAX and goal.met)
    ]
    return "\n".join([*head, *rows])


def _close(ratio: float) -> str:
    """To three places: goals are missed by less than a hundredth."""
    return f"{ratio:.3f}" if ratio < 10 else units.digits(ratio)


def _taxed(asked: Asked) -> str:
    found = [goal for goal in goals(asked.results) if goal.what == TAX]
    return f"{sum(goal.met for goal in found)} of {len(found)}"


def _misses(asked: Asked) -> str:
    """Every goal that is missed, by how much, and why."""
    missed = [goal for goal in goals(asked.results) if not goal.met]
    lines = []
    for goal in missed:
        why = reason(asked.cell(goal.cell))
        if why is None:
            raise UnknownError(f"{goal.cell}: {goal.what} is missed, and no reason is written")
        found = _close(goal.found.middle)
        lines.append(f"- `{goal.cell}`: {goal.what} is {found}, asked {goal.asked}: {why}.")
    return "\n".join(lines) if lines else "All of it was reached."


def _operations(asked: Asked, label: str, *rows: str) -> str:
    """The operations that the compiled programs of some rows have not equally many of."""
    programs = [asked.row(label, name)[1].operations for name in rows]
    if not all(programs):
        raise UnknownError(f"{label}: the compiled programs were not looked into")
    counts = {
        operation: [_counted(program.get(operation), operation) for program in programs]
        for operation in sorted({*COMPUTES}.intersection(set().union(*programs)))
    }
    return "\n".join(
        [
            f"| operation | {' | '.join(f'`{name}`' for name in rows)} |",
            f"| :-- |{' --: |' * len(rows)}",
            *(
                f"| `{operation}` | {' | '.join(found)} |"
                for operation, found in counts.items()
                if len(set(found)) > 1
            ),
        ]
    )


def _counted(found: list[int] | None, operation: str) -> str:
    """How often an operation is there; of one that moves numbers, how many at most."""
    count, largest = found or (0, 0)
    moves = operation in MOVES and largest > 0
    return f"{count}, of {units.many(largest)} numbers at most" if moves else str(count)


def _compared(asked: Asked) -> str:  # noqa: ARG001 (the form of every verb)
    """Of the three stored quick runs: the same again, and one that is slower, by `compare`."""
    first, again, slowed = (load(COMPARISON / f"{name}.json") for name in RUNS)
    same, slower = compare(first, again), compare(first, slowed)
    computing = [change for change in slower.changes if not change.dispatch_bound]
    worse = sum(change.verdict == WORSE for change in computing)
    return (
        f"- the same again: {len(same.of(TIE))} of {len(same.changes)} rows are a tie\n"
        f"- a tenth slower: {worse} of {len(computing)} rows that are not mostly their call are "
        f"worse, and {len(slower.of(WORSE))} of all {len(slower.changes)}"
    )


def _fact(asked: Asked, name: str) -> str:
    found = asked.results.fingerprint[name]
    if isinstance(found, dict):
        return ", ".join(f"{key} {value}" for key, value in found.items())
    return str(found)


def _setting(asked: Asked, name: str) -> str:
    return str(asked.results.settings[name])


def _rows(asked: Asked) -> str:
    return str(sum(len(lines(cell)) for cell in asked.results.cells))


def _cells(asked: Asked) -> str:
    return str(len(asked.results.cells))


#: What can be asked, by the verb; each answers with text.
VERBS: dict[str, Callable[..., str]] = {
    "time": _time,
    "ratio": _ratio,
    "factor": _factor,
    "taxes": _taxes,
    "cost": _cost,
    "expected": _expected,
    "noise": _noise,
    "memory": _memory,
    "once": _once,
    "paid": _paid,
    "crossover": _crossover,
    "exponent": _exponent,
    "fit": _fit,
    "part": _part,
    "table": _table,
    "contenders": _contenders,
    "goals": _goals,
    "misses": _misses,
    "taxed": _taxed,
    "operations": _operations,
    "compared": _compared,
    "fact": _fact,
    "setting": _setting,
    "rows": _rows,
    "cells": _cells,
}
