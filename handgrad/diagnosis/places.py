"""Which places a derivative flows back through: each chain of operations has one."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from handgrad.diagnosis.activation_links import Derivative
from handgrad.diagnosis.rewired import Place
from handgrad.program.graph import Graph, Node, active

#: Uses of a value, each an operation and as which operand.
Uses = list[tuple[Node, int]]


def places(
    graph: Graph, leaves: Sequence[int], activations: Sequence[Derivative] = ()
) -> list[Place]:
    """The places of a graph and of the bodies in it, those within one function last.

    A factor has the same effect wherever along a chain it stands, so a chain from one fork or
    junction to the next has one place: the value where paths have met, or the use where they part.
    Nobody writes the derivative of half a function: what a library's function or an activation is
    given flows back through all of its uses there, before any of them is looked at alone.

    Args:
        graph: the loss, written out.
        leaves: the numbers of its parameters.
        activations: stretches of operations, each of which is one function.
    """
    moving = active(graph, leaves)
    found = [Place(leaf, (), None) for leaf in leaves] + list(_within(graph, moving))
    for activation in activations:
        if activation.known:
            found = _closed(found, activation)
    return sorted(found, key=lambda place: place.inside)


def _closed(found: list[Place], activation: Derivative) -> list[Place]:
    """The places, of which those between the ends of an activation are inside."""
    within = set(activation.stretch)
    between = {o for node in activation.stretch for o in node.outputs} - {activation.at}
    there = [place for place in found if place.uses and within.issuperset(_users(place))]
    entries = [place for place in there if place.value == activation.z]
    inside = {id(place) for place in there if place.value in between}
    inside |= {id(place) for place in found if not place.uses and place.value in between}
    if len(entries) > 1:
        inside |= {id(place) for place in entries}
        uses = tuple(dict.fromkeys(use for place in entries for use in place.uses))
        found = [*found, Place(activation.z, uses, entries[0].made_by)]
    return [replace(place, inside=True) if id(place) in inside else place for place in found]


def _users(place: Place) -> list[Node]:
    return [node for node, _ in place.uses]


def _within(graph: Graph, moving: set[int]) -> Iterator[Place]:
    uses: dict[int, Uses] = defaultdict(list)
    for node in graph.nodes:
        for k, o in enumerate(node.operands):
            uses[o].append((node, k))
    made_by = {o: node for node in graph.nodes for o in node.outputs}
    for node in graph.nodes:
        if moving.isdisjoint(node.outputs):
            continue
        for k, o in enumerate(node.operands):
            if o in moving and len(uses[o]) + graph.outputs.count(o) > 1:
                yield from _of_use(o, (node, k), uses[o], made_by.get(o))
        for body in node.bodies:
            yield from (Place(i, (), node) for i in body.inputs if i in moving)
            yield from _within(body, moving)
        if _junction(node, moving):
            for o in node.outputs:
                if o in moving:
                    leaves_call = o in graph.outputs or any(
                        u.call is not node.call for u, _ in uses[o]
                    )
                    yield Place(o, (), node, inside=node.call is not None and not leaves_call)


def _of_use(value: int, use: tuple[Node, int], uses: Uses, made_by: Node | None) -> Iterator[Place]:
    """The use by itself; before the first one within a call, all that are there together."""
    call = use[0].call
    if call is None:
        yield Place(value, (use,), made_by)
        return
    there = [u for u in uses if u[0].call is call]
    enters = made_by is None or made_by.call is not call
    if enters and use == there[0] and 1 < len(there) < len(uses):
        yield Place(value, tuple(there), made_by)
    yield Place(value, (use,), made_by, inside=len(there) > 1 or not enters)


def _junction(node: Node, moving: set[int]) -> bool:
    return bool(node.bodies) or sum(o in moving for o in node.operands) > 1
