"""Statistics of an array (a mean, a norm, a softmax's sum) whose derivative sums other axes.

On the way back through a sum along some axes the cotangent is summed over them, and spread along
them again. Both are one line of a backward pass, `(dxhat * xhat).mean(dim=...)`, and the axes there
may be others than in the forward pass.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.diagnosis.backprop import Edit, Operation, Rewired
from handgrad.program.graph import Graph, Node, Numbering

#: The most axes of an array whose subsets are tried: 14 of four axes, 30 of five.
MOST_AXES = 4


@dataclass(frozen=True, eq=False)
class Statistic:
    """A use of a statistic, together with the sum that it is of."""

    node: Node  #: which takes it
    operand: int  #: which operand of it the statistic is
    sum: Node
    between: tuple[Node, ...]  #: the operations from the sum to the statistic
    mean: bool  #: whether it is divided by the number of elements

    def edits(self, axes: tuple[int, ...], factors: Sequence[tuple[int | None, int]]) -> Any:
        """Yield what sums over other axes.

        What is constant along the summed axes may stand before or after their sum, which is the
        same where it is right, and is not along other axes. So there is an edit for each such
        factor, which divides what is summed and multiplies the sum.
        """
        along = f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"

        def says(what: str) -> str:
            return f"what comes back through {what} is summed over {along} of its array"

        for number, power in factors:
            wrong = partial(self._summed, axes, number, power)
            yield Edit("axis", self.node, self.operand, self.sum, says, wrong, axes)

    def _summed(
        self, axes: tuple[int, ...], number: int | None, power: int, op: Operation
    ) -> list[tuple[int, Any]]:
        """Return the cotangents; that of the array is wrong."""
        (given,) = self.sum.operands
        array = op.values[given]
        times, arriving = op.once(self._parts)
        count = math.prod(array.shape[k] for k in axes)
        factor = 1.0 if number is None else op.values[number] ** power
        total = np.sum(arriving / factor, axis=axes, keepdims=True)
        found = times / (count if self.mean else 1) * factor * total
        right = {} if self.node.name == "broadcast_in_dim" else op.right
        others = [(op.operands[k], ct) for k, ct in right.items() if k != self.operand]
        return [*others, (given, np.broadcast_to(found, array.shape))]

    def _parts(self, op: Operation) -> tuple[np.ndarray, np.ndarray]:
        """Return the statistic's derivative by its sum, and its cotangent, not summed yet.

        Of a mean that is the derivative by the mean of the sum's array.
        """
        array, summed = op.values[self.sum.operands[0]], self.sum.eqn.params["axes"]
        kept = tuple(1 if k in summed else n for k, n in enumerate(array.shape))
        total = op.values[self.sum.outputs[0]]
        slope = jax.grad(lambda total: self._of_sum(op, total).sum())(total)
        times = np.asarray(slope).reshape(kept)
        if self.mean:
            times = times * math.prod(array.shape[k] for k in summed)
        if self.node.name == "broadcast_in_dim":
            return times, np.asarray(op.ct)
        x = list(op.x)
        x[self.operand] = np.broadcast_to(x[self.operand].reshape(kept), array.shape)
        return times, np.asarray(op.back(x=x)[self.operand])

    def _of_sum(self, op: Operation, total: Any) -> Any:
        """Return the statistic of a sum."""
        there = {self.sum.outputs[0]: total}
        for node in self.between:
            outputs = node.bound([there.get(o, op.values[o]) for o in node.operands])
            there.update(zip(node.outputs, outputs, strict=True))
        return there[op.operands[self.operand]]


def statistics(rewired: Rewired) -> Iterator[Edit]:
    """Yield what sums over other axes in a graph; bodies of loops and branches are left out."""
    avals = rewired.numbering.avals
    for total in rewired.graph.nodes:
        if total.name != "reduce_sum" or total.operands[0] not in rewired.active:
            continue
        shape, summed = avals[total.operands[0]].shape, total.eqn.params["axes"]
        if sum(n > 1 for n in shape) > 1 and len(shape) <= MOST_AXES and summed:
            kept = tuple(1 if k in summed else n for k, n in enumerate(shape))
            factors = _before(rewired.graph, shape, kept, rewired.numbering)
            for use in _uses(rewired, total, shape, kept):
                for axes in _others(shape, summed):
                    yield from use.edits(axes, factors)


def _uses(
    rewired: Rewired, total: Node, shape: tuple[int, ...], kept: tuple[int, ...]
) -> Iterator[Statistic]:
    """Yield the operations that take a function of a sum, with results of its array's shape."""
    avals, size = rewired.numbering.avals, math.prod(kept)
    reached, between = {total.outputs[0]}, []
    for node in rewired.graph.nodes:
        if node.bodies or reached.isdisjoint(node.operands):
            continue
        at = node.outputs[0]
        if math.prod(avals[at].shape) == size and size < math.prod(shape):
            if node.elementwise or node.name in ("broadcast_in_dim", "reshape"):
                reached.add(at)
                between.append(node)
        elif avals[at].shape == shape and (node.elementwise or node.name == "broadcast_in_dim"):
            mean = _is_mean(between, rewired.numbering, math.prod(shape) // size)
            for k, o in enumerate(node.operands):
                aligned = avals[o].shape == kept or node.name == "broadcast_in_dim"
                if o in reached and aligned:
                    yield Statistic(node, k, total, tuple(between), mean)


def _others(shape: tuple[int, ...], summed: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the other choices of axes."""
    several = [k for k, n in enumerate(shape) if n > 1]
    these = tuple(k for k in several if k in summed)
    return [
        axes
        for count in range(1, len(several) + 1)
        for axes in itertools.combinations(several, count)
        if axes != these
    ]


def _before(
    graph: Graph, shape: tuple[int, ...], kept: tuple[int, ...], numbering: Numbering
) -> list[tuple[int | None, int]]:
    """Return the factors that are constant along the summed axes: none, or what is used in kind."""
    found: list[tuple[int | None, int]] = [(None, 1)]
    for node in graph.nodes:
        for o in node.operands if numbering.avals[node.outputs[0]].shape == shape else ():
            other = numbering.avals[o].shape
            fits = len(other) == len(kept) and math.prod(other) > 1
            if fits and all(n in (1, m) for n, m in zip(other, kept, strict=True)):
                found += [(o, 1), (o, -1)]
    return list(dict.fromkeys(found))


def _is_mean(between: Sequence[Node], numbering: Numbering, count: int) -> bool:
    """Tell whether a sum is divided by the number of its elements."""
    for node in between:
        for o in node.operands if node.name in ("mul", "div") else ():
            value = numbering.number(o)
            if value is not None and np.isclose(value, (count, 1 / count)).any():
                return True
    return False
