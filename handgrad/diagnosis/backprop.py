"""The gradient of a loss with a mistake in it: backpropagation with chosen changes.

A mistake in a hand-written backward pass is most often in one link of the chain rule: a factor, a
missing term, a derivative taken at the wrong number. Each can be made in backpropagation through
the loss's own program too. The change that gives the same wrong numbers is the mistake.

The program runs in float64 under JAX, forwards and then backwards, one operation after another. At
every *place* the cotangent is multiplied by a factor (1 by default), and at every *switch* one of
several wrong rules may replace the right one: a rule takes an operation and the cotangent that
comes back to it, and returns those of its operands. A *constant* is a change of the values
themselves: a number that is added to one of them, or by which one is multiplied, as if the loss
were another. And whatever a wrong rule changes is an *extra* cotangent of some values, so that the
many rules that are rarely tried are run apart, at the right gradient's values and cotangents.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from handgrad.data.pytrees import is_real
from handgrad.program.graph import REARRANGING, Graph, Node, Numbering, active_values, scan_groups

#: In place of a value's number in a loop: what tells one round from the others.
ONE_ROUND = -1

#: Cotangents by the number of the value.
Cotangents = dict[int, Any]


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation on the way back."""

    node: Node
    operands: tuple[int, ...]  #: the numbers of what the cotangents returned are of
    values: Mapping[Any, Any]
    at: int  #: the number of its result
    ct: Any  #: the cotangent of its result
    made: dict[Callable[..., Any], Any] = field(default_factory=dict)  #: what is computed once

    @property
    def x(self) -> list[Any]:
        """The operands."""
        return [self.values[o] for o in self.operands]

    @property
    def y(self) -> Any:
        """The result."""
        return self.values[self.at]

    @cached_property
    def right(self) -> dict[int, Any]:
        """The right cotangents of the operands."""
        return self.back()

    def once(self, function: Callable[["Operation"], Any]) -> Any:
        """Return a function of the operation, which several rules take."""
        if function not in self.made:
            self.made[function] = function(self)
        return self.made[function]

    def run(self, *x: Any) -> Any:
        """Return the result for other operands."""
        return self.node.bound(x)[0]

    def back(
        self,
        function: Callable[..., Any] | None = None,
        x: Sequence[Any] | None = None,
        ct: Any = None,
    ) -> dict[int, Any]:
        """Return the cotangents of the operands, by position, some of the rule's parts being other.

        Args:
            function: the function that is differentiated.
            x: the operands that it is differentiated at.
            ct: the cotangent of the result.
        """
        x, function = self.x if x is None else x, function or self.run
        return pulled(
            lambda *x: function(*x).astype(self.y.dtype), x, self.ct if ct is None else ct
        )


def pulled(function: Callable[..., Any], x: Sequence[Any], ct: Any) -> dict[int, Any]:
    """Return the cotangents of the operands of a function that are floats, by position."""
    moving = [k for k, value in enumerate(x) if jnp.issubdtype(value.dtype, jnp.floating)]

    def of(*some: Any) -> Any:
        replaced = dict(zip(moving, some, strict=True))
        return function(*(replaced.get(k, value) for k, value in enumerate(x)))

    found = jax.vjp(of, *(x[k] for k in moving))[1](ct)
    return dict(zip(moving, found, strict=True))


@dataclass(frozen=True)
class Option:
    """One wrong rule of a switch."""

    kind: str
    says: str
    wrong: Callable[[Operation], dict[int, Any]]  #: the cotangents of the operands, by position
    group: str = ""  #: what the same mistake at other switches has in common; nothing for `says`
    anywhere: str = ""  #: the sentence if all such switches have it, of any function; or nothing


@dataclass(frozen=True, eq=False)
class Switch:
    """An operation whose right derivative rule may be replaced by a wrong one."""

    at: int  #: the number of the value whose derivative changes
    node: Node  #: the operation that makes the value
    options: tuple[Option, ...]  #: the wrong rules
    late: bool = False  #: when it is tried; late ones are compiled apart, which takes time
    operands: tuple[int, ...] = ()  #: what the rules give cotangents of; empty for the operation's

    def wrong(self, op: Operation, choice: Any) -> Iterable[tuple[int, Any]]:
        """Return the cotangents that a wrong rule gives, each with the number of its value."""
        found: dict[int, Any] = {}
        for k, option in enumerate(self.options):
            chosen = choice == k + 1
            for operand, ct in option.wrong(op).items():
                other = found[operand] if operand in found else jnp.zeros_like(ct)
                found[operand] = jax.lax.select(chosen, ct, other)
        return [(op.operands[operand], ct) for operand, ct in found.items()]


@dataclass(frozen=True, eq=False)
class Edit:
    """A wrong rule of one operation, one of so many that they are not compiled."""

    kind: str
    node: Node
    operand: int | None  #: which of its operands the rule is about; None for the result
    about: Node  #: the operation that the sentence names
    says: Callable[[str], str]  #: (its name and line) -> the sentence
    wrong: Callable[[Operation], Iterable[tuple[int, Any]]]  #: the cotangents, by the value
    group: object = None  #: what two edits that may have been made together have in common


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
    names: tuple[str, ...]  #: of the parameters, which are the first inputs
    places: tuple[Place, ...] = ()
    switches: tuple[Switch, ...] = ()
    constants: tuple[Constant, ...] = ()
    late: bool | None = None  #: which of the switches are there

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """The numbers of the parameters."""
        return self.graph.inputs[: len(self.names)]

    @cached_property
    def active(self) -> set[int]:
        """The values that depend on the parameters."""
        return active_values(self.graph, self.leaves)

    @cached_property
    def made_by(self) -> dict[int, Node]:
        """The operations that make the values, those in loops too."""
        return {o: node for node in self.graph.all_nodes() for o in node.outputs}

    def written(self, node: Node | None) -> object:
        """Return a key that an operation has in all rounds of a Python loop, and no other has."""
        if node is None or node.source is None:
            return node
        source = (node.source.file, node.source.line, node.source.instruction)
        shapes = tuple(v.aval.shape for v in node.eqn.invars)
        # The operations of a library's function all come from one place.
        makers = [self.made_by[o].name if o in self.made_by else "" for o in node.operands]
        return source, node.name, shapes, tuple(makers) if node.call else ()

    def seen(self, leaves: Any, real: Any) -> tuple[dict[int, Any], Cotangents]:
        """Return the loss's values and their cotangents; to be compiled by `jax.jit`.

        Those inside loops are left out, and random keys, which are no arrays of NumPy's.
        """
        right = Rewired(self.graph, self.numbering, self.names)
        found, cotangents = right._run(leaves, real, Knobs((), ()))
        key, values = jax.dtypes.prng_key, {**self.numbering.known, **found}
        kept = {o: v for o, v in values.items() if o >= 0 and not jnp.issubdtype(v.dtype, key)}
        return kept, cotangents

    def gradient(self, leaves: Any, real: Any, knobs: "Knobs") -> Any:
        """Return the changed gradient; to be compiled by `jax.jit`."""
        _, found = self._run(leaves, real, knobs)
        return [found.get(o, _zeros(self.numbering.avals[o])) for o in self.leaves]

    def _run(self, leaves: Any, real: Any, knobs: "Knobs") -> tuple[dict[int, Any], Cotangents]:
        run, graph = _Run(self, knobs), self.graph
        values = run.forward(graph, [*leaves, *real])
        (loss,) = graph.outputs
        pairs = zip(graph.inputs, knobs.updated, strict=False)
        updated = {number: value for number, value in pairs if value is not None}
        arriving = [(loss, jnp.ones_like(run.of(loss, values))), *knobs.extra.items()]
        return values, run.backward(graph, values, arriving, updated)


@dataclass(frozen=True)
class Knobs:
    """The changes of backpropagation; none for all ones, all zeros and no updates."""

    scale: Any  #: float64, one for each place
    choice: Any  #: int, one for each switch; 0 is the right rule, k the k-th wrong one
    #: Updated parameters, which the derivatives of all else are taken with; None if not updated.
    updated: Any = ()
    constants: Any = ()  #: float64, one for each constant
    extra: Any = field(default_factory=dict)  #: cotangents to add, by the number of the value


jax.tree_util.register_dataclass(Knobs, [one.name for one in fields(Knobs)], [])


class _Run:
    """One run, while JAX traces it.

    The values of a graph are by number. Those of a loop's body, of all rounds, are one more of
    them, by the complement of the number of the loop's first result.
    """

    def __init__(self, rewired: Rewired, knobs: Knobs) -> None:
        self.numbering = rewired.numbering
        self.known = rewired.numbering.known
        self.active = rewired.active
        self.knobs, self.late = knobs, rewired.late
        self.of_value: dict[int, list[int]] = {}
        self.of_use: dict[tuple[int, int], list[int]] = {}
        for i, place in enumerate(rewired.places):
            for node, k in place.uses:
                self.of_use.setdefault((id(node), k), []).append(i)
            if not place.uses:
                self.of_value.setdefault(place.value, []).append(i)
        self.switches: dict[int, list[tuple[int, Switch]]] = {}
        for i, switch in enumerate(rewired.switches):
            if switch.late is rewired.late:
                self.switches.setdefault(switch.at, []).append((i, switch))
        self.constants: dict[int, list[tuple[int, Constant]]] = {}
        for i, constant in enumerate(rewired.constants):
            self.constants.setdefault(id(constant.node), []).append((i, constant))

    def zeros(self, number: int) -> Any:
        """Return zeros like a value; None of what is no array of floats, and has no cotangent."""
        return _zeros(self.numbering.avals[number])

    def of(self, number: int, values: dict[int, Any]) -> Any:
        """Return a value."""
        return values[number] if number in values else self.known[number]

    def forward(self, graph: Graph, given: Sequence[Any]) -> dict[int, Any]:
        """Return the values of a graph that are no constants."""
        values = dict(zip(graph.inputs, given, strict=True))
        for node in graph.nodes:
            operands = [self.of(o, values) for o in node.operands]
            if node.name == "scan":
                outputs, values[~node.outputs[0]] = self._scan(node, operands)
            elif node.name == "cond":
                branches = [self._branch(body) for body in node.bodies]
                outputs = jax.lax.switch(operands[0], branches, *operands[1:])
            else:
                outputs = self._evaluated(node, operands)
            values.update(zip(node.outputs, outputs, strict=True))
        return values

    def _branch(self, body: Graph) -> Callable[..., list[Any]]:
        def run(*given: Any) -> list[Any]:
            values = self.forward(body, given)
            return [self.of(o, values) for o in body.outputs]

        return run

    def _scan(self, node: Node, operands: list[Any]) -> tuple[list[Any], dict[int, Any]]:
        (body,), (n_consts, n_carry) = node.bodies, scan_groups(node)

        def step(carry: Any, rows: Any) -> Any:
            values = self.forward(body, [*operands[:n_consts], *carry, *rows])
            outputs = [self.of(o, values) for o in body.outputs]
            return outputs[:n_carry], (outputs[n_carry:], values)

        given = operands[n_consts : n_consts + n_carry], operands[n_consts + n_carry :]
        carry, (rows, inside) = jax.lax.scan(step, *given, **_rounds(node))
        return [*carry, *rows], inside

    def _evaluated(self, node: Node, operands: Sequence[Any], alone: bool = False) -> list[Any]:
        """Evaluate an operation with its constants; `alone` also with those of its derivative."""
        constants = [(self.knobs.constants[i], c) for i, c in self.constants.get(id(node), ())]

        def applied(operand: int | None, value: Any, which: Sequence[bool]) -> Any:
            for number, c in constants:
                if c.operand == operand and c.alone in which:
                    value = c.apply(value, number)
            return value

        which = (False, True) if alone else (False,)
        operands = [applied(k, x, which) for k, x in enumerate(operands)]
        return [applied(None, x, (False,)) for x in node.bound(operands)]

    def backward(
        self,
        graph: Graph,
        values: dict[int, Any],
        arriving: Iterable[tuple[int, Any]],
        updated: dict[int, Any],
    ) -> Cotangents:
        """Return the cotangents of a graph's values.

        Args:
            graph: the loss, or a body in it.
            values: its values.
            arriving: the cotangents of its results.
            updated: updated values of inputs.
        """
        found: Cotangents = {}
        self._add(arriving, found)
        later = self._later(graph, updated)
        values = {**self.known, **values}
        for node in reversed(graph.nodes):
            cts = [self._changed(o, values, found) for o in node.outputs]
            if any(ct is not None for ct in cts):
                pairs = zip(node.outputs, cts, strict=True)
                cts = [self.zeros(o) if ct is None else ct for o, ct in pairs]
                for k, ct in self._through(node, values, cts, later).items():
                    self._add([(node.operands[k], self._scaled((id(node), k), ct))], found)
        for o in graph.inputs:
            self._changed(o, values, found)
        return found

    def _add(self, some: Iterable[tuple[int, Any]], found: Cotangents) -> None:
        for number, ct in some:
            if number in self.active:
                found[number] = found[number] + ct if number in found else ct

    def _scaled(self, use: tuple[int, int], ct: Any) -> Any:
        for place in self.of_use.get(use, ()):
            ct = self.knobs.scale[place].astype(ct.dtype) * ct
        return ct

    def _changed(self, number: int, values: dict[int, Any], found: Cotangents) -> Any:
        """Change the cotangent that has arrived at a value, and return it; None if none has.

        A wrong rule sends what arrives another way.
        """
        if number not in found:
            return None
        ct = found.pop(number)
        for place in self.of_value.get(number, ()):
            ct = self.knobs.scale[place].astype(ct.dtype) * ct
        for i, switch in reversed(self.switches.get(number, ())):
            choice = self.knobs.choice[i]
            of = switch.operands or switch.node.operands
            op = Operation(switch.node, of, values, number, ct)
            self._add(switch.wrong(op, choice), found)
            ct = jax.lax.select(choice > 0, jnp.zeros_like(ct), ct)
        self._add([(number, ct)], found)
        return found[number]

    def _later(self, graph: Graph, updated: dict[int, Any]) -> dict[int, Any]:
        """Return updated values, as far as they follow from updated parameters."""
        later = dict(updated)
        for node in graph.nodes:
            if not later.keys().isdisjoint(node.operands) and node.name in REARRANGING:
                after = [later.get(o, self.known.get(o)) for o in node.operands]
                if all(value is not None for value in after):
                    later.update(zip(node.outputs, node.bound(after), strict=True))
        return later

    def _through(
        self, node: Node, values: dict[int, Any], cts: list[Any], later: dict[int, Any]
    ) -> dict[int, Any]:
        """Return the cotangents of an operation's operands, by position."""
        operands = [values[o] for o in node.operands]
        after = {k: later[o] for k, o in enumerate(node.operands) if o in later}
        if node.name == "scan":
            return self._scan_back(node, values[~node.outputs[0]], cts, after)
        if node.name == "cond":
            return self._cond_back(node, operands, cts, after)
        real = [k for k, ct in enumerate(cts) if ct is not None]

        def pulled_at(operands: Sequence[Any]) -> dict[int, Any]:
            def run(*x: Any) -> list[Any]:
                outputs = self._evaluated(node, x, alone=True)
                return [outputs[k] for k in real]

            return pulled(run, operands, [cts[k] for k in real])

        found = pulled_at(operands)
        if not after:
            return found
        # The updated value is seen only by the derivatives of the other operands.
        others = pulled_at([after.get(k, x) for k, x in enumerate(operands)])
        return {k: ct if k in after else others[k] for k, ct in found.items()}

    def _scan_back(
        self, node: Node, inside: dict[int, Any], cts: list[Any], after: dict[int, Any]
    ) -> dict[int, Any]:
        (body,), (n_consts, n_carry) = node.bodies, scan_groups(node)
        updated = {body.inputs[k]: value for k, value in after.items() if k < n_consts}
        first = n_consts + n_carry
        moving = [k for k, o in enumerate(body.inputs) if o in self.active]
        state = {k: self.zeros(body.inputs[k]) for k in moving if k < n_consts}
        state |= {k: cts[k - n_consts] for k in moving if n_consts <= k < first}

        def step(state: dict[int, Any], at: Any) -> Any:
            made, beside, rows = at
            carried = [(body.outputs[k - n_consts], c) for k, c in state.items() if k >= n_consts]
            arriving = [*carried, *zip(body.outputs[n_carry:], rows, strict=True)]
            found = self.backward(body, made | beside, arriving, updated)
            new = {k: found.get(body.inputs[k], self.zeros(body.inputs[k])) for k in moving}
            sums = {k: state[k] + new[k] if k < n_consts else new[k] for k in state}
            return sums, {k: new[k] for k in moving if k >= first}

        rounds = _rounds(node)
        given = inside, _beside(node, inside) if self.late else {}, cts[n_carry:]
        backwards = {**rounds, "reverse": not rounds["reverse"]}
        state, rows = jax.lax.scan(step, state, given, **backwards)
        return state | rows

    def _cond_back(
        self, node: Node, operands: list[Any], cts: list[Any], after: dict[int, Any]
    ) -> dict[int, Any]:
        moving = [k for k, o in enumerate(node.operands) if o in self.active and k]

        def branch(body: Graph) -> Callable[..., list[Any]]:
            updated = {body.inputs[k - 1]: value for k, value in after.items() if k}

            def run(*given: Any) -> list[Any]:
                arriving = zip(body.outputs, cts, strict=True)
                found = self.backward(body, self.forward(body, given), arriving, updated)
                inputs = [body.inputs[k - 1] for k in moving]
                return [found.get(o, self.zeros(o)) for o in inputs]

            return run

        branches = [branch(body) for body in node.bodies]
        return dict(zip(moving, jax.lax.switch(operands[0], branches, *operands[1:]), strict=True))


def _zeros(aval: Any) -> Any:
    return jnp.zeros(aval.shape, aval.dtype) if is_real(aval) else None


def _beside(node: Node, inside: dict[int, Any]) -> dict[tuple[int, int], Any]:
    """Return the values of a loop in the round after (1) or before (-1) each, by (number, which).

    The number `ONE_ROUND` is 1 in the first round (1), or the last (-1), and 0 in the others.
    """
    (body,), (n_consts, n_carry), rounds = node.bodies, scan_groups(node), _rounds(node)
    carried = list(zip(body.inputs[n_consts:], body.outputs[:n_carry], strict=False))
    found = {}
    for which, pairs in ((1, carried), (-1, [(after, before) for before, after in carried])):
        forwards = -which if rounds["reverse"] else which
        found[ONE_ROUND, which] = jnp.zeros(rounds["length"]).at[min(forwards, 0)].set(1.0)
        for o, value in inside.items():
            if o >= 0 and is_real(value):
                found[o, which] = jnp.roll(value, -forwards, axis=0)
        # What is carried into the next round is what this one carries on.
        found |= {(o, which): inside[other] for o, other in pairs if other in inside}
    return found


def _rounds(node: Node) -> dict[str, Any]:
    return {name: node.eqn.params[name] for name in ("length", "reverse")}
