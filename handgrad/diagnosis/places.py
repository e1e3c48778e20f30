"""Which places a derivative flows back through: each chain of operations has one."""

from collections import Counter
from collections.abc import Sequence

from handgrad.diagnosis.graph import Graph, Node, active
from handgrad.diagnosis.rewired import Place


def places(graph: Graph, leaves: Sequence[int]) -> list[Place]:
    """The places of a graph and of the bodies in it.

    A factor has the same effect wherever along a chain it stands, so a chain from one fork or
    junction to the next has one place: the value where paths have met, or the use where they part.

    Args:
        graph: the loss, written out.
        leaves: the numbers of its parameters.
    """
    moving = active(graph, leaves)
    found = [Place(leaf, None, None) for leaf in leaves]
    return found + _within(graph, moving)


def _within(graph: Graph, moving: set[int]) -> list[Place]:
    uses = Counter(o for node in graph.nodes for o in node.operands if o in moving)
    uses.update(o for o in graph.outputs if o in moving)
    made_by = {o: node for node in graph.nodes for o in node.outputs}
    found = []
    for node in graph.nodes:
        if moving.isdisjoint(node.outputs):
            continue
        found += [
            Place(o, (node, k), made_by.get(o))
            for k, o in enumerate(node.operands)
            if o in moving and uses[o] > 1
        ]
        for body in node.bodies:
            found += [Place(i, None, node) for i in body.inputs if i in moving]
            found += _within(body, moving)
        if _junction(node, moving):
            found += [Place(o, None, node) for o in node.outputs if o in moving]
    return found


def _junction(node: Node, moving: set[int]) -> bool:
    return bool(node.bodies) or sum(o in moving for o in node.operands) > 1
