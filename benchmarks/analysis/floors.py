"""The floor of a row: the cost of a call plus the larger of its products and its bytes.

    floor = dispatch + max(matrix products, bytes moved)

Dispatch is an empty call for a Python function, and a jitted identity on the same pytree for a JAX
program. Products and bytes are those of the faster library, the same for all rows of a cell, minus
the cost of the calls that they consist of.
"""

import numpy as np

from benchmarks.names import CALLS, EMPTY_CALL, IDENTITY, MEMORY, PRODUCTS
from benchmarks.results import JAX, Cell, Row
from benchmarks.statistics import Interval, Samples, ratio, spread, table

#: The share of dispatch in a row's time above which the row is dispatch-bound.
HALF = 0.5


def floor(cell: Cell, row: Row) -> Samples | None:
    """Compute the floor of a row in every round; None if a part of it was not measured."""
    dispatch = _dispatch(cell, row)
    if dispatch is None:
        return None
    return (table(dispatch) + _work(cell)).tolist()


def over_floor(cell: Cell, row: Row) -> Interval | None:
    """Compute the ratio of a row's time to its floor."""
    below = floor(cell, row)
    return ratio(row.samples, below) if below and row.timed else None


def dispatch_bound(cell: Cell, row: Row) -> bool:
    """Whether more than half of a row's time is the cost of calling it."""
    dispatch = _dispatch(cell, row)
    if dispatch is None:
        return False
    return spread(dispatch).median > HALF * spread(row.samples).median


def fastest(cell: Cell, libraries: dict[str, str]) -> tuple[str, np.ndarray] | None:
    """Find the fastest library for a part of the floor, and its seconds [process, round].

    The fastest is chosen with the cost of its calls. None if the part was not measured reliably:
    calls may be at most half of it, as the difference of two nearly equal times is no time.
    """
    timed = [
        (spread(times).median, library, name)
        for library, name in libraries.items()
        if (times := cell.times(name))
    ]
    if not timed:
        return None
    _, library, name = min(timed)
    seconds = _without_calls(cell, name)
    return None if seconds is None else (library, seconds)


def _work(cell: Cell) -> np.ndarray | float:
    parts = [found[1] for part in (PRODUCTS, MEMORY) if (found := fastest(cell, part))]
    # Compare medians, so that a disturbance in one round does not decide.
    return max(parts, key=lambda part: float(np.median(part)), default=0.0)


def _dispatch(cell: Cell, row: Row) -> Samples | None:
    return cell.times(IDENTITY if row.called == JAX else EMPTY_CALL)


def _without_calls(cell: Cell, name: str) -> np.ndarray | None:
    whole, calls = cell.times(name), cell.times(CALLS[name])
    if not (whole and calls) or spread(calls).median > HALF * spread(whole).median:
        return None
    return np.maximum(table(whole) - table(calls), 0.0)
