"""Wrong links where values are chosen, divided or spread over an array; tried last."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.array_links import masked
from handgrad.diagnosis.late_links import Late
from handgrad.diagnosis.rewired import Option, Switch
from handgrad.program.graph import Graph, Node, Numbering

#: What a choice between two values is called.
CHOICES = {"select_n": "the choice", "max": "the maximum", "min": "the minimum"}


@dataclass(frozen=True, eq=False)
class Sides(Late):
    """A choice between two values, whose derivative takes the wrong one."""

    rules: tuple[int, ...]  #: by option: the side that is always taken, or -1 for the other one

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return one side, or that which is not chosen; its derivative is the wrong one."""
        sides = [values[o] for o in self.node.operands[-2:]]
        results = [self._other(values) if k < 0 else sides[k] for k in self.rules]
        return jnp.select([choice == k + 1 for k in range(len(results))], results)

    def _other(self, values: dict[int, Any]) -> Any:
        *which, a, b = (values[o] for o in self.node.operands)
        return a + b - values[self.at] if not which else self.node.bound([*which, b, a])[0]


@dataclass(frozen=True, eq=False)
class Undivided(Late):
    """A quotient with an array, whose derivative for the dividend lacks the divisor."""

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Return a value with derivative 1 for the dividend, and the right one for the divisor."""
        dividend, divisor = (values[o] for o in self.node.operands)
        right = self.node.bound([jax.lax.stop_gradient(dividend), divisor])[0]
        return jnp.broadcast_to(dividend, right.shape) + right


@dataclass(frozen=True, eq=False)
class Copies(Late):
    """A value that is copied along new axes, of whose copies only one has a derivative."""

    last: np.ndarray  #: bool, of the copies' shape: the last along the new axes
    first: np.ndarray

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the copies, of which only the last or the first has a derivative."""
        return masked(values[self.at], jnp.where(choice == 1, self.last, self.first))


@dataclass(frozen=True, eq=False)
class Merged(Late):
    """Two axes that are merged into one, whose derivative is split in the other order."""

    axis: int  #: the first of the two

    def changed(self, values: dict[int, Any], choice: Any) -> Any:  # noqa: ARG002 (one option)
        """Merge the axes in the other order."""
        value = values[self.node.operands[0]]
        return jnp.swapaxes(value, self.axis, self.axis + 1).reshape(values[self.at].shape)


_UNDIVIDED = Option(
    "missing-factor", "on the way back through a quotient its divisor is missing", "undivided"
)
_MERGED = Option(
    "transposed", "of two axes that are merged the derivative is split in the other order", "merged"
)
_COPIES = tuple(
    Option(
        "overwritten",
        f"of the copies of a value only the {which} has a derivative, as with = for +=",
        which,
    )
    for which in ("last", "first")
)


def spread_links(graph: Graph, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    """Yield the switches of a graph and of the bodies in it."""
    for node in graph.nodes:
        for body in node.bodies:
            yield from spread_links(body, active, numbering)
        if not node.bodies and node.outputs[0] in active:
            yield from _of_node(node, active, numbering)


def _of_node(node: Node, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    at, avals = node.outputs[0], [numbering.avals[o] for o in node.operands]
    if node.name in CHOICES and len(node.operands) == 2 + (node.name == "select_n"):
        yield _sides(at, node, active)
    elif node.name == "div" and node.operands[0] in active and avals[1].size > 1:
        yield Undivided(at, node, (_UNDIVIDED,))
    elif node.name == "broadcast_in_dim":
        yield from _copies(at, node, numbering)
    elif node.name == "reshape":
        yield from _merged(at, node, numbering)


def _sides(at: int, node: Node, active: set[int]) -> Sides:
    # The first side of `select_n` is that of a condition that is false. Of a side that is constant,
    # the derivative is 0 everywhere: then a term is missing.
    names = ("second", "first") if node.name == "select_n" else ("first", "second")
    says = {k: f"that of its {names[k]} side everywhere" for k in (0, 1)}
    says[-1] = "that of the side that is not taken"
    rules = [*(k for k in (0, 1) if node.operands[k - 2] in active), -1]
    options = [f"the derivative of {CHOICES[node.name]} is {says[k]}" for k in rules]
    return Sides(at, node, tuple(Option("unknown", o, o) for o in options), tuple(rules))


def _copies(at: int, node: Node, numbering: Numbering) -> Iterator[Copies]:
    shape = numbering.avals[at].shape
    given, placed = numbering.avals[node.operands[0]].shape, node.eqn.params["broadcast_dimensions"]
    kept = {axis for axis, length in zip(placed, given, strict=True) if length == shape[axis]}
    new = [axis for axis, length in enumerate(shape) if axis not in kept and length > 1]
    if new and given:  # a number that is spread over an array is no copy of rows
        index = np.indices(shape, sparse=True)
        last, first = np.ones(shape, dtype=bool), np.ones(shape, dtype=bool)
        for axis in new:
            last &= index[axis] == shape[axis] - 1
            first &= index[axis] == 0
        yield Copies(at, node, _COPIES, last, first)


def _merged(at: int, node: Node, numbering: Numbering) -> Iterator[Merged]:
    """Yield a reshape that merges two axes, longer than 1 both, and keeps all others."""
    given, shape = numbering.avals[node.operands[0]].shape, numbering.avals[at].shape
    for axis in range(len(given) - 1):
        one, other = given[axis : axis + 2]
        if min(one, other) > 1 and shape == (*given[:axis], one * other, *given[axis + 2 :]):
            yield Merged(at, node, (_MERGED,), axis)
