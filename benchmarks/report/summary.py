"""Summarise the cells of a run: fits, exponents and crossings along each axis."""

from collections.abc import Iterator
from itertools import combinations

from benchmarks import names
from benchmarks.analysis.axes import Crossover, Fit, axes, crossovers, exponent, fit
from benchmarks.report import units
from benchmarks.results import Cell, Results

#: The rows that are fitted and searched for crossings.
FITTED = (names.HAND, names.HAND_JIT, names.GRAD)
CROSSED = (names.HAND, names.GRAD, names.FLOATS, names.C)

#: Pairs of rows whose relative growth is estimated.
GROWN = ((names.GRAD, names.LOSS), (names.FORWARD, names.GRAD), (names.DIFFERENCES, names.GRAD))


def summary(results: Results) -> list[str]:
    """Return a line for each finding."""
    return [f"{where}: {line}" for where, cells in axes(results).items() for line in _along(cells)]


def _along(cells: list[Cell]) -> Iterator[str]:
    if any(len(cell.size) != 1 for cell in cells):
        return
    for name in FITTED:
        if (found := fit(cells, name)) and found.per_flop > 0:
            yield f"{name} = {line(found)}"
    for name, other in GROWN:
        if grown := exponent(cells, name, other):
            ends = f"{grown.low:.2f} to {grown.high:.2f}"
            yield (f"{name} / {other} grows as parameters to the {grown.middle:.2f} ({ends})")
    for pair in combinations(CROSSED, 2):
        for found in crossovers(cells, *pair):
            yield f"{found.loser} until {crossing(found)}"


def line(found: Fit) -> str:
    """Format T = a + b · FLOPs, with b as a rate."""
    rate = f"{units.digits(1e-9 / found.per_flop)} GFLOP/s" if found.per_flop > 0 else "no rate"
    off = f"off by a factor of {found.worst:.2f} at most"
    return f"{units.seconds(found.fixed)} + FLOPs / ({rate}), {off}"


def crossing(found: Crossover) -> str:
    """Format a crossing: its size with an interval, and the faster row beyond it."""
    at, low, high = (units.many(round(size)) for size in found.size)
    measured = f"measured at {found.between[0]:,} and {found.between[1]:,}"
    return f"{at} ({low} to {high}; {measured}), from where on {found.winner} is faster"
