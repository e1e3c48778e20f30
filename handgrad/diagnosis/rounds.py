"""Wrong links between the rounds of a loop: the state of another round, or one round alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from handgrad.diagnosis.backprop import ONE_ROUND, Operation, Option, Rewired, Switch
from handgrad.diagnosis.rules import others_take
from handgrad.program.graph import Graph, Node, scan_groups

#: Operations whose derivatives see their operands.
BILINEAR = ("mul", "dot_general", "div")

#: Functions whose derivatives people write by the result, with that derivative.
BY_RESULT = {"tanh": lambda a: 1 - a * a, "logistic": lambda a: a * (1 - a), "exp": lambda a: a}

#: Which round is the only one that counts: the first, or the last.
ENDS = {"first": 1, "last": -1}

ONLY = "of the contributions of all rounds only the {} round's counts, as with = for +="

#: Whose value a derivative takes in place of its own, and how many rounds that is ahead.
OTHERS = {
    1: ("next", "a derivative takes the value of the next round, as t + 1 for t"),
    -1: ("before", "a derivative takes the value of the round before, as t - 1 for t"),
}


def taking(operand: int | None, other: Any, op: Operation) -> dict[int, Any]:
    """Return the cotangents if a derivative takes another array.

    Args:
        operand: in place of which operand; None for the result.
        other: the array.
        op: the operation, which has one operand or is bilinear.
    """
    if operand is None:
        return {0: op.ct * BY_RESULT[op.node.name](other)}
    if len(op.x) == 1:
        return op.back(x=[other])
    return others_take(operand, lambda _: other)(op)


def _stale(node: Node, operand: int | None, instead: Sequence[Any]) -> tuple[Option, ...]:
    """Return the options; the same line in another round of an unrolled loop has the same group.

    `instead` are the numbers of the values of `OTHERS`, or (number, round) in a loop.
    """
    written = f"{node.source} {node.name} {operand}"
    return tuple(
        Option("index", says, partial(_taking_value, operand, number), f"{which} {written}")
        for number, (which, says) in zip(instead, OTHERS.values(), strict=True)
    )


def _taking_value(operand: int | None, number: Any, op: Operation) -> dict[int, Any]:
    return taking(operand, op.values[number], op)


def _in_one(which: int, op: Operation) -> dict[int, Any]:
    return {0: op.ct * op.values[ONE_ROUND, which].astype(op.ct.dtype)}


def rounds(rewired: Rewired) -> Iterator[Switch]:
    """Yield the switches of the loops of a loss, and of those that were unrolled."""
    nodes = list(rewired.graph.all_nodes())
    for node in nodes:
        if node.name == "scan":
            yield from _once(node, rewired.active)
            yield from _in_body(node, rewired.active)
    for graph in (rewired.graph, *(body for node in nodes for body in node.bodies)):
        yield from _unrolled(graph, rewired)


def _once(loop: Node, active: set[int]) -> Iterator[Switch]:
    """Yield the values that every round takes, of which only one round has a derivative."""
    (body,), (n_consts, _) = loop.bodies, scan_groups(loop)
    for at in body.inputs[:n_consts]:
        if at in active:
            options = (
                Option("overwritten", ONLY.format(which), partial(_in_one, end))
                for which, end in ENDS.items()
            )
            yield Switch(at, loop, tuple(options), True, (at,))


def _in_body(loop: Node, active: set[int]) -> Iterator[Switch]:
    (body,) = loop.bodies
    n_consts, _ = scan_groups(loop)
    varies = set(body.inputs[n_consts:])
    for node in body.nodes:
        if not varies.isdisjoint(node.operands):
            varies.update(node.outputs)
    for node, operand, value in taken(body, active):
        if value in varies:
            options = _stale(node, operand, [(value, by) for by in OTHERS])
            yield Switch(node.outputs[0], node, options, True)


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


def _unrolled(graph: Graph, rewired: Rewired) -> Iterator[Switch]:
    """Yield the switches of operations that a loop in Python repeats."""
    inside, made_by = {o for node in graph.nodes for o in node.outputs}, rewired.made_by
    repeated: dict[object, list[Node]] = defaultdict(list)
    place: dict[Node, tuple[object, int]] = {}  # by operation, its key and its round
    uses: dict[int, list[tuple[Node, int]]] = defaultdict(list)
    for node in graph.nodes:
        key = rewired.written(node)
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
        there = alike(made_by[value], by) if value in inside else None
        if there is not None:
            return there.outputs[0]
        others = ((alike(node, by), k) for node, k in uses[value])
        return next((n.operands[k] for n, k in others if n and n.operands[k] != value), value)

    for node, operand, value in taken(graph, rewired.active):
        found = (shifted(value, 1), shifted(value, -1))
        if len(repeated[place[node][0]]) > 1 and found != (value, value):
            yield Switch(node.outputs[0], node, _stale(node, operand, found), True)
