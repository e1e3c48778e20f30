"""Ratios within a cell: to the reference, the two factors, the gradient's cost, break-even."""

import math
from typing import NamedTuple

from benchmarks.names import AGAIN, GRAD, HAND, HAND_JIT, REFERENCE
from benchmarks.results import Cell
from benchmarks.statistics import SLOWER, Interval, band, ratio, spread, word


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


class Factors(NamedTuple):
    """The speed-up of jax.grad over NumPy by hand = compiler gain / autodiff tax, exactly."""

    compiler_gain: Interval  #: hand lines, NumPy / hand lines, jit
    autodiff_tax: Interval  #: jax.grad, jit / hand lines, jit
    speed_up: Interval  #: hand lines, NumPy / jax.grad, jit


def factors(cell: Cell) -> Factors | None:
    """Compute the two factors and their quotient; None if one of the three rows has no time."""
    gain, tax = between(cell, HAND, HAND_JIT), between(cell, GRAD, HAND_JIT)
    speed_up = between(cell, HAND, GRAD)
    return Factors(gain, tax, speed_up) if gain and tax and speed_up else None


class BreakEven(NamedTuple):
    """When the time for compiling is recovered."""

    first: float  #: seconds of tracing, lowering, compiling, and calling once
    calls: int | None  #: calls until it is recovered; None if never


def break_even(cell: Cell) -> BreakEven | None:
    """Compute after how many calls the compiled gradient has recovered its first call."""
    row, compiled, by_hand = cell.row(GRAD), cell.times(GRAD), cell.times(HAND)
    if row is None or not (row.phases and compiled and by_hand):
        return None
    first = sum(row.phases.values())
    saving = spread(by_hand).median - spread(compiled).median
    pays = saving > 0 and verdict(cell, HAND) == SLOWER
    return BreakEven(first, math.ceil(first / saving) if pays else None)
