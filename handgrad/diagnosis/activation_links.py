"""Wrong derivatives of activations.

Activations are found in the loss however they are written, `jax.nn.sigmoid(z)` or
`1 / (1 + exp(-z))`: as a stretch of elementwise operations that computes a known function.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.data.pytrees import is_real
from handgrad.diagnosis import activations
from handgrad.diagnosis.activations import Wrong
from handgrad.diagnosis.backprop import Operation, Option, Switch
from handgrad.program.graph import ELEMENTWISE, Graph, Node, Numbering

#: The longest stretch to consider: gelu by tanh has 8 operations, logaddexp 10.
LONGEST = 16

#: Nonlinear functions of one number.
CURVED = ELEMENTWISE - {"add", "add_any", "convert_element_type", "copy", "copy_p", "div", "mul"}
CURVED -= {"neg", "select_n", "sub", "max", "min", "clamp", "not", "and", "or"}


@dataclass(frozen=True, eq=False)
class Derivative(Switch):
    """The derivative of a stretch of elementwise operations from z to a."""

    stretch: tuple[Node, ...] = ()
    known: bool = False  #: whether it is a known activation

    def parts(self, graph: Graph) -> set[Node]:
        """Return the operations whose results are used only here: exp as a part of tanh."""
        outside = {o for n in graph.all_nodes() if n not in self.stretch for o in n.operands}
        return {node for node in self.stretch if outside.isdisjoint(node.outputs)}


def derivatives(
    graph: Graph, node: Node, entries: set[int], into_product: bool, numbering: Numbering
) -> Iterator[Derivative]:
    """Yield the derivatives of activations that end at an operation.

    Its result is an elementwise function of the `entries`, and may go into a matrix product.
    """
    (at, *_) = node.outputs
    unknown = []
    for z in sorted(entries - {at}):
        stretch = _stretch(graph, z, at)
        if not stretch:
            continue
        known = _recognised(stretch, z, numbering)
        if known:
            wrongs = (activations.MISSING, *known.mistakes, *activations.OF_ACTIVATIONS[1:])
            options = _options(stretch, known.name, wrongs, "activation-derivative")
            yield Derivative(at, node, options, operands=(z,), stretch=stretch, known=True)
        else:
            unknown.append((z, stretch))
    if not unknown or len(unknown) < len(entries) - 1:
        return
    # No known function: between layers it counts as an activation, elsewhere as a function.
    z, stretch = unknown[0] if into_product else unknown[-1]
    if into_product or (len(stretch) == 1 and stretch[0].name in CURVED):
        kind = "activation-derivative" if into_product else "unknown"
        name = stretch[-1].call.name if stretch[-1].call else _name(stretch[-1])
        options = _options(stretch, name, activations.OF_ANY, kind)
        yield Derivative(at, node, options, operands=(z,), stretch=stretch)


def _options(
    stretch: tuple[Node, ...], name: str, wrongs: tuple[Wrong, ...], kind: str
) -> tuple[Option, ...]:
    def common(wrong: Wrong, kind: str) -> bool:
        return wrong in activations.OF_ANY and kind == "activation-derivative"

    return tuple(
        Option(
            "sign" if wrong is activations.NEGATIVE else kind,
            f"the derivative of {name} {wrong.says}",
            partial(_multiplied, stretch, wrong),
            # Operations within a library's function form a group of their own.
            f"{stretch[-1].call and stretch[-1].call.name}, {kind}: {name} {wrong.says}",
            f"the derivative of every activation {wrong.says}" if common(wrong, kind) else "",
        )
        for wrong in wrongs
    )


def _multiplied(stretch: tuple[Node, ...], wrong: Wrong, op: Operation) -> dict[int, Any]:
    """Return the cotangent times the wrong derivative."""
    if wrong.factor is None:
        return {0: jnp.where(op.ct > 0, op.ct, 0)}

    def slope(t: Any) -> Any:
        return activations.slope_of(lambda t: _along(stretch, op.operands[0], t, op.values), t)

    (before,) = op.x
    return {0: op.ct * jnp.asarray(wrong.factor(before, op.y, slope), before.dtype)}


def _name(node: Node) -> str:
    if node.name == "integer_pow":
        return {2: "the square", 3: "the cube"}.get(node.eqn.params["y"], "the power")
    return {"square": "the square", "logistic": "sigmoid"}.get(node.name, node.name)


def _stretch(graph: Graph, z: int, at: int) -> tuple[Node, ...]:
    """Return the operations from z to a value, in order; none if there are too many."""
    wanted, found = {at}, []
    for node in reversed(graph.nodes):
        if not wanted.isdisjoint(node.outputs):
            found.append(node)
            wanted.update(o for o in node.operands if o != z)
        if z in node.outputs:
            break
    reached, needed = {z}, []
    for node in reversed(found):
        if not reached.isdisjoint(node.operands):
            reached.update(node.outputs)
            needed.append(node)
    return tuple(needed) if len(needed) <= LONGEST else ()


def _recognised(
    stretch: tuple[Node, ...], z: int, numbering: Numbering
) -> activations.Activation | None:
    made = {z} | {o for node in stretch for o in node.outputs}
    values = {}
    for other in {o for node in stretch for o in node.operands} - made:
        constant = np.asarray(numbering.known.get(other, np.nan))
        if not constant.size or not (constant == constant.flat[0]).all():
            return None
        # In float64, also where the loss converts to a shorter format.
        wide = np.float64 if is_real(constant) else constant.dtype
        values[other] = np.full(activations.PROBES.shape, constant.flat[0], wide)
    if not is_real(numbering.avals[z]):
        return None
    try:
        found = _along(stretch, z, jnp.asarray(activations.PROBES), values)
    except (TypeError, ValueError):
        return None  # an operation with fixed shapes
    if found.shape != activations.PROBES.shape:
        return None
    return activations.recognised(np.asarray(found), numbering.avals[z].dtype)


def _along(stretch: Sequence[Node], z: int, t: Any, values: Mapping[int, Any]) -> Any:
    """Evaluate the stretch at t in place of z."""
    found = {**values, z: t}
    output = t
    for node in stretch:
        (output,) = node.bound([found[o] for o in node.operands])
        found[node.outputs[0]] = output
    return output
