"""The gradient of a loss with a mistake in it: backpropagation with chosen changes.

A mistake in a hand-written backward pass is most often in one link of the chain rule: a factor, a
missing term, a derivative taken at the wrong number. Each can be made in backpropagation through
the loss's own program too. The change that gives the same wrong numbers is the mistake.

The program runs in float64 under JAX. Its values stay the same, only the derivatives change: at
every *place* the cotangent is multiplied by a factor (1 by default), and at every *switch* one of
several wrong rules may replace the right one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.program.graph import REARRANGING, Graph, Node, Numbering, scan_groups


@dataclass(frozen=True)
class Option:
    """One wrong rule of a switch."""

    kind: str
    says: str
    group: str  #: shared by the same mistake at other switches
    anywhere: str = ""  #: the sentence if all such switches have it, of any function; or nothing


@dataclass(frozen=True, eq=False)
class Switch(ABC):
    """An operation whose right derivative rule may be replaced by a wrong one."""

    at: int  #: the number of the value whose derivative changes
    node: Node  #: the operation that makes the value
    options: tuple[Option, ...]  #: the wrong rules

    @abstractmethod
    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return an array shaped like the value, with the derivative of the wrong rule."""


@dataclass(frozen=True, eq=False)
class Place:
    """A value, or some uses of it, through which derivatives flow back."""

    value: int
    uses: tuple[tuple[Node, int], ...]  #: (operation, number of the operand); empty for all uses
    made_by: Node | None  #: the operation that makes the value; None for an input of the loss
    inside: bool = False  #: whether it is inside one function


@dataclass(frozen=True, eq=False)
class Rewired:
    """A loss's program with its places and switches."""

    graph: Graph
    numbering: Numbering
    places: tuple[Place, ...]
    switches: tuple[Switch, ...]
    names: tuple[str, ...]  #: of the parameters, which are the first inputs

    def gradient(self, leaves: Any, real: Any, knobs: "Knobs") -> Any:
        """Return the changed gradient; to be compiled by `jax.jit`."""
        return jax.grad(lambda leaves: self._loss(leaves, real, knobs))(leaves)

    def _loss(self, leaves: Any, real: Any, knobs: "Knobs") -> Any:
        run = _Run(self, knobs)
        pairs = zip(self.graph.inputs, knobs.updated, strict=False)
        updated = {number: value for number, value in pairs if value is not None}
        return run.graph(self.graph, [*leaves, *real], updated)[0]


@dataclass(frozen=True)
class Knobs:
    """The changes of backpropagation; none for all ones, all zeros and no updates."""

    scale: Any  #: float64, one for each place
    choice: Any  #: int, one for each switch; 0 is the right rule, k the k-th wrong one
    #: Updated parameters, which the derivatives of all else are taken with; None if not updated.
    updated: Any = ()


jax.tree_util.register_dataclass(Knobs, ["scale", "choice", "updated"], [])


class _Run:
    """One run, while JAX traces it."""

    def __init__(self, rewired: Rewired, knobs: Knobs) -> None:
        self.known = rewired.numbering.known
        self.knobs = knobs
        self.of_value: dict[int, list[int]] = {}
        self.of_use: dict[tuple[int, int], list[int]] = {}
        for i, place in enumerate(rewired.places):
            for node, k in place.uses:
                self.of_use.setdefault((id(node), k), []).append(i)
            if not place.uses:
                self.of_value.setdefault(place.value, []).append(i)
        self.switches: dict[int, list[tuple[int, Switch]]] = {}
        for i, switch in enumerate(rewired.switches):
            self.switches.setdefault(switch.at, []).append((i, switch))

    def graph(self, graph: Graph, given: Sequence[Any], updated: dict[int, Any]) -> list[Any]:
        values: dict[int, Any] = dict(self.known)
        later = dict(updated)  # updated values, as far as they follow from updated parameters
        for number, value in zip(graph.inputs, given, strict=True):
            values[number] = self._scaled(self.of_value.get(number, ()), value)
        for node in graph.nodes:
            operands = [
                self._scaled(self.of_use.get((id(node), k), ()), values[o])
                for k, o in enumerate(node.operands)
            ]
            outputs = self._node(node, operands, later)
            for number, value in zip(node.outputs, outputs, strict=True):
                switched = self._switched(number, {**values, number: value})
                values[number] = self._scaled(self.of_value.get(number, ()), switched)
        return [values[o] for o in graph.outputs]

    def _scaled(self, places: Sequence[int], value: Any) -> Any:
        for place in places:
            value = _scaled(value, self.knobs.scale[place])
        return value

    def _switched(self, number: int, values: dict[int, Any]) -> Any:
        value = values[number]
        for i, switch in self.switches.get(number, ()):
            choice = self.knobs.choice[i]
            value = _joined(value, switch.changed(values, choice), choice > 0)
        return value

    def _node(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        after = [later.get(o) for o in node.operands]
        if all(value is None for value in after):
            return self._plain(node, operands, {})
        if node.bodies:
            return self._plain(node, operands, dict(enumerate(after)))
        pairs = list(zip(node.operands, operands, after, strict=True))
        if all(v is not None or o in self.known for o, _, v in pairs):
            if node.name in REARRANGING:
                given = [self.known[o] if v is None else v for o, _, v in pairs]
                later.update(zip(node.outputs, node.bound(given), strict=True))
            return self._plain(node, operands, {})
        # The updated value is seen only by the derivatives of the other operands.
        still = jax.lax.stop_gradient
        own = node.bound([still(x) if v is None else x for _, x, v in pairs])
        others = node.bound([x if v is None else still(v) for _, x, v in pairs])
        return [
            _both(a, b) if jnp.issubdtype(a.dtype, np.floating) else a
            for a, b in zip(own, others, strict=True)
        ]

    def _plain(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        if node.name == "scan":
            return self._scan(node, operands, later)
        if node.name == "cond":
            return self._cond(node, operands, later)
        return node.bound(operands)

    def _scan(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        (body,), p = node.bodies, node.eqn.params
        n_consts, n_carry = scan_groups(node)
        consts, rest = operands[:n_consts], operands[n_consts:]
        inside = {body.inputs[k]: v for k, v in later.items() if k < n_consts and v is not None}

        def step(carry: Any, rows: Any) -> Any:
            outputs = self.graph(body, [*consts, *carry, *rows], inside)
            return outputs[:n_carry], outputs[n_carry:]

        carry, rows = jax.lax.scan(
            step, rest[:n_carry], rest[n_carry:], length=p["length"], reverse=p["reverse"]
        )
        return [*carry, *rows]

    def _cond(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        def branch(body: Graph) -> Callable[..., Any]:
            inside = {body.inputs[k - 1]: v for k, v in later.items() if k and v is not None}
            return lambda *given: self.graph(body, given, inside)

        return jax.lax.switch(operands[0], [branch(body) for body in node.bodies], *operands[1:])


@jax.custom_vjp
def _scaled(value: Any, factor: Any) -> Any:  # noqa: ARG001 (it is for the derivative)
    """Return the value; the cotangent is multiplied by the factor."""
    return value


_scaled.defvjp(
    lambda value, factor: (value, factor),
    lambda factor, g: (factor.astype(g.dtype) * g, jnp.zeros_like(factor)),
)


@jax.custom_vjp
def _joined(value: Any, changed: Any, chosen: Any) -> Any:  # noqa: ARG001 (as above)
    """Return the value, with the derivative of `changed` where that is chosen."""
    return value


_joined.defvjp(
    lambda value, changed, chosen: (value, chosen),
    lambda chosen, g: (jnp.where(chosen, 0, g), jnp.where(chosen, g, 0), None),
)


@jax.custom_vjp
def _both(value: Any, other: Any) -> Any:  # noqa: ARG001 (as above)
    """Return the value, with the derivatives of both."""
    return value


_both.defvjp(lambda value, other: (value, None), lambda _, g: (g, g))
