"""The loss as one flat list of operations, in which every place has a name of its own.

JAX's program of a loss has calls in it, and one called program may stand for several calls. Here
every call is written out, so that a derivative can be changed at one place and nowhere else. Loops
and branches keep their bodies.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.data.frames import is_own
from handgrad.data.pytrees import is_real
from handgrad.program.rules import RULES
from handgrad.program.trace import of_jax, rule_name, without_custom_rules

#: Calls, which are written out.
CALLS = frozenset({"jit", "pjit", "closed_call", "core_call", "remat2", "checkpoint"}) | {
    "custom_jvp_call",
    "custom_vjp_call",
}

#: JAX's files through which it calls its own functions, and those of operators and methods.
MACHINERY = frozenset(
    {"traceback_util.py", "pjit.py", "api.py", "array_methods.py", "custom_derivatives.py"}
    | {"ufunc_api.py", "core.py", "partial_eval.py", "source_info_util.py"}
)

#: Operations of arrays element by element; truth values have no rule, JAX combines them.
ELEMENTWISE = frozenset(n for n, rule in RULES.items() if rule.elementwise) | {"not", "and", "or"}

#: Operations that move elements about.
MOVES = frozenset(name for name, rule in RULES.items() if rule.moves)


@dataclass(frozen=True, eq=False)
class Source:
    """Where in somebody's own code an operation was written."""

    file: str
    line: int


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a library's function: softplus, logsumexp."""

    name: str


@dataclass(frozen=True, eq=False)
class Node:
    """One operation; values are known by number."""

    eqn: Any
    operands: tuple[int, ...]
    outputs: tuple[int, ...]
    source: Source | None
    call: Call | None  #: that it is part of; the outermost one
    bodies: tuple["Graph", ...] = ()  #: of a loop or a branch

    @property
    def name(self) -> str:
        """The operation's name: tanh, dot_general; of a function with its own rule, its name."""
        return rule_name(self.eqn) if _own_rule(self.eqn) else self.eqn.primitive.name

    @property
    def elementwise(self) -> bool:
        """Whether the operation acts on arrays element by element."""
        return self.name in ELEMENTWISE or _own_rule(self.eqn)

    def bound(self, operands: Sequence[Any]) -> list[Any]:
        """What JAX makes of these operands."""
        if _own_rule(self.eqn):
            formula = self.eqn.params["call_jaxpr"]
            alike = np.shape(operands[0]) == self.eqn.invars[0].aval.shape
            # Its rule is for arrays of this shape.
            run = _with_its_rule if alike else lambda _, given: without_custom_rules(formula, given)
            return run(self.eqn, operands)
        outputs = self.eqn.primitive.bind(*operands, **self.eqn.params)
        return list(outputs) if self.eqn.primitive.multiple_results else [outputs]


@dataclass(frozen=True, eq=False)
class Graph:
    """A list of operations, from its inputs to its outputs."""

    inputs: tuple[int, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    def all_nodes(self) -> Iterator[Node]:
        """The operations, and those in loops and branches after the one that they belong to."""
        for node in self.nodes:
            yield node
            for body in node.bodies:
                yield from body.all_nodes()


@dataclass(eq=False)
class Numbering:
    """Numbers for values, their shapes, and the values that are known beforehand."""

    avals: list[Any] = field(default_factory=list)
    known: dict[int, Any] = field(default_factory=dict)

    def fresh(self, aval: Any) -> int:
        """A number for a value of that shape and dtype."""
        self.avals.append(aval)
        return len(self.avals) - 1

    def constant(self, value: Any) -> int:
        """A number for a value that depends on nothing."""
        number = self.fresh(jax.typeof(value))
        self.known[number] = value
        return number


def flattened(program: Any, numbering: Numbering) -> Graph:
    """A closed jaxpr written out."""
    inputs = [numbering.fresh(v.aval) for v in program.jaxpr.invars]
    nodes: list[Node] = []
    outputs = _written_out(program, inputs, numbering, nodes, None, None)
    return Graph(tuple(inputs), tuple(nodes), tuple(outputs))


def _written_out(
    program: Any,
    inputs: Sequence[int],
    numbering: Numbering,
    nodes: list[Node],
    within: Source | None,
    call: Call | None,
) -> list[int]:
    jaxpr = getattr(program, "jaxpr", program)
    consts = [numbering.constant(c) for c in getattr(program, "consts", ())]
    numbers = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *inputs], strict=True))

    def number(atom: Any) -> int:
        if not isinstance(atom, jex.Literal):
            return numbers[atom]
        return numbering.constant(np.asarray(atom.val, dtype=getattr(atom.aval, "dtype", None)))

    for eqn, inlined in _with_calls(jaxpr.eqns):
        operands = [number(atom) for atom in eqn.invars]
        source = within if call else _source(eqn) or within
        part_of = call or inlined
        if eqn.primitive.name in CALLS and not _own_rule(eqn):
            inner = eqn.params.get("jaxpr") or eqn.params.get("call_jaxpr")
            named = part_of or _library_function(eqn, inner)
            outputs = _written_out(inner, operands, numbering, nodes, source, named)
        else:
            outputs = [numbering.fresh(v.aval) for v in eqn.outvars]
            bodies = tuple(flattened(body, numbering) for body in _bodies(eqn))
            nodes.append(Node(eqn, tuple(operands), tuple(outputs), source, part_of, bodies))
        numbers.update(zip(eqn.outvars, outputs, strict=True))
    return [number(atom) for atom in jaxpr.outvars]


def _own_rule(eqn: Any) -> bool:
    """Whether it is one of JAX's functions of numbers with a rule: relu, logaddexp.

    Their formulas differ from their rules where they choose, at 0.
    """
    if eqn.primitive.name != "custom_jvp_call" or len(eqn.outvars) != 1 or not of_jax(eqn):
        return False
    shape = eqn.outvars[0].aval.shape
    return all(v.aval.shape in (shape, ()) for v in eqn.invars)


def _with_its_rule(eqn: Any, operands: Sequence[Any]) -> list[Any]:
    variables = [v for v in eqn.invars if not isinstance(v, jex.Literal)]
    info = eqn.params["call_jaxpr"].jaxpr.debug_info._replace(arg_names=None, result_paths=None)
    alone = jex.Jaxpr([], list(dict.fromkeys(variables)), eqn.outvars, [eqn], debug_info=info)
    given = {
        v: o for v, o in zip(eqn.invars, operands, strict=True) if not isinstance(v, jex.Literal)
    }
    return list(jex.jaxpr_as_fun(jex.ClosedJaxpr(alone, []))(*given.values()))


def _bodies(eqn: Any) -> Sequence[Any]:
    if eqn.primitive.name == "scan":
        return (eqn.params["jaxpr"],)
    return eqn.params["branches"] if eqn.primitive.name == "cond" else ()


def _library_function(eqn: Any, inner: Any) -> Call | None:
    """The call of a function that is not somebody's own."""
    info = getattr(getattr(inner, "jaxpr", inner), "debug_info", None)
    where = str(getattr(info, "func_src_info", "")).rpartition(" at ")[2].rpartition(":")[0]
    if info is None or not where or is_own(where):
        return None
    name = eqn.params.get("name") or str(info.func_src_info).split(" ")[0]
    return Call(str(name).strip("_"))


def _with_calls(eqns: Sequence[Any]) -> Iterator[tuple[Any, Call | None]]:
    """Each operation, and the call that it is part of though JAX's program does not show it.

    A function of a library that is not compiled by itself leaves its operations one after another.
    One operation alone is what it is; what moves elements about does not count.
    """
    for asked, run in itertools.groupby(eqns, _asked_of_a_library):
        some = list(run)
        several = sum(eqn.primitive.name not in MOVES for eqn in some) > 1
        call = Call(asked.of) if asked and several else None
        yield from ((eqn, call) for eqn in some)


class _Asked(NamedTuple):
    """What in somebody's own code asks which function of a library for something."""

    code: Any
    instruction: int  #: each call in the text is another
    of: str


def _asked_of_a_library(eqn: Any) -> _Asked | None:
    traceback, of = getattr(eqn.source_info, "traceback", None), ""
    codes, instructions = traceback.raw_frames() if traceback else ((), ())
    for code, instruction in zip(codes, instructions, strict=True):
        if is_own(code.co_filename):
            return _Asked(code, instruction, of) if of else None
        if Path(code.co_filename).name not in MACHINERY and not code.co_name.startswith("_"):
            of = code.co_name
    return None


def _source(eqn: Any) -> Source | None:
    """The innermost line of somebody's own code that made an operation."""
    traceback = getattr(eqn.source_info, "traceback", None)
    for frame in getattr(traceback, "frames", ()):
        if is_own(frame.file_name):
            return Source(frame.file_name, frame.line_num)
    return None


def active(graph: Graph, moving: Sequence[int]) -> set[int]:
    """The values that depend on those of `moving` and hold real numbers."""
    found = set(moving)
    _spread(graph, found)
    return found


def _spread(graph: Graph, found: set[int]) -> None:
    for node in graph.nodes:
        if node.bodies:
            _spread_into(node, found)
        elif not found.isdisjoint(node.operands) and node.name != "stop_gradient":
            found.update(o for o, v in zip(node.outputs, node.eqn.outvars, strict=True) if _real(v))


def _spread_into(node: Node, found: set[int]) -> None:
    # The branch of a cond gets all operands but the first.
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
    """How many operands of a scan are constants, and how many it carries."""
    from handgrad.program.rules.control import groups

    return groups(node.eqn)


def _real(v: Any) -> bool:
    return is_real(v.aval)
