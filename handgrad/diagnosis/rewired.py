"""The gradient of a loss with a mistake in it: backpropagation with chosen changes.

A mistake in a hand-written backward pass is most often in one link of the chain rule: a factor, a
missing term, a derivative taken at the wrong number. Each can be made in backpropagation through
the loss's own program too. The change that gives the same wrong numbers is the mistake.

The program runs in float64 under JAX. Its values stay the same, only the derivatives change: at
every *place* the cotangent is multiplied by a factor (1 by default), and at every *switch* one of
several wrong rules may replace the right one. A *constant* is a change of the values themselves: a
number that is added to one of them, or by which one is multiplied, as if the loss were another.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from handgrad.diagnosis.cotangents import both, joined, scaled
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

    #: When it is tried: 0 first, 1 late, 2 after all others. Each stage is compiled apart, which
    #: takes time.
    stage: ClassVar[int] = 0

    @property
    def neighbours(self) -> tuple["Neighbour", ...]:
        """Values of other rounds of a loop that the wrong rules take."""
        return ()

    @abstractmethod
    def changed(self, values: dict[int, Any], choice: Any) -> Any:
        """Return an array shaped like the value, with the derivative of the wrong rule."""


@dataclass(frozen=True)
class Neighbour:
    """A value inside a loop as it is in the round before or after, or what tells one round."""

    loop: Node
    value: int | None  #: the value in the loop's body; None for 1 in a single round, else 0
    number: int  #: that of the value which this one is available as
    ahead: int  #: 1 for the next round, -1 for the one before; of single rounds -1 is the last


@dataclass(frozen=True, eq=False)
class Constant:
    """A number that may change a value: 0 leaves it as it is."""

    node: Node
    operand: int | None  #: the operand to change; None for the result
    apply: Callable[[Any, Any], Any]  #: (value, number) -> value
    alone: bool = False  #: whether only the operation's derivative sees the change


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
    constants: tuple[Constant, ...] = ()
    stage: int = 0  #: which of the switches are there

    def gradient(self, leaves: Any, real: Any, knobs: "Knobs") -> Any:
        """Return the changed gradient; to be compiled by `jax.jit`."""
        return jax.grad(lambda leaves: self._loss(leaves, real, knobs))(leaves)

    def _loss(self, leaves: Any, real: Any, knobs: "Knobs") -> Any:
        run = _Run(self, knobs)
        pairs = zip(self.graph.inputs, knobs.updated, strict=False)
        updated = {number: value for number, value in pairs if value is not None}
        if self.stage:
            still = jax.lax.stop_gradient([*leaves, *real])
            run.given = run.values(self.graph, still)
        return run.graph(self.graph, [*leaves, *real], updated)[0]


@dataclass(frozen=True)
class Knobs:
    """The changes of backpropagation; none for all ones, all zeros and no updates."""

    scale: Any  #: float64, one for each place
    choice: Any  #: int, one for each switch; 0 is the right rule, k the k-th wrong one
    #: Updated parameters, which the derivatives of all else are taken with; None if not updated.
    updated: Any = ()
    constants: Any = ()  #: float64, one for each constant


jax.tree_util.register_dataclass(Knobs, ["scale", "choice", "updated", "constants"], [])


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
        self.neighbours: dict[int, dict[int, Neighbour]] = {}
        for i, switch in enumerate(rewired.switches):
            if switch.stage == rewired.stage:
                self.switches.setdefault(switch.at, []).append((i, switch))
                for n in switch.neighbours:
                    self.neighbours.setdefault(id(n.loop), {})[n.number] = n
        self.constants: dict[int, list[tuple[int, Constant]]] = {}
        for i, constant in enumerate(rewired.constants):
            self.constants.setdefault(id(constant.node), []).append((i, constant))
        #: All values of the loss, for switches that need later ones.
        self.given: dict[int, Any] = {}

    def values(self, graph: Graph, given: Sequence[Any]) -> dict[int, Any]:
        """Compute all values of a graph as they are."""
        values = dict(self.known) | dict(zip(graph.inputs, given, strict=True))
        for node in graph.nodes:
            outputs = node.bound([values[o] for o in node.operands])
            values.update(zip(node.outputs, outputs, strict=True))
        return values

    def graph(
        self,
        graph: Graph,
        given: Sequence[Any],
        updated: dict[int, Any],
        beside: dict[int, Any] | None = None,
    ) -> list[Any]:
        values: dict[int, Any] = self.given | self.known | (beside or {})
        later = dict(updated)  # updated values, as far as they follow from updated parameters
        for number, value in zip(graph.inputs, given, strict=True):
            switched = self._switched(number, {**values, number: value})
            values[number] = self._scaled(self.of_value.get(number, ()), switched)
        for node in graph.nodes:
            operands = [
                self._scaled(self.of_use.get((id(node), k), ()), values[o])
                for k, o in enumerate(node.operands)
            ]
            outputs = self._amended(node, operands, later)
            for number, value in zip(node.outputs, outputs, strict=True):
                switched = self._switched(number, {**values, number: value})
                values[number] = self._scaled(self.of_value.get(number, ()), switched)
        return [values[o] for o in graph.outputs]

    def _scaled(self, places: Sequence[int], value: Any) -> Any:
        for place in places:
            value = scaled(value, self.knobs.scale[place])
        return value

    def _switched(self, number: int, values: dict[int, Any]) -> Any:
        value = values[number]
        for i, switch in self.switches.get(number, ()):
            choice = self.knobs.choice[i]
            changed = switch.changed(values, choice).astype(value.dtype)
            value = joined(value, changed, choice > 0)
        return value

    def _amended(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        """Evaluate an operation with its constants."""
        constants = [(self.knobs.constants[i], c) for i, c in self.constants.get(id(node), ())]

        def applied(operand: int | None, value: Any, alone: bool) -> Any:
            for number, c in constants:
                if c.operand == operand and c.alone == alone:
                    value = c.apply(value, number)
            return value

        operands = [applied(k, x, alone=False) for k, x in enumerate(operands)]
        outputs = [applied(None, x, alone=False) for x in self._node(node, operands, later)]
        if any(c.alone for _, c in constants):
            operands = [applied(k, x, alone=True) for k, x in enumerate(operands)]
            seen = [applied(None, x, alone=False) for x in self._plain(node, operands, {})]
            outputs = [joined(o, s, np.True_) for o, s in zip(outputs, seen, strict=True)]
        return outputs

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
            both(a, b) if jnp.issubdtype(a.dtype, np.floating) else a
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

        wanted = self.neighbours.get(id(node), {})

        def step(carry: Any, rows: Any) -> Any:
            rows, beside = rows
            outputs = self.graph(body, [*consts, *carry, *rows], inside, beside)
            return outputs[:n_carry], outputs[n_carry:]

        rounds = {"length": p["length"], "reverse": p["reverse"]}
        beside = self._beside(body, jax.lax.stop_gradient(operands), node, rounds) if wanted else {}
        carry, rows = jax.lax.scan(step, rest[:n_carry], (rest[n_carry:], beside), **rounds)
        return [*carry, *rows]

    def _beside(
        self, body: Graph, operands: list[Any], node: Node, rounds: dict[str, Any]
    ) -> dict[int, Any]:
        """Return the neighbours that a loop's switches take, each with one more axis, of rounds."""
        n_consts, n_carry = scan_groups(node)
        wanted = self.neighbours[id(node)]
        inside = {n.value for n in wanted.values() if n.value is not None}
        pairs = zip(body.inputs[n_consts : n_consts + n_carry], body.outputs[:n_carry], strict=True)
        after = dict(pairs)
        before = {o: i for i, o in after.items()}

        def step(carry: Any, rows: Any) -> Any:
            found = self.values(body, [*operands[:n_consts], *carry, *rows])
            kept = {v: found[v] for v in inside | {after.get(v, v) for v in inside}}
            kept |= {before[v]: found[before[v]] for v in inside & before.keys()}
            return [found[o] for o in body.outputs[:n_carry]], kept

        rest = operands[n_consts:]
        _, kept = jax.lax.scan(step, rest[:n_carry], rest[n_carry:], **rounds)
        backwards = -1 if rounds["reverse"] else 1

        def of(n: Neighbour) -> Any:
            if n.value is None:
                last = (n.ahead < 0) != rounds["reverse"]
                return jnp.zeros(rounds["length"]).at[-1 if last else 0].set(1.0)
            # What is carried into the next round is what this one carries on.
            carried = (after if n.ahead > 0 else before).get(n.value)
            if carried is not None:
                return kept[carried]
            return jnp.roll(kept[n.value], -n.ahead * backwards, axis=0)

        return {number: of(n) for number, n in wanted.items()}

    def _cond(self, node: Node, operands: list[Any], later: dict[int, Any]) -> list[Any]:
        def branch(body: Graph) -> Callable[..., Any]:
            inside = {body.inputs[k - 1]: v for k, v in later.items() if k and v is not None}
            return lambda *given: self.graph(body, given, inside)

        return jax.lax.switch(operands[0], [branch(body) for body in node.bodies], *operands[1:])
