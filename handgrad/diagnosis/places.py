"""Find the places where a factor can be wrong: one on each chain of operations."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from handgrad.diagnosis.activation_links import Derivative
from handgrad.diagnosis.backprop import Place, Rewired
from handgrad.program.graph import Graph, Node

#: The uses of a value: (operation, number of the operand).
Uses = list[tuple[Node, int]]


def places(rewired: Rewired, activations: Sequence[Derivative] = ()) -> list[Place]:
    """Return the places of a graph and of the bodies in it, those inside one function last.

    A factor has the same effect anywhere on a chain, so a chain from one fork or junction to the
    next has one place: the value where paths have joined, or the use where they fork. The
    derivative of a library function or an activation is written as a whole, so all uses of its
    argument in it form one place, which comes before each use by itself.
    """
    found = [Place(leaf, (), None) for leaf in rewired.leaves]
    found += _within(rewired.graph, rewired.active)
    for activation in activations:
        if activation.known:
            found = _closed(found, activation)
    return sorted(found, key=lambda place: place.inside)


def _closed(found: list[Place], activation: Derivative) -> list[Place]:
    """Mark the places between the two ends of an activation as inside it."""
    within, (z,) = set(activation.stretch), activation.operands
    between = {o for node in activation.stretch for o in node.outputs} - {activation.at}
    there = [place for place in found if within.issuperset(n for n, _ in place.uses)]
    entries = [place for place in there if place.uses and place.value == z]
    inside = {id(place) for place in there if place.value in between}
    if len(entries) > 1:
        inside |= {id(place) for place in entries}
        uses = tuple(dict.fromkeys(use for place in entries for use in place.uses))
        found = [*found, Place(z, uses, entries[0].made_by)]
    return [replace(place, inside=True) if id(place) in inside else place for place in found]


def _within(graph: Graph, active: set[int]) -> Iterator[Place]:
    uses: dict[int, Uses] = defaultdict(list)
    for node in graph.nodes:
        for k, o in enumerate(node.operands):
            uses[o].append((node, k))
    made_by = {o: node for node in graph.nodes for o in node.outputs}
    for node in graph.nodes:
        if active.isdisjoint(node.outputs):
            continue
        for k, o in enumerate(node.operands):
            if o in active and len(uses[o]) + graph.outputs.count(o) > 1:
                yield from _of_use(o, (node, k), uses[o], made_by.get(o))
        for body in node.bodies:
            yield from (Place(i, (), node) for i in body.inputs if i in active)
            yield from _within(body, active)
        # Where paths join.
        if node.bodies or sum(o in active for o in node.operands) > 1:
            for o in node.outputs:
                if o in active:
                    leaves_call = o in graph.outputs or any(
                        u.call is not node.call for u, _ in uses[o]
                    )
                    yield Place(o, (), node, inside=node.call is not None and not leaves_call)


def _of_use(value: int, use: tuple[Node, int], uses: Uses, made_by: Node | None) -> Iterator[Place]:
    """Yield the place of one use; before the first use in a call, that of all uses in the call."""
    call = use[0].call
    if call is None:
        yield Place(value, (use,), made_by)
        return
    there = [u for u in uses if u[0].call is call]
    enters = made_by is None or made_by.call is not call
    if enters and use == there[0] and 1 < len(there) < len(uses):
        yield Place(value, tuple(there), made_by)
    yield Place(value, (use,), made_by, inside=len(there) > 1 or not enters)
