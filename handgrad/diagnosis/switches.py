"""Find the operations of a loss whose derivative people get wrong."""

from collections.abc import Iterator

import numpy as np

from handgrad.diagnosis import activation_links, rounds, rules
from handgrad.diagnosis.activation_links import Derivative
from handgrad.diagnosis.backprop import Rewired, Switch
from handgrad.program.graph import REARRANGING, Graph, Numbering

#: Larger constants are not folded.
MOST_ELEMENTS = 10**6

#: Operations that make a pre-activation.
SUMS = frozenset({"add", "sub", "dot_general", "conv_general_dilated"})


def switches(rewired: Rewired) -> list[Switch]:
    """Return the switches of a loss and of the bodies in it."""
    fold(rewired.graph, rewired.numbering)
    found = list(_within(rewired.graph, rewired.active, rewired.numbering))
    known = [s for s in found if isinstance(s, Derivative) and s.known]
    parts = {node for activation in known for node in activation.parts(rewired.graph)}
    return [
        switch
        for switch in found
        if not (isinstance(switch, Derivative) and not switch.known and switch.node in parts)
    ]


def late_switches(rewired: Rewired) -> Iterator[Switch]:
    """Yield the switches that are tried after all others."""
    for node in rewired.graph.all_nodes():
        if not node.bodies and not rewired.active.isdisjoint(node.outputs):
            options = tuple(rules.late_rules(node, rewired.active, rewired.numbering))
            if options:
                yield Switch(node.outputs[0], node, options, True)
    yield from rules.parts(rewired)
    yield from rounds.rounds(rewired)


def fold(graph: Graph, numbering: Numbering) -> None:
    """Fold constants: compute what depends on constants alone."""
    for node in graph.nodes:
        for body in node.bodies:
            fold(body, numbering)
        if node.bodies or not all(o in numbering.known for o in node.operands):
            continue
        sizes = [np.prod(numbering.avals[o].shape, dtype=float) for o in node.outputs]
        if max(sizes, default=0) <= MOST_ELEMENTS:
            outputs = node.bound([numbering.known[o] for o in node.operands])
            numbering.known.update(zip(node.outputs, outputs, strict=True))


def _within(graph: Graph, active: set[int], numbering: Numbering) -> Iterator[Switch]:
    single = _single_entries(graph, active, numbering)
    into_products = _into_products(graph)
    for node in graph.nodes:
        for body in node.bodies:
            yield from _within(body, active, numbering)
        if node.bodies or active.isdisjoint(node.outputs):
            continue
        (at, *_) = node.outputs
        yield from activation_links.derivatives(
            graph, node, single.get(at, {at}), at in into_products, numbering
        )
        options = rules.first_rules(node, active, numbering)
        if node.name in SUMS and len(single.get(at, {at})) == 1:
            options = (*rules.EXTRA, *options)
        if options := tuple(options):
            yield Switch(at, node, options)


def _single_entries(graph: Graph, active: set[int], numbering: Numbering) -> dict[int, set[int]]:
    """Return for each value those that it is an elementwise function of, itself included."""
    found: dict[int, set[int]] = {}
    for node in graph.nodes:
        (at, *_) = node.outputs
        operands = [o for o in node.operands if o in active]
        shape = numbering.avals[at].shape
        alike = all(numbering.avals[o].shape == shape for o in operands)
        if at in active and operands and alike and node.elementwise:
            common = set.intersection(*(found.get(o, {o}) for o in operands))
            found[at] = {at} | common
    return found


def _into_products(graph: Graph) -> set[int]:
    """Return the values that go into matrix products, perhaps reshaped or transposed first."""
    found: set[int] = set()
    for node in reversed(graph.nodes):
        if node.name in ("dot_general", "conv_general_dilated") or (
            node.name in REARRANGING and not found.isdisjoint(node.outputs)
        ):
            found.update(node.operands)
    return found
