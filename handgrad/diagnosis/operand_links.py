"""Derivatives that take another array of the loss in place of the right one.

A backward pass is given what the forward pass saved, or computes it again, and arrays of one shape
are easily taken for each other: x for what is normalised, one input for the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.backprop import Operation, Switch
from handgrad.diagnosis.rounds import BILINEAR, taken, taking
from handgrad.program.graph import Graph, Numbering, active_values

#: Operations whose derivatives see their operands.
TAKING = (*BILINEAR, "square", "integer_pow")

#: The most arrays that may be taken for one operand, and operands in a program.
MOST_ARRAYS, MOST_OPERANDS = 32, 64


@dataclass(frozen=True, eq=False)
class Operand(Switch):
    """An array that the derivative of an operation takes; an option is another one of its shape."""

    taken: int = -1  #: the number of the array
    operand: int | None = None  #: which operand it is; None for the result
    instead: tuple[int, ...] = ()  #: by option, the number of the other array

    def wrong(self, op: Operation, choice: Any) -> Iterator[tuple[int, Any]]:
        """Yield the cotangents if the chosen array is taken."""
        mine = op.values[self.taken]
        arrays = jnp.stack([op.values[o].astype(mine.dtype) for o in self.instead])
        found = taking(self.operand, arrays[jnp.maximum(choice - 1, 0)], op)
        for operand, ct in found.items():
            yield op.operands[operand], jnp.where(choice > 0, ct, 0)


def operands(
    graph: Graph, leaves: Sequence[int], numbering: Numbering, values: dict[int, Any]
) -> list[Operand]:
    """Return what the derivatives of a graph take, each with the arrays that fit in its place.

    Args:
        graph: the loss; bodies of loops and branches are left out.
        leaves: the parameters.
        numbering: of the values.
        values: those at a point; arrays that are equal there are one.
    """
    distinct = _distinct(values)
    found = []
    for node, k, number in taken(graph, active_values(graph, leaves), TAKING):
        shape = numbering.avals[number].shape
        mine = np.asarray(values[number])
        instead = tuple(
            o for o in distinct.get(shape, ()) if not np.array_equal(np.asarray(values[o]), mine)
        )[:MOST_ARRAYS]
        if instead:
            found.append(
                Operand(node.outputs[0], node, (), 2, taken=number, operand=k, instead=instead)
            )
    return found[:MOST_OPERANDS]


def _distinct(values: dict[int, Any]) -> dict[tuple[int, ...], list[int]]:
    """Return the arrays by shape; of equal ones the first, and none that is one number."""
    found: dict[tuple[int, ...], list[int]] = {}
    for number, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or array.size < 2:
            continue
        if not np.isfinite(array).all() or np.ptp(array) == 0:  # -inf masks scores
            continue
        alike = found.setdefault(array.shape, [])
        if not any(np.array_equal(np.asarray(values[o]), array) for o in alike):
            alike.append(number)
    return found
