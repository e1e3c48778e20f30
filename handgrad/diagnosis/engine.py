"""Backpropagation through the caller's loss, right or with a mistake, at any point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jax.interpreters.partial_eval import dce_jaxpr

from handgrad.clock import OutOfTimeError, check_time
from handgrad.data.attempts import raise_internal
from handgrad.data.domains.domain import Domain
from handgrad.data.domains.tangent import tangent_of
from handgrad.data.point import Point
from handgrad.data.pytrees import split
from handgrad.diagnosis.activation_links import Derivative
from handgrad.diagnosis.backprop import Edit, Knobs, Operation, Rewired
from handgrad.diagnosis.constants import constants
from handgrad.diagnosis.places import places
from handgrad.diagnosis.rules import softmaxes
from handgrad.diagnosis.switches import late_switches, switches
from handgrad.program.complex_numbers.transform import traced
from handgrad.program.form import QUICK, may_be_compiled
from handgrad.program.graph import Node, Numbering, flattened
from handgrad.program.numpy_to_jax import in_jax
from handgrad.program.trace import Function

#: Programs with more operations take too long to compile with a switch at every link.
MOST_NODES = 2000

#: Code means the same in NumPy and in JAX if its gradients agree to this relative error.
SAME = 1e-8


#: What JAX raises where it cannot differentiate a loss backwards: a `while` loop.
#: Or where it cannot bind an operation anew, for lack of a parameter, as in a `shard_map`. The last
#: two are what an installed function raises that is the loss itself, and not in JAX.
REFUSED = (
    *(ValueError, NotImplementedError, KeyError),
    *(jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError),
)


class TooLargeError(Exception):
    """The loss's program is too long."""


@dataclass(eq=False)
class Engine:
    """The gradient of a loss in float64, right or with changes."""

    rewired: Rewired
    traced_inputs: bool
    domains: Sequence[Domain] = ()  #: of the leaves; gradients are projected on their tangent space
    constants: tuple[float, ...] = ()  #: scalar constants of the loss
    _compiled: dict[Any, Any] = field(default_factory=dict, repr=False)
    _right: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    _seen: dict[int, Any] = field(default_factory=dict, repr=False)
    _operations: dict[tuple[int, Node], Operation] = field(default_factory=dict, repr=False)

    def right(self, given: Point) -> np.ndarray:
        """Return the right gradient, shape (size,)."""
        if id(given) not in self._right:
            self._right[id(given)] = self.changed(given)
        return self._right[id(given)]

    def changed(
        self,
        given: Point,
        scale: dict[int, float] | None = None,
        choice: dict[int, int] | None = None,
        updated: Sequence[np.ndarray | None] = (),
        leaves: Sequence[np.ndarray] | None = None,
        constants: dict[int, float] | None = None,
        edits: Sequence[Edit] = (),
    ) -> np.ndarray:
        """Return the gradient with changes, shape (size,).

        Args:
            given: the point.
            scale: factors of the cotangents, by the number of the place.
            choice: the wrong rule to take, by the number of the switch.
            updated: updated parameters, which the derivatives of all else are taken with; None for
                those that are not updated.
            leaves: parameters in place of the point's.
            constants: the numbers that change values, by the number of the constant.
            edits: wrong rules, each of the right cotangent.
        """
        late = [self.rewired.switches[i].late for i in choice or ()]
        scales = np.ones(len(self.rewired.places))
        choices = np.zeros(len(self.rewired.switches), dtype=np.int64)
        scales[list(scale or {})] = list((scale or {}).values())
        choices[list(choice or {})] = list((choice or {}).values())
        added = np.zeros(len(self.rewired.constants))
        added[list(constants or {})] = list((constants or {}).values())
        check_time()
        with jax.enable_x64(True):
            found = self._run(
                (late[0] if late else None, bool(constants)),
                *self._arguments(given, leaves),
                Knobs(
                    scales,
                    choices,
                    [u if u is None else _wide([u])[0] for u in updated],
                    added,
                    self._extra(given, edits) if edits else {},
                ),
            )
            whole = np.concatenate([np.asarray(leaf).reshape(-1) for leaf in found])
        tangent = tangent_of(self.domains, given.leaves)
        return whole if tangent is None else tangent.of_floats(whole)

    def values(self, given: Point) -> dict[int, np.ndarray]:
        """Return all values of the loss at a point, by number; those inside loops are left out."""
        return self._seen_at(given)[0]

    def _seen_at(self, given: Point) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Return the values at a point, and their cotangents, those that are not 0 throughout."""
        if id(given) not in self._seen:
            with jax.enable_x64(True):
                found = self._look(*self._arguments(given))
                self._seen[id(given)] = jax.tree_util.tree_map(np.asarray, found)
        return self._seen[id(given)]

    @cached_property
    def _look(self) -> Callable[..., Any]:
        """What is compiled as one: JAX would compile every operation."""
        return jax.jit(self.rewired.seen, compiler_options=QUICK)

    def _arguments(self, given: Point, leaves: Any = None) -> tuple[list[Any], list[Any]]:
        real = _wide(split(given.inputs)[0]) if self.traced_inputs else []
        return _wide(given.leaves if leaves is None else leaves), real

    def _extra(self, given: Point, edits: Sequence[Edit]) -> dict[int, Any]:
        """Return what edits add to the right cotangents."""
        values, cotangents = self._seen_at(given)
        extra = {o: np.zeros_like(ct) for o, ct in cotangents.items()}
        for edit in edits:
            node, at = edit.node, edit.node.outputs[0]
            if (id(given), node) not in self._operations:
                op = Operation(node, node.operands, values, at, cotangents[at])
                self._operations[id(given), node] = op
            op = self._operations[id(given), node]
            right = [(node.operands[k], -ct) for k, ct in op.right.items()]
            for number, ct in (*edit.wrong(op), *right):
                if number in extra:
                    extra[number] = extra[number] + np.asarray(ct)
        return extra

    def without(self, number: int) -> "Engine":
        """Return the engine of the same loss with 0 in place of a constant."""
        return self.with_constants({number: np.zeros_like(self.rewired.numbering.known[number])})

    def with_constants(self, others: dict[int, np.ndarray]) -> "Engine":
        """Return the engine of the same loss with others in place of some constants, by number."""
        numbering = self.rewired.numbering
        return self._of(numbering=Numbering(numbering.avals, numbering.known | others))

    def choosing(self, node: Node, side: int) -> "Engine":
        """Return the engine of the same loss with one choice always taking the same side."""
        graph, numbering = self.rewired.graph, self.rewired.numbering
        which = numbering.avals[node.operands[0]]
        always = numbering.constant(np.full(which.shape, side, which.dtype))
        other = replace(node, operands=(always, *node.operands[1:]))
        nodes = tuple(other if one is node else one for one in graph.nodes)
        return self._of(graph=replace(graph, nodes=nodes))

    def _of(self, **changes: Any) -> "Engine":
        return Engine(replace(self.rewired, **changes), self.traced_inputs, self.domains)

    def through(self, place: int, given: Point) -> np.ndarray:
        """Return the part of the gradient that flows through a place, shape (size,)."""
        return self.right(given) - self.changed(given, {place: 0.0})

    def _run(self, needed: tuple[bool | None, bool], leaves: Any, real: Any, knobs: Knobs) -> Any:
        """Run the compiled gradient, unless there is no time to compile it.

        Args:
            needed: whether the switches that are there are the late ones, None if there are none;
                and whether the constants are there. Each takes time.
            leaves, real, knobs: the arguments.
        """
        key = needed, jax.tree_util.tree_structure(knobs)
        if key not in self._compiled:
            late, constants = needed
            found = self.rewired.constants if constants else ()
            rewired = replace(self.rewired, late=late, constants=found)
            run = jax.jit(rewired.gradient, compiler_options=QUICK)
            program = run.trace(leaves, real, knobs).jaxpr.jaxpr
            used, _ = dce_jaxpr(program, [True] * len(program.outvars))
            if not may_be_compiled(used):
                raise OutOfTimeError
            self._compiled[key] = run
        return self._compiled[key](leaves, real, knobs)


class AnotherLossError(Exception):
    """The code of a NumPy loss computes something else in `jax.numpy`."""


def engine(
    loss: Function,
    given: Point,
    exact: np.ndarray,
    domains: Sequence[Domain],
    *,
    is_traced: bool,
) -> Engine:
    """Build the engine of a loss for points like this one.

    Args:
        loss: in `jax.numpy`, or in NumPy if its code means the same in `jax.numpy`.
        given: the point.
        exact: the gradient there, shape (size,), NaN where not known.
        domains: of the leaves.
        is_traced: whether JAX has a gradient of it; else it may trace another function.

    Raises:
        TooLargeError: there are more than `MOST_NODES` operations.
        AnotherLossError: the code does not mean the same in `jax.numpy`.
        Exception: whatever JAX raises where it cannot trace the loss in float64.
    """

    def is_right(found: Engine) -> bool:
        off = np.linalg.norm(np.nan_to_num(found.right(given) - exact))
        return bool(off <= SAME * np.linalg.norm(np.nan_to_num(exact)))

    try:
        found = _engine(loss, given, domains)
        # Which raises if JAX cannot differentiate the loss backwards.
        if not np.isfinite(found.right(given)).all() or is_traced or is_right(found):
            return found
    except TooLargeError:
        raise
    except Exception as error:  # in most cases NumPy's functions on tracers
        raise_internal(error, *REFUSED)
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        found = _engine(in_jax(loss), given, domains)
    if not is_right(found):
        raise AnotherLossError
    return found


def _engine(loss: Function, given: Point, domains: Sequence[Domain]) -> Engine:
    leaves = _wide(given.leaves)
    real, together = split(given.inputs)
    tree = jax.tree_util.tree_structure(given.params)
    traced_inputs = True

    def flat(leaves: Any, real: Any) -> Any:
        return loss(jax.tree_util.tree_unflatten(tree, leaves), *together(real))

    # In float64 the loss meets numbers of other formats, which its author need not expect.
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        try:
            program = traced(flat, leaves, _wide(real))
        except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
            traced_inputs = False
            program = traced(lambda leaves: flat(leaves, _wide(real)), leaves)
        numbering = Numbering()
        graph = flattened(program, numbering)
        if sum(1 for _ in graph.all_nodes()) > MOST_NODES:
            raise TooLargeError
        rewired = Rewired(graph, numbering, given.paths)
        found = switches(rewired)
        made = Engine(rewired, traced_inputs, domains)
        values = made.values(given)
        found += softmaxes(graph, numbering, values)
        found += late_switches(rewired)
    made.rewired = replace(
        rewired,
        places=tuple(places(rewired, [s for s in found if isinstance(s, Derivative)])),
        switches=tuple(found),
        constants=constants(graph, numbering),
    )
    made.constants = _constants(rewired, values)
    return made


def _constants(rewired: Rewired, values: dict[int, Any]) -> tuple[float, ...]:
    """Return the scalars that do not depend on the parameters, except 0 and inputs.

    Scalar inputs are left out: one may be a term of a derivative that is missing, not a factor.
    """
    given = set(rewired.graph.inputs)
    fixed = {number: np.asarray(v) for number, v in values.items() if number not in rewired.active}
    single = {
        o: float(a.flat[0]) for o, a in fixed.items() if a.size == 1 and a.dtype.kind in "fiu"
    }
    none = {0.0} | {value for number, value in single.items() if number in given}
    return tuple(sorted(c for c in set(single.values()) - none if np.isfinite(c)))


def _wide(arrays: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(array, dtype=np.float64) for array in arrays]
