"""What a placeholder of the template may ask of the stored results.

A placeholder is a verb and its arguments, `{{ratio digits/512/float32/all hand-numpy grad-jit}}`. A
cell is named by its label, an axis by its case, dtype and threads; what is left out at the end of
either is `highest` and `cpu`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.analysis.axes import crossovers, exponent, fit
from benchmarks.analysis.factors import (
    between,
    break_even,
    factors,
    gradient_cost,
    noise,
    verdict,
)
from benchmarks.analysis.floors import fastest
from benchmarks.analysis.groups import groups
from benchmarks.comparing import TIE, WORSE, compare
from benchmarks.document.reasons import MOVES, evidence, reason
from benchmarks.goals import QUIET, TAX, Goal, goals
from benchmarks.names import GRAD, LABELS, MEMORY, PRODUCTS
from benchmarks.report import summary, units
from benchmarks.report.lines import lines
from benchmarks.report.markdown import table
from benchmarks.results import Cell, Results, Row, load
from benchmarks.statistics import Interval, spread

#: Three runs of the quick set, the last one with every contender slowed by a tenth.
COMPARISON = Path(__file__).parents[1] / "results" / "comparison"
RUNS = ("first", "again", "slowed")

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
        kind = [*case.split("/"), "highest", "cpu"][:5]
        for group in groups(self.results):
            if [group.case, group.dtype, group.threads, group.precision, group.device] == kind:
                return group.cells
        raise UnknownError(f"the results have no cells of {case}")


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


def _untuned(asked: Asked, label: str, name: str) -> str:
    row = asked.row(label, name)[1]
    if row.untuned is None:
        raise UnknownError(f"{label}: {name} was not timed without freed memory kept")
    return units.seconds(row.untuned)


def _once(asked: Asked, label: str, phase: str) -> str:
    found = asked.row(label, GRAD)[1].phases
    if not found:
        raise UnknownError(f"{label}: what comes once was not measured")
    return units.seconds(sum(found.values()) if phase == "all" else found[phase])


def _started(asked: Asked, threads: str) -> str:
    """How long JAX took to start, the median over the workers."""
    return units.seconds(
        float(np.median(asked.results.fingerprint["workers"][threads]["seconds to start JAX"]))
    )


def _paid(asked: Asked, label: str) -> str:
    found = break_even(asked.cell(label))
    if found is None:
        raise UnknownError(f"{label} has not both rows")
    return "never" if found.calls is None else f"after {units.many(found.calls)} calls"


def _crossover(asked: Asked, case: str, name: str, other: str) -> str:
    cells = asked.axis(case)
    if found := crossovers(cells, name, other):
        return "; ".join(map(summary.crossing, found))
    slower = {verdict(cell, name, other) for cell in cells} - {"tie", ""}
    if len(slower) != 1:
        return "nowhere beyond doubt"
    return f"nowhere, {other if slower == {'slower'} else name} is never the slower one"


def _exponent(asked: Asked, case: str, name: str, other: str) -> str:
    found = _sure(exponent(asked.axis(case), name, other), case)
    return f"{found.middle:.2f} ({found.low:.2f} to {found.high:.2f})"


def _fit(asked: Asked, case: str, name: str) -> str:
    found = fit(asked.axis(case), name)
    if found is None:
        raise UnknownError(f"{case}: fewer than three times of {name}")
    return summary.line(found)


def _part(asked: Asked, label: str, part: str) -> str:
    found = fastest(asked.cell(label), {"products": PRODUCTS, "bytes": MEMORY}[part])
    if found is None:
        raise UnknownError(f"{label} has no {part}")
    library, taken = found
    return f"{units.seconds(float(np.median(taken)))} by {library}"


def _table(asked: Asked, label: str) -> str:
    return table(lines(asked.cell(label)))


def _contenders(asked: Asked) -> str:
    timed = {row.name for cell in asked.results.cells for row in cell.rows if row.timed}
    rows = [f"| `{name}` | {what} |" for name, what in LABELS.items() if name in timed]
    return "\n".join(["| row | what it is |", "| :-- | :-- |", *rows])


def _goals(asked: Asked) -> str:
    """A table of the goals but for the taxes, of which there are many."""
    head = [
        "| cell | what | asked | found | 95 % interval | |",
        "| :-- | :-- | :-- | --: | --: | :-- |",
    ]
    rows = [
        f"| `{goal.cell}` | {goal.what} | {goal.asked} | {_enclosed(goal)} | {goal.word} |"
        for goal in goals(asked.results)
        if goal.what != TAX
    ]
    return "\n".join([*head, *rows])


def _enclosed(goal: Goal) -> str:
    """The ratio and its interval, in two columns; goals are missed by less than a hundredth."""
    middle, *ends = (f"{found:.3f}" if found < 10 else units.digits(found) for found in goal.found)
    return f"{middle} | {' to '.join(ends)}"


def _taxed(asked: Asked) -> str:
    found = [goal for goal in goals(asked.results) if goal.what == TAX]
    met, hidden = (sum(goal.met is word for goal in found) for word in (True, None))
    return (
        f"{met} of {len(found)}; in {hidden} more the noise, above {units.percent(QUIET)}, is too "
        f"large to say, and in the other {len(found) - met - hidden} it is not"
    )


def _exceptions(asked: Asked) -> str:
    """The taxes that are not 1, with what the compiled programs say."""
    head = [
        "| cell | tax | 95 % interval | by hand and by `jax.grad` | |",
        "| :-- | --: | --: | :-- | :-- |",
    ]
    rows = [
        f"| `{goal.cell}` | {_enclosed(goal)} | {evidence(asked.cell(goal.cell))} | "
        f"{_reason(asked, goal)} |"
        for goal in goals(asked.results)
        if goal.what == TAX and goal.met is False
    ]
    return "\n".join([*head, *rows])


def _misses(asked: Asked) -> str:
    """Every other goal that is missed, by how much, and why."""
    lines = [
        f"- `{goal.cell}`: {goal.what} is {goal.found.middle:.3f}, asked {goal.asked}: "
        f"{_reason(asked, goal)}."
        for goal in goals(asked.results)
        if goal.what != TAX and goal.met is False
    ]
    lines += [
        f"- `{goal.cell}`: {goal.what}: the noise is too large to say."
        for goal in goals(asked.results)
        if goal.what != TAX and goal.met is None
    ]
    return "\n".join(lines) if lines else "All of it was reached."


def _reason(asked: Asked, goal: Goal) -> str:
    why = reason(goal, asked.cell(goal.cell))
    if why is None:
        found = f"{goal.found.middle:.3f}"
        raise UnknownError(f"{goal.cell}: {goal.what} is {found}, and no reason is written")
    return why


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
    return f"{count}, of {largest:,} numbers at most" if moves else str(count)


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


def _quick(asked: Asked) -> str:  # noqa: ARG001 (the form of every verb)
    """How long the stored quick run took."""
    seconds = load(COMPARISON / f"{RUNS[0]}.json").settings["seconds"]
    return f"{seconds / 60:.1f} minutes"


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
    "untuned": _untuned,
    "once": _once,
    "started": _started,
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
    "exceptions": _exceptions,
    "operations": _operations,
    "compared": _compared,
    "quick": _quick,
    "fact": _fact,
    "setting": _setting,
    "rows": _rows,
    "cells": _cells,
}
