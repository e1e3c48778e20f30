"""Both tolerances of a large gradient in floats, to first order.

The runs in balls of `handgrad.tolerance.tolerances` show how far the gradient moves as data move by
half an ulp, or as every result is rounded (`handgrad.tolerance.monte_carlo`). Here a run of JAX's
program carries, beside each number, its change to first order in each of `DRAWS` draws of the same
perturbations. A rounding is added to the change where it arises, so that nothing is as small as the
rounding of the run itself, and no perturbation needs to be amplified.

First order is enough where no comparison falls otherwise and nothing of second order counts. Of
every operation that is not linear it is seen whether its result is where its derivative says, with
changes `FARTHER` times as large, both ways; where numbers are infinite, such as a mask's, they stay
so. Of a product of matrices the second order is the product of the changes, and is held to the same
bounds. A derivative is computed from the numbers of the run, so these must have digits: the result
of the run, which is rounded like any other, shows whether the tolerances explain its own error
(`handgrad.tolerance.tolerances`). If not, nothing is shown.

Not covered are `while` and `cond`, factorisations, whose rounding is that of matrices, and what has
no derivative rule in JAX.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from handgrad.clock import check_time
from handgrad.data.pytrees import is_real, wide
from handgrad.oracle.evaluate import Problem
from handgrad.program.equations import groups, rule_name, walked
from handgrad.program.form import CUSTOM, form_of_operation
from handgrad.program.graph import CALLS
from handgrad.program.interpreter import UncertifiedPrimitiveError, bind, needed
from handgrad.program.programs import Program
from handgrad.program.rule import Rounds
from handgrad.program.rules import RULES
from handgrad.program.rules.control import KNOWN
from handgrad.tolerance.first_order import SCALE
from handgrad.tolerance.linearised_operations import DRAWS, Number, compiled
from handgrad.tolerance.perturbed_numpy import spacings


class Changes(NamedTuple):
    """What a run gives: arrays of loss and elements."""

    result: np.ndarray  #: as floats compute it, (1 + size,)
    changes: np.ndarray  #: the largest change by all draws, (1 + size,)
    holds: bool  #: whether they are numbers, and right to first order


def changes(
    problem: Problem, program: Program, seed: int, draws: int, rounded: bool
) -> Changes | None:
    """Return the changes by other data, or by rounding; None if an operation is not covered.

    Args:
        problem: the loss and the point.
        program: JAX's program of the gradient.
        seed: of the perturbations.
        draws: how many, a multiple of `DRAWS`.
        rounded: whether every result is rounded; else the data are moved by half an ulp.
    """
    rng, arguments = np.random.default_rng([seed, rounded]), [*problem.leaves, *problem.inputs]
    found = []
    try:
        with wide(arguments), np.errstate(all="ignore"):
            for _ in range(draws // DRAWS):
                found.append(run(program.jaxpr, arguments, rng, rounded))
    except (TypeError, ValueError, NotImplementedError, FloatingPointError):
        return None
    largest = np.max([each.changes for each in found], axis=0)
    return Changes(found[0].result, largest, all(each.holds for each in found))


def run(jaxpr: Any, arguments: Sequence[Any], rng: np.random.Generator, rounded: bool) -> Changes:
    """Run a closed jaxpr on numbers with the changes of `DRAWS` draws."""
    this = Run(rng, rounded)
    given = [this.data(array) for array in (*jaxpr.consts, *arguments)]
    n = len(jaxpr.consts)
    outputs = this.program(jaxpr.jaxpr, given[:n], given[n:])
    results = [np.ravel(out.value).astype(np.float64) for out in outputs]
    largest = [
        np.zeros(result.size)
        if out.change is None
        else np.abs(np.asarray(out.change, np.float64)).max(axis=0).reshape(-1) / SCALE
        for out, result in zip(outputs, results, strict=True)
    ]
    found = np.concatenate(largest)
    holds = bool(np.isfinite(found).all()) and all(bool(each) for each in this.holds)
    return Changes(np.concatenate(results), found, holds)


class Run:
    """A run of a program on numbers with their changes."""

    def __init__(self, rng: np.random.Generator, rounded: bool) -> None:
        self._rng, self._rounded = rng, rounded
        self._compiled: dict[int, Callable[..., Any]] = {}  # by the equation, which a loop repeats
        self.holds: list[Any] = []  #: of each operation, whether its changes are of first order

    def data(self, array: Any) -> Number:
        """Return an array of data, and its changes by half an ulp unless this run rounds."""
        if not is_real(array):
            return Number(array)
        array = np.asarray(array)
        signs = self._rng.integers(2, size=(DRAWS, *array.shape)) * 2.0 - 1
        halves = spacings(array) * (0 if self._rounded else SCALE / 2)
        return Number(array, (signs * halves).astype(array.dtype))

    def program(self, jaxpr: Any, consts: Sequence[Number], given: Sequence[Number]) -> list[Any]:
        """Run an open jaxpr."""
        return walked(jaxpr, [*consts, *given], _literal, self._equation, needed(jaxpr))

    def _equation(self, eqn: Any, operands: list[Number]) -> list[Number]:
        check_time()
        name, rule = eqn.primitive.name, RULES.get(eqn.primitive.name)
        if name in CALLS and not (name in CUSTOM and rule_name(eqn) in KNOWN):
            body = eqn.params.get("jaxpr") or eqn.params["call_jaxpr"]
            consts = [Number(c) for c in getattr(body, "consts", ())]
            return self.program(getattr(body, "jaxpr", body), consts, operands)
        if name == "scan":
            return self._scan(eqn, operands)
        if name == "stop_gradient":
            return operands  # it stops a derivative, and no change of data
        if not any(is_real(v.aval) for v in eqn.invars):
            return [*map(Number, bind(eqn, [o.value for o in operands]))]
        if rule is None or rule.structured or rule.rounds is Rounds.ARGUMENTS:
            raise UncertifiedPrimitiveError(name)
        word = np.uint32(self._rng.integers(2**32))
        if id(eqn) not in self._compiled:
            self._compiled[id(eqn)] = compiled(form_of_operation(eqn))
        outputs, holds = self._compiled[id(eqn)](operands, word, self._rounded)
        self.holds.append(holds)
        return outputs

    def _scan(self, eqn: Any, operands: list[Number]) -> list[Number]:
        """Loop over the first axis, as `handgrad.program.rules.control.scan` does."""
        body, (n_consts, n_carry) = eqn.params["jaxpr"], groups(eqn)
        consts, carry = operands[:n_consts], operands[n_consts : n_consts + n_carry]
        rows = [Number(*map(_in_numpy, row)) for row in operands[n_consts + n_carry :]]
        inner, collected = [Number(c) for c in body.consts], []
        steps = range(eqn.params["length"])
        for i in reversed(steps) if eqn.params["reverse"] else steps:
            outputs = self.program(body.jaxpr, inner, [*consts, *carry, *(r.row(i) for r in rows)])
            carry = outputs[:n_carry]
            collected.append(outputs[n_carry:])
        if eqn.params["reverse"]:
            collected.reverse()
        return [*carry, *map(_stacked, zip(*collected, strict=True))]


def _in_numpy(array: Any) -> Any:
    return None if array is None else np.asarray(array)


def _stacked(rows: Sequence[Number]) -> Number:
    changes = [row.change for row in rows]
    together = None if changes[0] is None else np.stack(changes, axis=1)
    return Number(np.stack([row.value for row in rows]), together)


def _literal(literal: Any) -> Number:
    return Number(np.asarray(literal.val, dtype=literal.aval.dtype))
