"""Evaluate the two programs of a loss in balls: the loss on series, and JAX's gradient of it."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data.computed_in import Arithmetic
from handgrad.data.domains.tangent import Tangent
from handgrad.data.formats import JUDGED, is_floating, is_half
from handgrad.data.frames import quoted_line
from handgrad.data.point import slices
from handgrad.program.equations import equations
from handgrad.program.interpreter import Rounding, Run
from handgrad.program.programs import Program, literals_of
from handgrad.program.rules import RULES
from handgrad.program.sources import source_of
from handgrad.program.trace import Traced

#: It is shown an operation of a run: (equation, operands, results).
Look = Callable[[Any, list[Any], list[Any]], None]


@dataclass(frozen=True, eq=False)
class Problem:
    """A traced loss at a point."""

    traced: Traced
    leaves: Sequence[np.ndarray]  #: the parameters, floats
    inputs: Sequence[np.ndarray]  #: the real inputs, floats
    trusted: frozenset[str] = frozenset()
    suspects: tuple[int, ...] = ()  #: elements to certify first if there is no time for all
    #: Whether the parameters are distances along random directions, so that a step along the first
    #: of them decides ties as a generic step does.
    generic: bool = False
    #: What yours is computed in, if that was stated.
    computed_in: Arithmetic | None = None
    #: The directions that count, if not all: gradients and directions are projected on them.
    tangent: Tangent | None = None
    #: Whether the gradient program computes the gradient by no derivative rule: that of a loss
    #: which is linear in the parameters, its coefficients.
    linear: bool = False
    #: Whether numbers that are not finite may decide something: that was looked into.
    settled: bool = False
    #: How far what is differentiated by lies from the point, objects, (size of that,), for a limit.
    shift: np.ndarray | None = None

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def fingerprint(self) -> int:
        """A hash of the parameters, to seed random draws at the point."""
        return zlib.crc32(b"".join(leaf.tobytes() for leaf in self.leaves))

    def check_patches(self, comparisons: Comparisons) -> None:
        """Refuse a run in which NaN decided something; see `Comparisons.check_patches`.

        So near to a point as `shift` NaN may only mean that more bits are needed.
        """
        if not self.settled or (self.shift is not None and not comparisons.final):
            comparisons.check_patches()

    @property
    def moving(self) -> slice:
        """Which arguments are differentiated by: the parameters; x, of a Jacobian's elements."""
        n = len(self.leaves)
        return slice(n, n + 1) if self.linear else slice(n)

    def shifted(self, arguments: Sequence[np.ndarray] | None = None) -> list[np.ndarray]:
        """Return the arguments, by default those of the point, moved by `shift`."""
        given = list(self.arguments() if arguments is None else arguments)
        return given if self.shift is None else moved_by(given, self.moving, self.shift)

    def arguments(self) -> list[np.ndarray]:
        """Return the arguments of the programs as arrays of balls."""
        return [balls.exact(array) for array in (*self.leaves, *self.inputs)]

    def on_series(
        self, given: Sequence[Dual], comparisons: Comparisons, rounding: Any = None
    ) -> Dual:
        """Run the loss on series of its arguments; what rounds perturbs operands and results."""
        run = _run(self, self.traced.loss, comparisons, rounding)
        return run.closed(self.traced.loss.jaxpr, given)[0]

    def results(self, directions: np.ndarray, look: Callable[[Dual], None]) -> None:
        """Show all numbers that the loss computes at the point, as series in some directions."""

        def at(_: Any, __: list[Any], outputs: list[Any]) -> None:
            for out in outputs:
                if isinstance(out, Dual):
                    look(out)

        found = Comparisons(final=True, undefined=True)
        self.on_series(series_arguments(self, directions), found, Watch(at))

    def not_finite(self) -> str:
        """Name the first operation that is not finite at the point, with the caller's line."""
        eqns: list[Any] = []

        def look(eqn: Any, operands: list[Any], outputs: list[Any]) -> None:
            if nan_in(outputs) > nan_in(operands):
                eqns.append(eqn)

        along, found = balls.exact(np.ones((1, self.size))), Comparisons(True, undefined=True)
        self.on_series(series_arguments(self, along), found, Watch(look))
        if not eqns:
            return "a number"
        source = source_of(eqns[0])
        where = f" ({quoted_line(source.file, source.line)})" if source else ""
        return f"`{eqns[0].primitive.name}`{where}"


def moved_by(arguments: Sequence[np.ndarray], some: slice, step: np.ndarray) -> list[np.ndarray]:
    """Return arguments as balls, some of them moved by a vector of all their elements."""
    found = list(arguments)
    for k, part in zip(range(len(found))[some], slices(found[some]), strict=True):
        found[k] = balls.array(found[k] + step[part].reshape(found[k].shape))
    return found


def operations(program: Program) -> float:
    """Count the operations on numbers of a program, by their rules; those of loops once."""
    found = ((RULES.get(eqn.primitive.name), eqn) for eqn in equations(program.jaxpr.jaxpr))
    return sum(rule.cost(eqn) for rule, eqn in found if rule and not rule.structured)


def slopes(
    problem: Problem,
    directions: np.ndarray,
    comparisons: Comparisons,
    arguments: Sequence[np.ndarray] | None = None,
    rounding: Any = None,
) -> tuple[arb, np.ndarray]:
    """Return the loss, and its slope in each of k directions of the parameters, shape (k,).

    Only power series are used, no derivative rule of JAX.

    Args:
        problem: the loss and the point.
        directions: objects, shape (k, size).
        comparisons: how comparisons are decided.
        arguments: parameters and inputs as balls, if not those of the point.
        rounding: perturbs operands and results, if given.

    Raises:
        Exception: whatever code in NumPy raises, which may do what series do not support.
    """
    # The direction that decides ties may be the first of the others, and then is run once.
    same = len(directions) > 1 and all(map(arb.__eq__, directions[0], directions[1]))
    given = series_arguments(problem, directions[same:], arguments)
    loss = problem.on_series(given, comparisons, rounding)
    problem.check_patches(comparisons)
    found = dual.tangents(loss, len(directions) - same)
    if same:
        for where, tie in comparisons.ties.items():
            normal = np.append(tie.normal[:1], tie.normal)
            comparisons.ties[where] = replace(tie, normal=normal)
    return loss.value.item(), np.append(found[:same], found)


def elements(problem: Problem, direction: np.ndarray, comparisons: Comparisons) -> float:
    """Count the operations on numbers of the loss on series in one direction, objects (1, size)."""
    run = _run(problem, problem.traced.loss, comparisons)
    run.closed(problem.traced.loss.jaxpr, series_arguments(problem, direction))
    return run.elements


def further_slopes(
    problem: Problem,
    directions: np.ndarray,
    comparisons: Comparisons,
    further: int,
    arguments: Sequence[np.ndarray] | None = None,
    most: float = np.inf,
) -> tuple[int, np.ndarray]:
    """Return the loss and its slopes, (1 + k,), if loops that approximate go on.

    Args:
        problem: the loss and the point.
        directions: objects, shape (k, size).
        comparisons: how comparisons are decided.
        further: by how many iterations they go on.
        arguments: parameters and inputs as balls, if not those of the point.
        most: the iterations in which each loop ends.

    Raises:
        EndlessLoopError: one does not.

    Returns:
        The number of iterations of the longest such loop, plus 1, and 0 if there is none; then loss
        and slopes in one vector.
    """
    program = problem.traced.loss
    memory, trusted = program.memory, problem.trusted
    run = Run(RULES, comparisons, memory, trusted=trusted, further=further, most=most)
    (loss,) = run.closed(program.jaxpr, series_arguments(problem, directions, arguments))
    both = np.append(balls.boxed([loss.value[()]], (1,)), dual.tangents(loss, len(directions)))
    return run.iterations, both


def series_arguments(
    problem: Problem, directions: np.ndarray, arguments: Sequence[np.ndarray] | None = None
) -> list[Dual]:
    """Return the arguments as series: tangents of parameters are the directions, (k, size).

    In domains these are projected first: P·∇L along d is ∇L along P·d.
    """
    arguments = problem.shifted(arguments)
    if problem.tangent is not None:
        directions = problem.tangent.projected(directions)
    given = [Dual(array) for array in arguments]
    for i, (leaf, part) in enumerate(zip(problem.leaves, slices(problem.leaves), strict=True)):
        tangent = directions[:, part].reshape(len(directions), *leaf.shape)
        given[i] = Dual(arguments[i], tangent)
    return given


def gradient(
    problem: Problem,
    program: Program,
    arguments: Sequence[np.ndarray],
    comparisons: Comparisons,
    rounding: Rounding | None = None,
    constants: Sequence[Any] | None = None,
) -> tuple[arb, np.ndarray]:
    """Return the loss and the gradient, shape (size,), of JAX's program in exact arithmetic.

    In domains the gradient is projected on the tangent space.

    Args:
        problem: the loss and the point.
        program: `problem.traced.gradient` or a variant of it.
        arguments: parameters and inputs as balls; those of the point, or others near it.
        comparisons: how comparisons are decided.
        rounding: perturbs operands and results, if given.
        constants: replacements for the constants in the loss's closure, if given.
    """
    run = _run(problem, program, comparisons, rounding)
    given = [Dual(a) for a in problem.shifted(arguments)]
    if constants is None:
        loss, *leaves = run.closed(program.jaxpr, given)
    else:
        loss, *leaves = run.program(program.jaxpr.jaxpr, constants, given)
    problem.check_patches(comparisons)
    gradient = np.concatenate([leaf.value.reshape(-1) for leaf in leaves])
    if problem.tangent is not None:
        gradient = problem.tangent.projected(gradient)
    return loss.value[()], gradient


def _run(
    problem: Problem,
    program: Program,
    comparisons: Comparisons,
    rounding: Rounding | None = None,
) -> Run:
    literals = meant_literal if program.meant else None
    if rounding is not None:
        literals = partial(_rounded_literal, rounding, literals)
    return Run(RULES, comparisons, program.memory, rounding, problem.trusted, literals)


class Watch(Rounding):
    """Shows somebody each operation of a run."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def after(self, eqn: Any, operands: list[Any], outputs: list[Any]) -> list[Any]:
        """Show the results, and leave them as they are."""
        self.look(eqn, operands, outputs)
        return outputs


def nan_in(numbers: Sequence[Any]) -> int:
    """Return 0 without NaN, 1 with NaN of data, which is exact, and 2 with any other."""
    balls = (b for n in numbers if isinstance(n, Dual) for b in n.value.flat if b.is_nan())
    return max((1 if ball.is_exact() else 2 for ball in balls), default=0)


def _rounded_literal(rounding: Rounding, meant: Any, literal: Any) -> Any:
    found = meant(literal) if meant else None
    return rounding.literal(literal) if found is None else found


def _short(dtype: np.dtype) -> np.dtype | None:
    """Return a dtype if it is a short one, whose constants are rounded to other numbers."""
    return dtype if is_half(dtype) else None


#: Constants in the derivative rules of erf, erfc, erf_inv and cbrt, by their rounded values, which
#: JAX's programs contain.
_MEANT = {
    (_short(dtype), float(np.asarray(sign * rounded, dtype=dtype))): (sign, constant)
    for rounded, constant in (
        (2 / np.sqrt(np.pi), lambda: 2 / arb.const_sqrt_pi()),
        (np.sqrt(np.pi) / 2, lambda: arb.const_sqrt_pi() / 2),
        (1 / 3, lambda: arb(1) / 3),
    )
    for dtype in map(np.dtype, JUDGED)
    for sign in (1, -1)
}


def meant_literal(literal: Any) -> Dual | None:
    """Return the exact constant of JAX's derivative rules that a literal is rounded from."""
    value = np.asarray(literal.val)
    if value.ndim or not is_floating(value.dtype):
        return None
    key = _short(np.dtype(literal.aval.dtype)), float(value)
    if key not in _MEANT:
        return None
    sign, constant = _MEANT[key]
    return Dual(balls.boxed([sign * constant()], ()))


def rounded_constants(program: Program) -> bool:
    """Tell whether a program has literals that `meant_literal` replaces."""
    return any(meant_literal(literal) is not None for literal in literals_of(program))
