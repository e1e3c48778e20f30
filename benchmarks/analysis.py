"""Analyse the times of a run: floors, factors, fits, crossovers, break-even calls.

The floor of a row is the cost of a call plus the larger of its products and its bytes:

    floor = dispatch + max(matrix products, bytes moved)

Dispatch is an empty call for a Python function, and a jitted identity on the same pytree for a JAX
program. Products and bytes are those of the faster library, the same for all rows of a cell, minus
the cost of the calls that they consist of.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from benchmarks import names
from benchmarks.names import AGAIN, GRAD, HAND, REFERENCE
from benchmarks.results import CONTENDER, JAX, Cell, Results, Row
from benchmarks.statistics import (
    FASTER,
    SLOWER,
    Interval,
    Samples,
    band,
    draws,
    enclosing,
    independent,
    log_ratios,
    ratio,
    typical,
    word,
)

#: The share of dispatch in a row's time above which the row is dispatch-bound.
HALF = 0.5


def floor(cell: Cell, called: str) -> Samples | None:
    """Compute the floor in every round, by how a row is called; None if a part is not measured."""
    dispatch = _dispatch(cell, called)
    if dispatch is None:
        return None
    parts = [found[1] for part in (names.PRODUCTS, names.MEMORY) if (found := fastest(cell, part))]
    # Compare medians, so that a disturbance in one round does not decide.
    work = max(parts, key=lambda part: float(np.median(part)), default=0.0)
    return (np.array(dispatch) + work).tolist()


def over_floor(cell: Cell, row: Row) -> Interval | None:
    """Compute the ratio of a row's time to its floor."""
    below = floor(cell, row.called)
    return ratio(row.samples, below) if below and row.timed else None


def dispatch_bound(cell: Cell, row: Row) -> bool:
    """Whether more than half of a row's time is the cost of calling it."""
    dispatch = _dispatch(cell, row.called)
    return bool(dispatch and typical(dispatch) > HALF * typical(row.samples))


def _dispatch(cell: Cell, called: str) -> Samples | None:
    return cell.times(names.IDENTITY if called == JAX else names.EMPTY_CALL)


def fastest(cell: Cell, libraries: dict[str, str]) -> tuple[str, np.ndarray] | None:
    """Find the fastest library for a part of the floor, and its seconds [process, round].

    The fastest is chosen with the cost of its calls. None if the part was not measured reliably:
    calls may be at most half of it, as the difference of two nearly equal times is no time.
    """
    timed = [
        (typical(times), library, times, cell.times(names.CALLS[name]))
        for library, name in libraries.items()
        if (times := cell.times(name))
    ]
    whole, library, times, calls = min(timed, default=(0.0, "", [], None))
    if not calls or typical(calls) > HALF * whole:
        return None
    return library, np.maximum(np.subtract(times, calls), 0.0)


def between(cell: Cell, name: str, other: str) -> Interval | None:
    """Compute the ratio of the times of two rows; None if either has none."""
    times, others = cell.times(name), cell.times(other)
    return ratio(times, others) if times and others else None


def noise(cell: Cell) -> float | None:
    """Return the noise of a cell: the ratio of the reference to its second measurement."""
    again = between(cell, AGAIN, REFERENCE)
    return band(again) if again else None


def verdict(cell: Cell, name: str, other: str = REFERENCE) -> str:
    """Return `faster` or `slower` than the other, or `tie`; "" if times are missing."""
    found, hidden = between(cell, name, other), noise(cell)
    return word(found, hidden) if found and hidden and name != other else ""


def break_even(cell: Cell) -> tuple[float, int | None] | None:
    """Compute when the compiled gradient has recovered its first call.

    Returns:
        Seconds of tracing, lowering, compiling, and calling once, and the number of calls until
        they are recovered, None if never; or None if a time is missing.
    """
    row, compiled, by_hand = cell.row(GRAD), cell.times(GRAD), cell.times(HAND)
    if row is None or not (row.phases and compiled and by_hand):
        return None
    first = sum(row.phases.values())
    saving = typical(by_hand) - typical(compiled)
    pays = saving > 0 and verdict(cell, HAND) == SLOWER
    return first, math.ceil(first / saving) if pays else None


def axes(results: Results) -> dict[str, list[Cell]]:
    """Return the cells that differ in one size alone, in order of it, by all but their size.

    `width/float32/1/highest/cpu`, say; each cell has a contender with a time.
    """
    found: dict[str, list[Cell]] = {}
    for cell in results.cells:
        if cell.timed(CONTENDER) and len(cell.size) == 1:
            case, _, *rest = cell.label.split("/")
            found.setdefault("/".join([case, *rest]), []).append(cell)
    return {kind: sorted(cells, key=lambda cell: cell.size) for kind, cells in found.items()}


class Fit(NamedTuple):
    """T = a + b · FLOPs."""

    fixed: float  #: a, seconds a call
    per_flop: float  #: b, seconds
    worst: float  #: the largest factor between a time and the fit


def fit(cells: Sequence[Cell], name: str) -> Fit | None:
    """Fit a line to the times of a row, by least squares of relative errors; needs three cells.

    Errors are relative, since the times span five orders of magnitude.
    """
    points = [
        (cell.flops, typical(times)) for cell in cells if cell.flops and (times := cell.times(name))
    ]
    if len(points) < 3:
        return None
    flops, seconds = np.array(points).T
    weighted = np.stack([1 / seconds, flops / seconds], axis=1)
    # Neither coefficient can be negative.
    (fixed, per_flop), _ = nnls(weighted, np.ones_like(seconds))
    off = np.abs(np.log((fixed + per_flop * flops) / seconds))
    return Fit(float(fixed), float(per_flop), float(np.exp(off.max())))


class _Ratio(NamedTuple):
    """The logarithm of the ratio of two rows in a cell."""

    cell: Cell
    middle: float
    drawn: np.ndarray  #: bootstrap draws of it
    units: int  #: how many independent ones they are draws of


def _ratios(cells: Sequence[Cell], name: str, other: str) -> Iterator[_Ratio]:
    for seed, cell in enumerate(cells):
        if (times := cell.times(name)) and (others := cell.times(other)):
            logs = log_ratios(times, others)
            drawn = draws(logs, seed).mean(axis=-1)
            yield _Ratio(cell, float(logs.mean()), drawn, independent(logs))


def exponent(cells: Sequence[Cell], name: str, other: str) -> Interval | None:
    """Estimate k in T(name) / T(other) ∝ Pᵏ with P parameters; needs three different P."""
    found = [*_ratios(cells, name, other)]
    sizes = np.log([ratio.cell.parameters for ratio in found])
    if len({*sizes}) < 3:
        return None
    middle, *_ = np.polyfit(sizes, [ratio.middle for ratio in found], 1)
    slopes = np.polyfit(sizes, np.array([ratio.drawn for ratio in found]), 1)[0]
    return enclosing(float(middle), slopes, min(ratio.units for ratio in found))


class Crossover(NamedTuple):
    """Where one row becomes faster than another along an axis."""

    winner: str  #: the row that is faster beyond it
    loser: str
    size: Interval
    """Interpolated in logarithms between the neighbouring cells; the interval is sampling error."""
    between: tuple[int, int]  #: the sizes of those cells, between which the order was measured


def crossovers(cells: Sequence[Cell], name: str, other: str) -> list[Crossover]:
    """Find every place on the axis where two rows change their order significantly.

    Cells with a tie are skipped. The crossing lies somewhere among them; it is interpolated between
    the cells on either side, with an interval from bootstrap draws of both.
    """
    ratios = _ratios(cells, name, other)
    sure = [each for each in ratios if verdict(each.cell, name, other) in (FASTER, SLOWER)]
    found: list[Crossover] = []
    for before, here in pairwise(sure):
        if before.middle * here.middle < 0:
            between = before.cell.size[0], here.cell.size[0]
            at = float(_crossing(between, before.middle, here.middle))
            sizes = _crossing(between, before.drawn, here.drawn)
            winner, loser = (name, other) if here.middle < 0 else (other, name)
            size = enclosing(at, sizes, here.units).exp()
            found.append(Crossover(winner, loser, size, between))
    return found


def _crossing(between: tuple[int, int], at_left: Any, at_right: Any) -> np.ndarray:
    """Interpolate the logarithm of the size at which the logarithm of a ratio is 0."""
    apart = np.asarray(at_left - at_right)
    share = np.clip(at_left / np.where(apart == 0, 1.0, apart), 0.0, 1.0)
    start, end = np.log(between)
    return start + share * (end - start)
