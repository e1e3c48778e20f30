"""Analyse times along an axis: a fit, the exponent of growth, and crossovers of two rows."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

from benchmarks.analysis.factors import verdict
from benchmarks.results import CONTENDER, Cell, Results
from benchmarks.statistics import (
    FASTER,
    SLOWER,
    Interval,
    draws,
    enclosing,
    independent,
    log_ratios,
    spread,
)


def axes(results: Results) -> dict[str, list[Cell]]:
    """Return the cells that differ in size alone, in order of size, by all but their size.

    `width/float32/1/highest/cpu`, say; each cell has a contender with a time.
    """
    found: dict[str, list[Cell]] = {}
    for cell in results.cells:
        if cell.timed(CONTENDER):
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
        (cell.flops, spread(times).median)
        for cell in cells
        if cell.flops and (times := cell.times(name))
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
        times, others = cell.times(name), cell.times(other)
        if times and others:
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
