"""Names for places in the loss, by operation and line; and for leaves and elements."""

import linecache
from collections.abc import Sequence

from handgrad.data import numerals
from handgrad.data.frames import near
from handgrad.data.point import Point, index_of
from handgrad.diagnosis.backprop import Place, Rewired
from handgrad.program.graph import Node
from handgrad.program.sources import Source

#: Longer source lines are cut.
LONGEST = 60

#: The most lines to name.
MOST_LINES = 4

#: The most leaves to name.
MOST_NAMES = 4

#: Names of operations in sentences.
NAMES = {
    "add": "the sum",
    "sub": "the difference",
    "mul": "the product",
    "div": "the quotient",
    "dot_general": "the matrix product",
    "reduce_sum": "the sum over all elements",
    "reduce_max": "the maximum",
    "integer_pow": "the power",
    "square": "the square",
    "logistic": "the sigmoid",
    "broadcast_in_dim": "the broadcast",
    "select_n": "the choice",
    "scan": "the loop",
    "cond": "the branch",
    "gather": "the indexing",
    "conv_general_dilated": "the convolution",
    "rsqrt": "the inverse root",
    "sqrt": "the root",
}


def of_place(rewired: Rewired, place: Place) -> str:
    """Name a place: `through the difference`, `from var to the matrix product`."""
    value, maker = _before(rewired, place.value, ("convert_element_type",))
    made = _leaf(rewired, value, "what a loop is given") if maker is None else of_node(maker)
    user = place.uses[0][0] if place.uses else None
    nodes = [node for node in (user, maker) if node is not None]
    where = _where([node.source for node in nodes if node.source is not None])
    if place.inside:
        return f"through a part of {of_node(user) if user else made}{where}"
    if user is None:
        return f"through {made}{where}"
    return f"from {of_node(user)} to {made}{where}"


def of_value(rewired: Rewired, number: int) -> str:
    """Name a value: a parameter, or the operation that makes it, with its line."""
    value, node = _before(rewired, number, ("convert_element_type", "broadcast_in_dim", "reshape"))
    if node is None:
        return _leaf(rewired, value, "an input")
    return f"{of_node(node)}{of_nodes([node])}"


def _before(rewired: Rewired, value: int, skipped: Sequence[str]) -> tuple[int, Node | None]:
    """Return the value before some operations, and what makes it; None if it is given."""
    node = rewired.made_by.get(value)
    while node is not None and node.name in skipped:
        value = node.operands[0]
        node = rewired.made_by.get(value)
    return value, node


def _leaf(rewired: Rewired, value: int, otherwise: str) -> str:
    return dict(zip(rewired.leaves, rewired.names, strict=True)).get(value, otherwise)


def of_node(node: Node) -> str:
    """Name an operation: by the library function that it is part of, or by its own name."""
    if node.call:
        return node.call.name
    if node.name == "reduce_sum" and len(node.eqn.params["axes"]) == 1:
        return f"the sum over axis {node.eqn.params['axes'][0]}"
    return NAMES.get(node.name, node.name)


def of_nodes(nodes: Sequence[Node]) -> str:
    """Return the source lines of operations."""
    return _where([node.source for node in nodes if node.source is not None])


def _where(sources: Sequence[Source]) -> str:
    """Write source lines: ` (forward pass: model.py, line 12, `...`)`; nothing if none is known.

    They are right: what is wrong is the derivative of what they compute.
    """
    if not sources:
        return ""
    lines = sorted({source.line for source in sources if source.file == sources[0].file})
    more = " ..." if lines[MOST_LINES:] else ""
    numbers = f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines[:MOST_LINES]))}{more}"
    text = quoted(sources[0]) if len(lines) == 1 else ""
    return f" (forward pass: {near(sources[0].file)}, {numbers}{f', `{text}`' if text else ''})"


def quoted(source: Source) -> str:
    """Return the source line, cut if it is long."""
    line = linecache.getline(source.file, source.line).strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def shortened(names: Sequence[str]) -> str:
    """List names, `a, b and c`; only the first ones of many."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def element(given: Point, i: int) -> str:
    """Name an element of a gradient by its path and index."""
    k = next(k for k, part in enumerate(given.parts()) if part.start <= i < part.stop)
    return given.paths[k] + numerals.place(
        index_of(given, given.paths[k], i - given.parts()[k].start)
    )
