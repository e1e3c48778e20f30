"""Interpret a traced program on series of balls, equation by equation.

A traced program is a list of primitive operations on arrays. Real arrays are `Dual`; all others
(indices, labels, masks, random keys) stay plain arrays. An equation without real numbers is run by
JAX or NumPy.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core as jex

from handgrad.arithmetic import dual
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.clock import check_time
from handgrad.program.equations import results_by_jax, walked
from handgrad.program.plain import IN_NUMPY
from handgrad.program.rule import Rule


class UncertifiedPrimitiveError(NotImplementedError):
    """The program has an operation that the table of rules does not cover; `what` says which."""

    def __init__(self, name: str, what: str = "") -> None:
        self.name, self.what = name, what or f"`{name}`"
        super().__init__(f"there is no rule for {self.what}")


class EndlessLoopError(ArithmeticError):
    """A loop has not ended in as many iterations as it may take."""


class Rounding:
    """Perturbs the numbers of a run, to imitate rounding; this one leaves them as they are."""

    def literal(self, literal: Any) -> Any:
        """Return a constant of the code perturbed; None if it is exact."""

    def before(self, eqn: Any, operands: list[Any]) -> list[Any]:  # noqa: ARG002
        """Perturb the operands of an operation."""
        return operands

    def after(self, eqn: Any, operands: list[Any], outputs: list[Any]) -> list[Any]:  # noqa: ARG002
        """Perturb the results of an operation."""
        return outputs


class Run:
    """One run of a program: its rules, its comparisons, and a cache shared between runs."""

    def __init__(
        self,
        rules: dict[str, Rule],
        comparisons: Comparisons,
        memory: dict[Any, Any],
        rounding: Rounding | None = None,
        trusted: frozenset[str] = frozenset(),
        literals: Callable[[Any], Any] | None = None,
        further: int = 0,
        most: float = np.inf,
    ) -> None:
        self.rules = rules
        self.comparisons = comparisons
        self.memory = memory  # a cache of what depends on no real number: indices, constants
        self.rounding = rounding
        self.trusted = trusted  # names of custom rules to use
        self.literals = literals  # returns the exact constant of a rounded literal, or None
        self.elements = 0.0  # a count of operations on numbers
        self.further = further  # how many iterations a loop that approximates goes on
        self.most = most  # of how many iterations a loop ends, or else raises
        self.iterations = 0  # of the longest such loop, and one more; 0 if there is none

    def deciding(self, comparisons: Comparisons) -> "Run":
        """Return a run of the same program that decides comparisons in another way."""
        return Run(self.rules, comparisons, self.memory, None, self.trusted, self.literals)

    def approximates(self, iterations: int) -> None:
        """Record that an iteration stopped at a tolerance, after so many steps."""
        self.iterations = max(self.iterations, iterations + 1)

    def closed(self, program: Any, operands: Sequence[Any]) -> list[Any]:
        """Run a closed jaxpr; its constants depend on no parameter."""
        consts = self.once(("constants", id(program)), lambda: [*map(number, program.consts)])
        return self.program(program.jaxpr, consts, operands)

    def once(self, key: Any, work: Callable[[], Any]) -> Any:
        """Return the result of `work`, cached by the key."""
        if key not in self.memory:
            self.memory[key] = work()
        return self.memory[key]

    def program(self, jaxpr: Any, consts: Sequence[Any], operands: Sequence[Any]) -> list[Any]:
        """Run an open jaxpr."""
        eqns = self.once(("needed", id(jaxpr)), lambda: needed(jaxpr))
        return walked(jaxpr, [*consts, *operands], self.literal, self.equation, eqns)

    def equation(self, eqn: Any, operands: list[Any]) -> list[Any]:
        """Run an equation, by its rule if it has real numbers."""
        check_time()
        name = eqn.primitive.name
        real = any(isinstance(operand, Dual) for operand in operands)
        rule = self.rules.get(name)
        if rule is None and real:
            raise UncertifiedPrimitiveError(name)
        # The body of a structured operation may use real numbers even if its operands are not.
        if rule is None or not (real or rule.structured):
            return self.by_jax(eqn, operands)
        if self.rounding:
            operands = self.rounding.before(eqn, operands)
        if not rule.structured:  # the equations of the body are counted one by one
            self.elements += self.once(("elements", id(eqn)), lambda: rule.cost(eqn))
        try:
            outputs = rule(self, eqn, *operands)
        except (AttributeError, TypeError) as error:
            # FLINT does not know numbers that have a slope of their own.
            if dual.have_slopes(operands):
                raise UncertifiedPrimitiveError(name, f"`{name}`, differentiated twice") from error
            raise
        outputs = outputs if isinstance(outputs, list) else [outputs]
        return self.rounding.after(eqn, operands, outputs) if self.rounding else outputs

    def by_jax(self, eqn: Any, operands: list[Any]) -> list[Any]:
        """Run an equation without real numbers by JAX or NumPy; cached between runs."""
        return self.remembered(eqn, operands, lambda: [number(out) for out in bind(eqn, operands)])

    def remembered(self, eqn: Any, operands: list[Any], work: Callable[[], Any]) -> Any:
        """Return the result of `work`, cached by the equation and its plain operands."""
        plain = [o for o in operands if not isinstance(o, Dual)]
        if not all(isinstance(o, np.ndarray) for o in plain):
            return work()
        return self.once((id(eqn), *((o.shape, o.dtype.str, o.tobytes()) for o in plain)), work)

    def literal(self, literal: Any) -> Any:
        """Return the value of a literal."""
        if self.literals and (meant := self.literals(literal)) is not None:
            return meant
        return self.once(
            ("literal", id(literal)),
            lambda: number(np.asarray(literal.val, dtype=literal.aval.dtype)),
        )


def needed(jaxpr: Any) -> list[Any]:
    """Return the equations that some output depends on."""
    wanted = {v for v in jaxpr.outvars if not isinstance(v, jex.Literal)}
    found = []
    for eqn in reversed(jaxpr.eqns):
        if not wanted.isdisjoint(eqn.outvars):
            found.append(eqn)
            wanted.update(v for v in eqn.invars if not isinstance(v, jex.Literal))
    return found[::-1]


def dependent(jaxpr: Any, given: Sequence[bool]) -> list[bool]:
    """Tell which outputs depend on inputs that are given as True, be it by a choice alone."""

    def results_of(eqn: Any, operands: list[bool]) -> list[bool]:
        if not any(operands):
            return [False] * len(eqn.outvars)
        inner = [getattr(p, "jaxpr", p) for p in eqn.params.values() if hasattr(p, "eqns")]
        fits = len(inner) == 1 and len(inner[0].invars) == len(operands)
        if fits and len(inner[0].outvars) == len(eqn.outvars) and eqn.primitive.name != "scan":
            return dependent(inner[0], operands)
        return [True] * len(eqn.outvars)

    return walked(jaxpr, [*[False] * len(jaxpr.constvars), *given], lambda _: False, results_of)


def number(value: Any) -> Any:
    """Convert a constant of a program: floats to `Dual`, keys unchanged, the rest to NumPy."""
    if jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        return value
    if jax.numpy.issubdtype(value.dtype, np.floating):
        return dual.constant(value)
    return np.asarray(value)


def bind(eqn: Any, operands: list[Any], **changes: Any) -> list[Any]:
    """Run one equation on arrays: in NumPy where it has the operation, else in JAX."""
    name, parameters = eqn.primitive.name, {**eqn.params, **changes}
    if name in IN_NUMPY and all(isinstance(o, np.ndarray) for o in operands):
        outputs = IN_NUMPY[name](*operands, parameters)
        return outputs if isinstance(outputs, list) else [outputs]
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return results_by_jax(eqn, operands, **changes)
