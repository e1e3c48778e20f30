"""Wrong links between the rounds of a loop: the state of another round, or one round alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from handgrad.diagnosis.late_links import Late
from handgrad.diagnosis.rewired import Neighbour, Option, Switch
from handgrad.program.graph import Graph, Node, Numbering, scan_groups

#: Operations whose derivatives see their operands.
BILINEAR = ("mul", "dot_general", "div")

#: Functions whose derivatives people write by the result, with that derivative.
BY_RESULT = {"tanh": lambda a: 1 - a * a, "logistic": lambda a: a * (1 - a), "exp": lambda a: a}

ONCE = tuple(
    Option(
        "overwritten",
        f"of the contributions of all rounds only the {which} round's counts, as with = for +=",
        which,
    )
    for which in ("first", "last")
)
NEXT = Option("index", "a derivative takes the value of the next round, as t + 1 for t", "next")
BEFORE = Option(
    "index", "a derivative takes the value of the round before, as t - 1 for t", "before"
)


@dataclass(frozen=True, eq=False)
class Stale(Late):
    """An operation whose derivative takes an operand, or the result, of another round."""

    operand: int | None  #: which operand; None for the result
    instead: tuple[int, ...]  #: by option, the number of the value that is taken
    taken: tuple[Neighbour, ...] = ()

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """The values of other rounds."""
        return self.taken

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the value, with a derivative that takes the other round's."""
        still = jax.lax.stop_gradient
        there = jnp.select(
            [choice == k + 1 for k in range(len(self.instead))],
            [still(values[o]) for o in self.instead],
        )
        operands = [values[o] for o in self.node.operands]
        if self.operand is None:
            return operands[0] * BY_RESULT[self.node.name](there)
        mine = operands[self.operand]
        apart = [still(o) for o in operands]
        apart[self.operand] = mine
        operands[self.operand] = there
        return self.node.bound(apart)[0] + self.node.bound(operands)[0]


@dataclass(frozen=True, eq=False)
class Once(Late):
    """A value that every round of a loop takes, of which only one round has a derivative."""

    flags: tuple[Neighbour, ...]  #: by option, which round

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        """What tells the round."""
        return self.flags

    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return the value times 1 in the round that counts, and 0 in the others."""
        chosen = [choice == k + 1 for k in range(len(self.flags))]
        flag = jnp.select(chosen, [values[n.number] for n in self.flags])
        return values[self.at] * jax.lax.stop_gradient(flag).astype(values[self.at].dtype)


def rounds(graph: Graph, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    """Yield the switches of the loops of a graph, and of one that was unrolled."""
    for node in graph.nodes:
        for body in node.bodies:
            yield from rounds(body, active, numbering)
        if node.name == "scan":
            yield from _once(node, active, numbering)
            yield from _in_body(node, active, numbering)
    yield from _unrolled(graph, active)


def _once(loop: Node, active: set[int], numbering: Numbering) -> Iterator[Once]:
    (body,), (n_consts, _) = loop.bodies, scan_groups(loop)
    for at in body.inputs[:n_consts]:
        if at in active:
            flags = tuple(
                Neighbour(loop, None, numbering.fresh(numbering.avals[at].update(shape=())), ahead)
                for ahead in (1, -1)
            )
            yield Once(at, loop, ONCE, flags)


def _in_body(loop: Node, active: set[int], numbering: Numbering) -> Iterator[Stale]:
    (body,) = loop.bodies
    n_consts, _ = scan_groups(loop)
    varies = set(body.inputs[n_consts:])
    for node in body.nodes:
        if not varies.isdisjoint(node.operands):
            varies.update(node.outputs)
    for node, operand, value in taken(body, active):
        if value in varies:
            found = tuple(
                Neighbour(loop, value, numbering.fresh(numbering.avals[value]), ahead)
                for ahead in (1, -1)
            )
            numbers = tuple(n.number for n in found)
            yield Stale(node.outputs[0], node, _named(node, operand), operand, numbers, found)


def taken(
    graph: Graph, active: set[int], of_operands: Sequence[str] = BILINEAR
) -> Iterator[tuple[Node, int | None, int]]:
    """Yield the values that derivatives take: (operation, number of the operand, value).

    The number is None for the operation's result, whose operation is in `BY_RESULT`.
    """
    for node in graph.nodes:
        if node.name in BY_RESULT and node.operands[0] in active:
            yield node, None, node.outputs[0]
        for k, o in enumerate(node.operands if node.name in of_operands else ()):
            others = {other for m, other in enumerate(node.operands) if m != k} or {o}
            if not others.isdisjoint(active):
                yield node, k, o


def _named(node: Node, operand: int | None) -> tuple[Option, ...]:
    """Return the options; the same line in another round of an unrolled loop has the same group."""
    written = f"{node.source} {node.name} {operand}"
    return tuple(Option(o.kind, o.says, f"{o.group} {written}") for o in (NEXT, BEFORE))


def _unrolled(graph: Graph, active: set[int]) -> Iterator[Stale]:
    """Yield the switches of operations that a loop in Python repeats."""
    made_by = {o: node for node in graph.nodes for o in node.outputs}
    repeated: dict[object, list[Node]] = defaultdict(list)
    place: dict[Node, tuple[object, int]] = {}  # by operation, its key and its round
    uses: dict[int, list[tuple[Node, int]]] = defaultdict(list)
    for node in graph.nodes:
        key = _written(node, made_by)
        place[node] = (key, len(repeated[key]))
        repeated[key].append(node)
        for k, o in enumerate(node.operands):
            uses[o].append((node, k))

    def alike(node: Node, by: int) -> Node | None:
        """The same operation so many rounds later."""
        key, number = place[node]
        return repeated[key][number + by] if 0 <= number + by < len(repeated[key]) else None

    def shifted(value: int, by: int) -> int:
        """The value so many rounds later: made alike, or used alike."""
        there = alike(made_by[value], by) if value in made_by else None
        if there is not None:
            return there.outputs[0]
        others = ((alike(node, by), k) for node, k in uses[value])
        return next((n.operands[k] for n, k in others if n and n.operands[k] != value), value)

    for node, operand, value in taken(graph, active):
        found = (shifted(value, 1), shifted(value, -1))
        if len(repeated[place[node][0]]) > 1 and found != (value, value):
            yield Stale(node.outputs[0], node, _named(node, operand), operand, found)


def _written(node: Node, made_by: dict[int, Node]) -> object:
    """Return a key that an operation has in all rounds of a loop in Python, and no other has."""
    if node.source is None:
        return node
    source = (node.source.file, node.source.line, node.source.instruction)
    shapes = tuple(v.aval.shape for v in node.eqn.invars)
    # The operations of a library's function all come from one place.
    makers = [made_by[o].name if o in made_by else "" for o in node.operands if node.call]
    return source, node.name, shapes, tuple(makers)
