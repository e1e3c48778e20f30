"""Propose that a derivative takes another array of the loss in place of the right one."""

import itertools
from collections.abc import Iterator

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.operand_links import Operand
from handgrad.diagnosis.rivals import unrivalled
from handgrad.diagnosis.search import Search
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import of_node, of_nodes

#: The most arrays that are tried in all.
MOST = 1000


def other_operand(search: Search) -> Iterator[Theory]:
    """Propose another array where a derivative takes one, for all leaves or for the wrong ones."""
    yield from unrivalled(_theories(search), search)


def _theories(search: Search) -> Iterator[Theory]:
    evidence, first = search.evidence, search.evidence.fit[0]
    parts = evidence.given.parts()
    leaves = [k for k, part in enumerate(parts) if (evidence.wrong & search.within)[part].any()]
    concerned = search.of_leaves(leaves)
    choices = (
        (i, switch, k)
        for i, switch in enumerate(search.engine.rewired.switches)
        if isinstance(switch, Operand)
        for k in range(len(switch.instead))
    )
    for i, switch, k in itertools.islice(choices, MOST):
        choice = {i: k + 1}
        predicted = search.taking(choice, first)
        whole = first.explained(predicted, search.within)
        if whole or first.explained(predicted, search.within & concerned):
            says = _said(search.engine, switch, switch.instead[k])
            theory = search.theory("operand", says, choice=choice)
            yield theory if whole else search.in_part(theory, leaves)


def _said(engine: Engine, switch: Operand, number: int) -> str:
    one, other = (_called(engine, o) for o in (switch.taken, number))
    where = of_nodes([switch.node])
    return f"the derivative of {of_node(switch.node)}{where} takes {other} in place of {one}"


def _called(engine: Engine, number: int) -> str:
    """Name an array: a parameter, or the operation that makes it, with its line."""
    rewired = engine.rewired
    inputs = rewired.graph.inputs
    made_by = {o: node for node in rewired.graph.nodes for o in node.outputs}
    node = made_by.get(number)
    while node is not None and node.name in ("convert_element_type", "broadcast_in_dim", "reshape"):
        number = node.operands[0]
        node = made_by.get(number)
    if node is not None:
        return f"{of_node(node)}{of_nodes([node])}"
    k = inputs.index(number) if number in inputs else len(rewired.names)
    return rewired.names[k] if k < len(rewired.names) else "an input"
