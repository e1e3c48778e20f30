"""The loss as a flat list of operations, with all calls inlined.

JAX's program of a loss contains calls, and several calls may share one program. Here every call is
inlined, so that a derivative can be changed at one place and nowhere else. Loops and branches keep
their bodies.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from handgrad.data.pytrees import is_real
from handgrad.program.complex_numbers.transform import in_reals
from handgrad.program.equations import alone, groups, of_jax, results_by_jax, rule_name, walked
from handgrad.program.jacobians import JACOBIAN, in_jax
from handgrad.program.programs import without_custom_rules
from handgrad.program.rules import RULES
from handgrad.program.sources import Call, Source, library_call_site, library_function, source_of

#: Calls, which are inlined.
CALLS = frozenset({"jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint"}) | {
    "custom_jvp_call",
    "custom_vjp_call",
}

#: Operations that only rearrange elements.
REARRANGING = frozenset(name for name, rule in RULES.items() if rule.rearranges)

#: Elementwise operations; those on truth values have no rule, JAX runs them.
ELEMENTWISE = frozenset(n for n, rule in RULES.items() if rule.elementwise) | {"not", "and", "or"}


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; values are identified by numbers."""

    eqn: Any
    operands: tuple[int, ...]
    outputs: tuple[int, ...]
    source: Source | None
    call: Call | None  #: the outermost call that it is part of
    bodies: tuple["Graph", ...] = ()  #: the bodies of a loop or a branch

    @property
    def name(self) -> str:
        """The name of the operation (tanh, dot_general), or of a function with its own rule."""
        return rule_name(self.eqn) if _own_rule(self.eqn) else self.eqn.primitive.name

    @property
    def elementwise(self) -> bool:
        """Whether the operation acts on arrays element by element."""
        return self.name in ELEMENTWISE or _own_rule(self.eqn)

    def bound(self, operands: Sequence[Any]) -> list[Any]:
        """Evaluate the operation by JAX."""
        if _own_rule(self.eqn):
            formula = self.eqn.params["call_jaxpr"]
            alike = np.shape(operands[0]) == self.eqn.invars[0].aval.shape
            # Its rule was traced for this shape only.
            run = _with_its_rule if alike else lambda _, given: without_custom_rules(formula, given)
            return run(self.eqn, operands)
        return results_by_jax(self.eqn, operands)


@dataclass(frozen=True, eq=False)
class Graph:
    """A list of operations, from its inputs to its outputs."""

    inputs: tuple[int, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def all_nodes(self) -> Iterator[Node]:
        """Yield the operations; those in a loop or branch come after it."""
        for node in self.nodes:
            yield node
            for body in node.bodies:
                yield from body.all_nodes()


@dataclass(eq=False)
class Numbering:
    """Numbers for values, their shapes and dtypes, and the values of constants."""

    avals: list[Any] = field(default_factory=list)
    known: dict[int, Any] = field(default_factory=dict)

    def fresh(self, aval: Any) -> int:
        """Return a new number for a value of that shape and dtype."""
        self.avals.append(aval)
        return len(self.avals) - 1

    def constant(self, value: Any) -> int:
        """Return a new number for a constant."""
        number = self.fresh(jax.typeof(value))
        self.known[number] = value
        return number

    def number(self, number: int) -> float | None:
        """Return the finite float that a constant is throughout; None if it is none."""
        values = np.unique(np.asarray(self.known.get(number, np.nan)))
        single = values.size == 1 and values.dtype.kind == "f" and bool(np.isfinite(values[0]))
        return float(values[0]) if single else None


def flattened(program: Any, numbering: Numbering) -> Graph:
    """Inline the calls of a closed jaxpr."""
    inputs = [numbering.fresh(v.aval) for v in program.jaxpr.invars]
    nodes: list[Node] = []
    outputs = _inlined(program, inputs, numbering, nodes, None, None)
    return Graph(tuple(inputs), tuple(nodes), tuple(outputs))


def _inlined(
    program: Any,
    inputs: Sequence[int],
    numbering: Numbering,
    nodes: list[Node],
    within: Source | None,
    call: Call | None,
) -> list[int]:
    jaxpr = getattr(program, "jaxpr", program)
    consts = [numbering.constant(c) for c in getattr(program, "consts", ())]
    calls = {id(eqn): of for eqn, of in _with_calls(jaxpr.eqns)}

    def literal(atom: Any) -> int:
        return numbering.constant(np.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None)))

    def results_of(eqn: Any, operands: list[int]) -> list[int]:
        source = within if call else source_of(eqn) or within
        part_of = call or calls[id(eqn)]
        if eqn.primitive.name in CALLS and not _own_rule(eqn):
            inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
            named = part_of or library_function(eqn, inner)
            return _inlined(inner, operands, numbering, nodes, source, named)
        if eqn.primitive is JACOBIAN:
            with jax.enable_x64(True):
                inner = in_reals(in_jax(eqn))
            return _inlined(inner, operands, numbering, nodes, source, part_of)
        outputs = [numbering.fresh(v.aval) for v in eqn.outvars]
        bodies = tuple(flattened(body, numbering) for body in _bodies(eqn))
        nodes.append(Node(eqn, tuple(operands), tuple(outputs), source, part_of, bodies))
        return outputs

    return walked(jaxpr, [*consts, *inputs], literal, results_of)


def _own_rule(eqn: Any) -> bool:
    """Tell whether an equation is an elementwise function of JAX with a custom rule: relu.

    At a kink the custom rule differs from the derivative of the formula.
    """
    if eqn.primitive.name != "custom_jvp_call" or len(eqn.outvars) != 1 or not of_jax(eqn):
        return False
    shape = eqn.outvars[0].aval.shape
    return all(v.aval.shape in (shape, ()) for v in eqn.invars)


def _with_its_rule(eqn: Any, operands: Sequence[Any]) -> list[Any]:
    variables, function = alone(eqn)
    places = [eqn.invars.index(v) for v in variables]
    return list(function(*(operands[i] for i in places)))


def _bodies(eqn: Any) -> Sequence[Any]:
    if eqn.primitive.name == "scan":
        return (eqn.params["jaxpr"],)
    return eqn.params["branches"] if eqn.primitive.name == "cond" else ()


def _with_calls(eqns: Sequence[Any]) -> Iterator[tuple[Any, Call | None]]:
    """Yield each operation with the library call that it comes from, which JAX does not record.

    A library function that is not jitted leaves its operations one after another. A single
    operation counts as itself; rearrangements are not counted.
    """
    for site, run in itertools.groupby(eqns, library_call_site):
        some = list(run)
        several = sum(eqn.primitive.name not in REARRANGING for eqn in some) > 1
        call = Call(site.function) if site and several else None
        yield from ((eqn, call) for eqn in some)


def active_values(graph: Graph, leaves: Sequence[int]) -> set[int]:
    """Return the real values that depend on those of `leaves`."""
    found = set(leaves)
    _spread(graph, found)
    return found


def _spread(graph: Graph, found: set[int]) -> None:
    for node in graph.nodes:
        if node.bodies:
            _spread_into(node, found)
        elif not found.isdisjoint(node.operands) and node.name != "stop_gradient":
            found.update(
                o for o, v in zip(node.outputs, node.eqn.outvars, strict=True) if is_real(v.aval)
            )


def _spread_into(node: Node, found: set[int]) -> None:
    # A branch of cond takes all operands but the first.
    operands = node.operands[1:] if node.name == "cond" else node.operands
    for body in node.bodies:
        for _ in itertools.count():
            before = len(found)
            found.update(i for i, o in zip(body.inputs, operands, strict=True) if o in found)
            _spread(body, found)
            if node.name == "scan":
                consts, carried = scan_groups(node)
                inside = body.inputs[consts : consts + carried]
                found.update(
                    i for i, o in zip(inside, body.outputs[:carried], strict=True) if o in found
                )
            if len(found) == before:
                break
        found.update(o for o, i in zip(node.outputs, body.outputs, strict=True) if i in found)


def scan_groups(node: Node) -> tuple[int, int]:
    """Return how many operands of a scan are constants, and how many are carried."""
    return groups(node.eqn)
