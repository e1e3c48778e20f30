"""Statistics of an array (a mean, a norm, a softmax's sum) whose derivative sums other axes.

On the way back through a sum along some axes the cotangent is summed over them, and spread along
them again. Both are one line of a backward pass, `(dxhat * xhat).mean(dim=...)`, and the axes there
may be others than in the forward pass.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.backprop import Operation, Switch
from handgrad.program.graph import Graph, Node, Numbering, active_values

#: The most axes of an array whose subsets are tried: 14 of four axes, 30 of five.
MOST_AXES = 4


@dataclass(frozen=True, eq=False)
class Statistic(Switch):
    """A use of a statistic, together with the array that it is of.

    What is constant along the summed axes may stand before or after their sum, which is the same
    where it is right, and is not along other axes. So an option is the axes, and such a factor,
    which divides what is summed and multiplies the sum.
    """

    operand: int = 0  #: which operand of the operation the statistic is
    sum: Node = field(kw_only=True)  #: the sum in it
    between: tuple[Node, ...] = ()  #: the operations from the sum to the statistic
    mean: bool = False  #: whether it is divided by the number of elements
    axes: tuple[tuple[int, ...], ...] = ()  #: by option
    before: tuple[tuple[int | None, int], ...] = ()  #: by option, the factor and its power

    def wrong(self, op: Operation, choice: Any) -> Iterator[tuple[int, Any]]:
        """Yield the cotangents; what comes back to the statistic is summed over other axes."""
        (given,), option = self.sum.operands, jnp.maximum(choice - 1, 0)
        right = {} if self.node.name == "broadcast_in_dim" else op.right
        found = [(op.operands[k], ct) for k, ct in right.items() if k != self.operand]
        for number, ct in (*found, (given, self._summed(op, op.values[given], option))):
            yield number, jnp.where(choice > 0, ct, 0)

    def _summed(self, op: Operation, given: Any, option: Any) -> Any:
        """Return the wrong cotangent of the array."""
        summed, shape = self.sum.eqn.params["axes"], np.shape(given)
        kept = tuple(1 if k in summed else n for k, n in enumerate(shape))
        flags = jnp.array([[k in axes for k in range(len(shape))] for axes in self.axes])[option]
        factors = jnp.stack([_factor(op.values, *each, given) for each in self.before])[option]
        slope = jax.grad(lambda total: jnp.sum(self._of_sum(op.values, total)))(
            op.values[self.sum.outputs[0]]
        )
        times = slope.reshape(kept).astype(given.dtype)
        if self.mean:
            counts = [math.prod(shape[k] for k in axes) for axes in self.axes]
            count = math.prod(shape[k] for k in summed)
            times *= count / jnp.asarray(counts, given.dtype)[option]
        found = self._arriving(op, kept, shape).astype(given.dtype) / factors
        for k in range(found.ndim):
            total = jnp.broadcast_to(jnp.sum(found, axis=k, keepdims=True), found.shape)
            found = jnp.where(flags[k], total, found)
        return times * factors * found

    def _arriving(self, op: Operation, kept: tuple[int, ...], shape: tuple[int, ...]) -> Any:
        """Return the cotangent of the statistic in the array's shape, which is not summed yet."""
        if self.node.name == "broadcast_in_dim":
            return op.ct
        x = list(op.x)
        x[self.operand] = jnp.broadcast_to(x[self.operand].reshape(kept), shape)
        return op.back(x=x)[self.operand]

    def _of_sum(self, values: Mapping[int, Any], total: Any) -> Any:
        """Return the statistic of a sum."""
        there = {self.sum.outputs[0]: total}
        for node in self.between:
            outputs = node.bound([there.get(o, values[o]) for o in node.operands])
            there.update(zip(node.outputs, outputs, strict=True))
        return there[self.node.operands[self.operand]]


def _factor(values: Mapping[int, Any], number: int | None, power: int, given: Any) -> Any:
    value = 1.0 if number is None else values[number] ** power
    return jnp.broadcast_to(jnp.asarray(value, given.dtype), given.shape)


def statistics(graph: Graph, leaves: Sequence[int], numbering: Numbering) -> list[Statistic]:
    """Return the uses of statistics in a graph; bodies of loops and branches are left out."""
    active = active_values(graph, leaves)
    found = []
    for node in graph.nodes:
        if node.name == "reduce_sum" and node.operands[0] in active:
            shape = numbering.avals[node.operands[0]].shape
            if (
                sum(n > 1 for n in shape) > 1
                and len(shape) <= MOST_AXES
                and node.eqn.params["axes"]
            ):
                found += _uses(graph, node, numbering)
    return found


def _uses(graph: Graph, total: Node, numbering: Numbering) -> Iterator[Statistic]:
    """Yield the operations that take a function of a sum, with results of its array's shape."""
    shape = numbering.avals[total.operands[0]].shape
    summed = total.eqn.params["axes"]
    kept = tuple(1 if k in summed else n for k, n in enumerate(shape))
    axes = _others(shape, summed)
    reached, between = {total.outputs[0]}, []
    size = math.prod(kept)
    for node in graph.nodes:
        if node.bodies or reached.isdisjoint(node.operands):
            continue
        at = node.outputs[0]
        if math.prod(numbering.avals[at].shape) == size and size < math.prod(shape):
            if node.elementwise or node.name in ("broadcast_in_dim", "reshape"):
                reached.add(at)
                between.append(node)
        elif numbering.avals[at].shape == shape and (
            node.elementwise or node.name == "broadcast_in_dim"
        ):
            for k, o in enumerate(node.operands):
                aligned = numbering.avals[o].shape == kept or node.name == "broadcast_in_dim"
                if o in reached and aligned:
                    options = list(itertools.product(axes, _before(graph, shape, kept, numbering)))
                    yield Statistic(
                        *(at, node, (), 2),
                        operand=k,
                        sum=total,
                        between=tuple(between),
                        mean=_is_mean(between, numbering, math.prod(shape) // size),
                        axes=tuple(axes for axes, _ in options),
                        before=tuple(before for _, before in options),
                    )


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
            values = np.unique(np.asarray(numbering.known.get(o, np.nan)))
            if values.size == 1 and np.isclose(values[0], (count, 1 / count)).any():
                return True
    return False
