"""Places in a loss for numbers that another loss would have: a guard ε, n - 1 for n."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.backprop import Constant
from handgrad.program.graph import Graph, Node, Numbering

#: Operations with a singularity, which a small number may keep their operand from; the number of
#: the operand, and what it is called.
GUARDED = {
    "div": (1, "the denominator"),
    "log": (0, "the argument of log"),
    "log1p": (0, "the argument of log1p"),
    "sqrt": (0, "the argument of the root"),
    "rsqrt": (0, "the argument of the root"),
    "pow": (0, "the base of the power"),
}

#: Operations that take a root.
ROOTS = ("sqrt", "rsqrt")

#: The most numbers to try: guards, and factors.
MOST = 12


def plus(value: Any, number: Any) -> Any:
    """Add a number to a value."""
    return value + number


def root_plus(value: Any, number: Any) -> Any:
    """Add a number to the root of which a value is the inverse."""
    return value / (1 + number * value)


def root_plus_still(value: Any, number: Any) -> Any:
    """Add a number to the root of a value, whose derivative people then write by that root."""
    return value + jax.lax.stop_gradient((jnp.sqrt(value) + number) ** 2 - value)


def times_still(value: Any, number: Any) -> Any:
    """Change a value by a multiple of itself, and not its derivative."""
    return value + jax.lax.stop_gradient(number * value)


def times(value: Any, number: Any) -> Any:
    """Change a value by a multiple of itself."""
    return value * (1 + number)


def constants(graph: Graph, numbering: Numbering) -> tuple[Constant, ...]:
    """Return the numbers that may change the values of a graph, guards first."""
    nodes = [
        node
        for node in graph.all_nodes()
        if not node.bodies and numbering.avals[node.outputs[0]].dtype == np.float64
    ]
    guards = [node for node in nodes if _guards(node, numbering)][:MOST]
    scales = [node for node in nodes if scale(node, numbering) is not None][:MOST]
    return (
        *(Constant(node, GUARDED[node.name][0], plus) for node in guards),
        *(Constant(node, None, root_plus) for node in guards if node.name == "rsqrt"),
        *(Constant(node, GUARDED[node.name][0], plus, alone=True) for node in guards),
        *(
            Constant(node, 0, root_plus_still, alone)
            for alone in (False, True)
            for node in guards
            if node.name in ROOTS
        ),
        *(Constant(node, None, apply) for apply in (times, times_still) for node in scales),
    )


def _guards(node: Node, numbering: Numbering) -> bool:
    return node.name in GUARDED and node.operands[GUARDED[node.name][0]] not in numbering.known


def scale(node: Node, numbering: Numbering) -> tuple[float, bool] | None:
    """Return the number that an operation multiplies by, or divides by (True); None if none."""
    if node.name not in ("mul", "div"):
        return None
    for k, o in enumerate(node.operands):
        value = numbering.number(o)
        if value is not None and abs(value) not in (0.0, 1.0):
            return value, node.name == "div" and k == 1
    return None
