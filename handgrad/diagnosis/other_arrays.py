"""Derivatives that take another array of the loss in place of the right one.

A backward pass is given what the forward pass saved, or computes it again, and arrays of one shape
are easily taken for each other: x for what is normalised, one input for the other.
"""

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from handgrad.diagnosis.backprop import Edit, Operation, Rewired
from handgrad.diagnosis.rounds import BILINEAR, taken, taking
from handgrad.diagnosis.wording import of_value

#: Operations whose derivatives see their operands.
TAKING = (*BILINEAR, "square", "integer_pow")

#: The most arrays that may be taken for one operand, and operands in a program.
MOST_ARRAYS, MOST_OPERANDS = 32, 64


def other_arrays(rewired: Rewired, values: dict[int, np.ndarray]) -> Iterator[Edit]:
    """Yield what the derivatives of a graph may take; loops and branches are left out.

    `values` are those at a point; arrays that are equal there are one.
    """
    distinct = _distinct(values)

    def others(number: int) -> list[int]:
        mine = values[number]
        alike = (o for o in distinct.get(mine.shape, ()) if not np.array_equal(values[o], mine))
        return list(itertools.islice(alike, MOST_ARRAYS))

    found = taken(rewired.graph, rewired.active, TAKING)
    several = (at for at in found if others(at[2]))
    for node, k, number in itertools.islice(several, MOST_OPERANDS):
        for other in others(number):

            def says(what: str, mine: int = number, other: int = other) -> str:
                one, another = (of_value(rewired, o) for o in (mine, other))
                return f"the derivative of {what} takes {another} in place of {one}"

            yield Edit("operand", node, k, node, says, partial(_taking, k, number, other))


def _taking(k: int | None, number: int, other: int, op: Operation) -> Iterator[tuple[int, Any]]:
    array = op.values[other].astype(op.values[number].dtype)
    return ((op.operands[operand], ct) for operand, ct in taking(k, array, op).items())


def _distinct(values: dict[int, np.ndarray]) -> dict[tuple[int, ...], list[int]]:
    """Return the arrays by shape; of equal ones the first, and none that is one number."""
    found: dict[tuple[int, ...], list[int]] = {}
    for number, array in values.items():
        if array.dtype.kind != "f" or array.size < 2:
            continue
        if not np.isfinite(array).all() or np.ptp(array) == 0:  # -inf masks scores
            continue
        alike = found.setdefault(array.shape, [])
        if not any(np.array_equal(values[o], array) for o in alike):
            alike.append(number)
    return found
