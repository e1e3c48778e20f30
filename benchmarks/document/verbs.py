"""What a placeholder of the template may ask of the stored results.

A placeholder is a verb and its arguments, `{{ratio digits/512/float32/all hand-numpy grad-jit}}`. A
cell is named by its label, an axis by its case, dtype and threads; what is left out at the end of
either is `highest` and `cpu`.
"""

from collections.abc import Callable

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
from benchmarks.document import tables
from benchmarks.document.asked import Asked, UnknownError
from benchmarks.names import GRAD, MEMORY, PRODUCTS
from benchmarks.report import summary, units
from benchmarks.report.lines import lines
from benchmarks.report.markdown import table
from benchmarks.statistics import SLOWER, TIE, Interval, spread


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
    slower = {verdict(cell, name, other) for cell in cells} - {TIE, ""}
    if len(slower) != 1:
        return "nowhere beyond doubt"
    return f"nowhere, {other if slower == {SLOWER} else name} is never the slower one"


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
    "contenders": tables.contenders,
    "goals": tables.goals,
    "misses": tables.misses,
    "taxed": tables.taxed,
    "exceptions": tables.exceptions,
    "operations": tables.operations,
    "compared": tables.compared,
    "quick": tables.quick,
    "fact": _fact,
    "setting": _setting,
    "rows": _rows,
    "cells": _cells,
}
