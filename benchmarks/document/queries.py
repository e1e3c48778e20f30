"""The queries on stored results that the templates of the documents can call.

A template may call every public method of `Queries`. A cell is named by its label, an axis by its
case, dtype and threads; a missing end of either means `highest` and `cpu`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.analysis.axes import crossovers, exponent, fit
from benchmarks.analysis.factors import between, break_even, factors, gradient_cost, noise, verdict
from benchmarks.analysis.floors import fastest
from benchmarks.analysis.groups import groups
from benchmarks.comparing import Comparison, compare
from benchmarks.document.reasons import MOVES, evidence, reason
from benchmarks.goals import QUIET, TAX, Goal, goals
from benchmarks.names import GRAD, LABELS, MEMORY, PRODUCTS
from benchmarks.report import summary, units
from benchmarks.report.lines import lines
from benchmarks.report.markdown import table
from benchmarks.results import Cell, Results, Row
from benchmarks.statistics import SLOWER, TIE, spread
from compare.wording import InputError

#: Three stored runs of the quick set, the last one with every contender slowed by a tenth.
COMPARISON = Path(__file__).parents[1] / "results" / "comparison"
RUNS = ("first", "again", "slowed")

#: Operations that take time: arithmetic, calls of fused kernels, and copies.
COMPUTES = (
    *("call", "copy", "transpose"),
    *("dot", "add", "subtract", "multiply", "divide", "exponential", "log", "logistic", "tanh"),
    *("maximum", "minimum", "abs", "negate", "select", "compare", "reduce"),
)


class UnknownError(InputError):
    """A value that a template needs and the results lack; the message is one line."""


@dataclass
class Queries:
    """Queries on results for templates; None where the results lack the value."""

    results: Results

    # Selecting cells and rows

    def cell(self, label: str) -> Cell:
        """Return the cell of that label."""
        full = "/".join([*label.split("/"), "highest", "cpu"][:6])
        found = self.results.cell(full)
        if found is None:
            raise UnknownError(f"the results have no cell {full}")
        return found

    def row(self, label: str, name: str) -> tuple[Cell, Row]:
        """Return a row that has times, and its cell."""
        cell = self.cell(label)
        row = cell.row(name)
        if row is None or not row.timed:
            raise UnknownError(f"{cell.label} has no time of {name}")
        return cell, row

    def axis(self, case: str) -> list[Cell]:
        """Return the cells of `case/dtype/threads`, by size."""
        kind = [*case.split("/"), "highest", "cpu"][:5]
        for group in groups(self.results):
            if [group.case, group.dtype, group.threads, group.precision, group.device] == kind:
                return group.cells
        raise UnknownError(f"the results have no cells of {case}")

    # Of one cell

    def time(self, label: str, name: str) -> str:
        """The median time of a row."""
        return units.seconds(spread(self.row(label, name)[1].samples).median)

    def ratio(self, label: str, name: str, other: str) -> str | None:
        """The time of one row over that of another."""
        found = between(self.row(label, name)[0], name, other)
        return found and units.digits(found.middle)

    def factor(self, label: str, which: str) -> str | None:
        """One of `Factors`, formatted."""
        found = factors(self.cell(label))
        return found and f"{getattr(found, which).middle:.3f}"

    def cost(self, label: str) -> str | None:
        """The measured cost of a loss and its gradient, in losses."""
        found = gradient_cost(self.cell(label))
        return found and f"{found.middle:.2f}"

    def expected(self, label: str) -> str:
        """The same cost by counting multiply-adds."""
        return f"{self.cell(label).expected_cost:.2f}"

    def noise(self, label: str) -> str | None:
        """The noise in percent."""
        band = noise(self.cell(label))
        return band and units.percent(band.high - 1)

    def memory(self, label: str, name: str) -> str | None:
        """The peak memory of a call."""
        peak = self.row(label, name)[1].peak_bytes
        return None if peak is None else units.size_in_bytes(peak)

    def untuned(self, label: str, name: str) -> str | None:
        """The time of a call where freed memory is returned to the system."""
        taken = self.row(label, name)[1].untuned
        return None if taken is None else units.seconds(taken)

    def once(self, label: str, phase: str) -> str | None:
        """The time of a phase of the first call, or of `all` of them."""
        found = self.row(label, GRAD)[1].phases
        taken = sum(found.values()) if phase == "all" else found[phase]
        return units.seconds(taken) if found else None

    def paid(self, label: str) -> str | None:
        """The number of calls after which compiling is recovered."""
        found = break_even(self.cell(label))
        if found is None:
            return None
        return "never" if found.calls is None else f"after {units.many(found.calls)} calls"

    def part(self, label: str, part: str) -> str | None:
        """The time of `products` or `bytes` in the floor, and the library."""
        found = fastest(self.cell(label), {"products": PRODUCTS, "bytes": MEMORY}[part])
        return found and f"{units.seconds(float(np.median(found[1])))} by {found[0]}"

    def table(self, label: str) -> str:
        """The table of all rows of a cell."""
        return table(lines(self.cell(label)))

    def operations(self, label: str, *rows: str) -> dict[str, list[str]] | None:
        """The operations whose counts differ between the compiled programs of some rows."""
        programs = [self.row(label, name)[1].operations for name in rows]
        if not all(programs):
            return None
        counts = {
            operation: [_counted(program.get(operation), operation) for program in programs]
            for operation in sorted({*COMPUTES}.intersection(set().union(*programs)))
        }
        return {name: found for name, found in counts.items() if len(set(found)) > 1}

    # Along an axis

    def taxes(self, case: str, least: int) -> str | None:
        """The smallest and the largest tax from a size on."""
        cells = [cell for cell in self.axis(case) if cell.size[0] >= least]
        found = [made.autodiff_tax.middle for cell in cells if (made := factors(cell))]
        return f"{min(found):.3f} to {max(found):.3f}" if found else None

    def crossover(self, case: str, name: str, other: str) -> str:
        """The sizes at which two rows change their order."""
        cells = self.axis(case)
        if found := crossovers(cells, name, other):
            return "; ".join(map(summary.crossing, found))
        slower = {verdict(cell, name, other) for cell in cells} - {TIE, ""}
        if len(slower) != 1:
            return "nowhere beyond doubt"
        return f"nowhere, {other if slower == {SLOWER} else name} is never the slower one"

    def exponent(self, case: str, name: str, other: str) -> str | None:
        """The exponent of a ratio's growth with the number of parameters."""
        found = exponent(self.axis(case), name, other)
        return found and f"{found.middle:.2f} ({found.low:.2f} to {found.high:.2f})"

    def fit(self, case: str, name: str) -> str | None:
        """The line fitted to the times of a row."""
        found = fit(self.axis(case), name)
        return found and summary.line(found)

    # Of the run

    def fact(self, name: str) -> str:
        """An entry of the fingerprint."""
        found = self.results.fingerprint[name]
        if isinstance(found, dict):
            return ", ".join(f"{key} {value}" for key, value in found.items())
        return str(found)

    def setting(self, name: str) -> str:
        """A setting of the run."""
        return str(self.results.settings[name])

    def started(self, threads: str) -> str:
        """The time in which JAX started, the median over the workers."""
        taken = self.results.fingerprint["workers"][threads]["seconds to start JAX"]
        return units.seconds(float(np.median(taken)))

    def cells(self) -> str:
        """The number of cells."""
        return str(len(self.results.cells))

    def rows(self) -> str:
        """The number of rows with a time."""
        return str(sum(len(lines(cell)) for cell in self.results.cells))

    def contenders(self) -> dict[str, str]:
        """Every row that has a time somewhere, with its description."""
        timed = {row.name for cell in self.results.cells for row in cell.rows if row.timed}
        return {name: what for name, what in LABELS.items() if name in timed}

    @cached_property
    def _goals(self) -> list[Goal]:
        return goals(self.results)

    def aims(self) -> list[Goal]:
        """The goals, except the many taxes."""
        return [goal for goal in self._goals if goal.what != TAX]

    def exceptions(self) -> list[Goal]:
        """The taxes that are not 1."""
        return [goal for goal in self._goals if goal.what == TAX and goal.met is False]

    def why(self, goal: Goal) -> str:
        """The reason why a goal is missed."""
        if (why := reason(goal, self.cell(goal.cell))) is None:
            found = f"{goal.found.middle:.3f}"
            raise UnknownError(f"{goal.cell}: {goal.what} is {found}, and no reason is written")
        return why

    def evidence(self, goal: Goal) -> str:
        """The differences of the compiled programs that explain a tax."""
        return evidence(self.cell(goal.cell))

    def taxed(self) -> str:
        """The number of cells in which the tax is 1, is not, or is hidden by noise."""
        found = [goal for goal in self._goals if goal.what == TAX]
        met, hidden = (sum(goal.met is word for goal in found) for word in (True, None))
        return (
            f"{met} of {len(found)}; in {hidden} more the noise, above {units.percent(QUIET)}, is "
            f"too large to say, and in the other {len(found) - met - hidden} it is not"
        )

    # Of the three stored quick runs

    def again(self) -> Comparison:
        """The comparison of two equal runs."""
        return compare(*(Results.load(COMPARISON / f"{name}.json") for name in RUNS[:2]))

    def slowed(self) -> Comparison:
        """The comparison with a run in which every contender is a tenth slower."""
        return compare(*(Results.load(COMPARISON / f"{name}.json") for name in RUNS[::2]))

    def quick(self) -> str:
        """The duration of the first quick run."""
        seconds = Results.load(COMPARISON / f"{RUNS[0]}.json").settings["seconds"]
        return f"{seconds / 60:.1f} minutes"


def queries_of(results: Results) -> dict[str, Callable[..., Any]]:
    """Return the queries by name for templates; a missing value raises `UnknownError`."""
    names = [name for name, what in vars(Queries).items() if callable(what) and name[0] != "_"]
    queries = Queries(results)
    return {name: _sure(getattr(queries, name)) for name in names}


def precise(number: float) -> str:
    """Format with three decimals, as goals are missed by less than a hundredth."""
    return f"{number:.3f}" if number < 10 else units.digits(number)


def _counted(found: list[int] | None, operation: str) -> str:
    """Format the count of an operation; for a copy, also its largest size."""
    count, largest = found or (0, 0)
    moves = operation in MOVES and largest > 0
    return f"{count}, of {largest:,} numbers at most" if moves else str(count)


def _sure(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a query to raise an error with its call where it finds nothing."""

    @wraps(method)
    def checked(*given: Any) -> Any:
        try:
            if (found := method(*given)) is None:
                raise UnknownError("the results do not have it")
        except (UnknownError, KeyError, TypeError) as error:
            call = f"{method.__name__}({', '.join(map(repr, given))})"
            raise UnknownError(f"{call}: {error}") from error
        return found

    return checked
