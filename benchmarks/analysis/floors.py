"""The floor of a row: what a call costs, and the larger of its products and its bytes.

    floor = dispatch + max(matrix products, bytes moved)

Dispatch is an empty call for what is called as a Python function, and a jitted identity on the same
pytree for a program of JAX. Products and bytes are the faster library's, one for all rows of a
cell, without the calls that they are made of.
"""

import numpy as np

from benchmarks.names import CALLS, EMPTY_CALL, IDENTITY, MEMORY, PRODUCTS
from benchmarks.results import JAX, Cell, Row
from benchmarks.statistics import Interval, Samples, ratio, spread, table

#: Of a row's time: with more than half of it being calls, it is the calling that is measured.
HALF = 0.5


def floor(cell: Cell, row: Row) -> Samples | None:
    """The floor of a row, in every round; None if a part of it was not measured."""
    dispatch = _dispatch(cell, row)
    if dispatch is None:
        return None
    return (table(dispatch) + _work(cell)).tolist()


def over_floor(cell: Cell, row: Row) -> Interval | None:
    """A row's time over its floor."""
    below = floor(cell, row)
    return ratio(row.samples, below) if below and row.timed else None


def dispatch_bound(cell: Cell, row: Row) -> bool:
    """Whether more than half of a row's time is what calling it costs."""
    dispatch = _dispatch(cell, row)
    if dispatch is None:
        return False
    return spread(dispatch).median > HALF * spread(row.samples).median


def fastest(cell: Cell, libraries: dict[str, str]) -> tuple[str, np.ndarray] | None:
    """The library that does a part of the floor fastest, and its seconds [process, round].

    The fastest with its calls: what a slower one takes without its own is no floor. None where that
    one was not seen: a part counts only if its calls are at most half of it, as the difference of
    two times that are nearly the same is no time.
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
    # By their medians: the larger one is what binds, not whichever had a hiccup in a round.
    return max(parts, key=lambda part: float(np.median(part)), default=0.0)


def _dispatch(cell: Cell, row: Row) -> Samples | None:
    return cell.times(IDENTITY if row.called == JAX else EMPTY_CALL)


def _without_calls(cell: Cell, name: str) -> np.ndarray | None:
    whole, calls = cell.times(name), cell.times(CALLS[name])
    if not (whole and calls) or spread(calls).median > HALF * spread(whole).median:
        return None
    return np.maximum(table(whole) - table(calls), 0.0)
