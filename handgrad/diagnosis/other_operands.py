"""Propose that a derivative takes another array of the loss in place of the right one."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from handgrad.diagnosis.engine import Engine
from handgrad.diagnosis.operand_links import Operand
from handgrad.diagnosis.rivals import unrivalled
from handgrad.diagnosis.samples import Sample
from handgrad.diagnosis.search import GIVES, Search
from handgrad.diagnosis.theory import Theory
from handgrad.diagnosis.wording import of_node, of_nodes, shortened

#: The most arrays that are tried in all.
MOST = 1000


def other_operand(search: Search) -> Iterator[Theory]:
    """Propose another array where a derivative takes one, for all leaves or for the wrong ones."""
    yield from unrivalled(_theories(search), search)


def _theories(search: Search) -> Iterator[Theory]:
    evidence, first = search.evidence, search.evidence.fit[0]
    parts = evidence.given.parts()
    leaves = [k for k, part in enumerate(parts) if (evidence.wrong & search.within)[part].any()]
    concerned = np.zeros(evidence.wrong.size, dtype=bool)
    for k in leaves:
        concerned[parts[k]] = True
    tried = 0
    for i, switch in enumerate(search.engine.rewired.switches):
        if not isinstance(switch, Operand):
            continue
        for k, number in enumerate(switch.instead):
            tried += 1
            if tried > MOST:
                return
            predict = partial(search.taking, {i: k + 1})
            predicted = predict(first)
            if not first.explained(predicted, concerned & search.within):
                continue
            says = f"{GIVES}{_said(search.engine, switch, number)}"
            if not first.explained(predicted, search.within):
                names = shortened([evidence.given.paths[k] for k in leaves])
                says = f"{says}, for {names} alone"
                predict = partial(_in_part, search, {i: k + 1}, concerned)
            yield Theory("operand", says, predict)


def _in_part(
    search: Search, choice: dict[int, int], concerned: np.ndarray, sample: Sample
) -> np.ndarray:
    predicted, right = search.taking(choice, sample), search.engine.right(sample.given)
    return np.where(concerned, predicted, right)


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
