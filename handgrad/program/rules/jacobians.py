"""The rule of a Jacobian in a program: the function on power series, along each unit vector.

Where the operands change with the parameters, so does the Jacobian: the numbers of the series then
have slopes of their own, one run for each direction (`handgrad.arithmetic.jets`).
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls, dual, jets
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError, at_random, check_smooth
from handgrad.program.complex_numbers.transform import in_reals
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.jacobians import in_jax
from handgrad.program.rule import Rule

#: (how comparisons are decided, operands) -> the result of a function, shape (m,).
Evaluate = Callable[[Comparisons, Sequence[Any]], Dual]


def by_series(evaluate: Evaluate, found: Comparisons, x: Dual, *others: Any) -> Dual:
    """Return the Jacobian of a function by x, shape (m, n).

    Args:
        evaluate: the function.
        found: how comparisons are decided; what ties and does not matter is not recorded there.
        x: the argument, shape (n,).
        others: its further arguments.

    Raises:
        UndecidableKinkError: the function has a kink at x.
        UncertifiedPrimitiveError: some number has a slope of its own already.
    """
    operands = [x, *others]
    if dual.have_slopes(operands):
        raise UncertifiedPrimitiveError("jacobian")
    k = dual.directions(*(o for o in operands if isinstance(o, Dual)))
    if not k:
        value = _along(evaluate, found, operands, None)
        return Dual(value, None if k is None else balls.zeros((0, *value.shape)))
    of_all = [_along(evaluate, found, operands, d) for d in range(k)]
    return Dual(jets.firsts(of_all[0]), np.stack([jets.seconds(each) for each in of_all]))


def _moving(operand: Any, d: int | None, weights: np.ndarray, rows: int) -> Any:
    """Return an operand whose numbers have their slope along one direction of the operands.

    Its first tangent, of so many, is along all of these directions by their weights, if given.
    """
    if not isinstance(operand, Dual) or operand.tangent is None:
        return operand
    value = operand.value if d is None else jets.jets(operand.value, operand.tangent[d])
    if not weights.size:
        return Dual(value)
    first = sum(weight * tangent for weight, tangent in zip(weights, operand.tangent, strict=True))
    return Dual(value, np.stack([first, *balls.zeros((rows - 1, *value.shape))]))


@cache
def _directions(n: int) -> np.ndarray:
    """Return a direction in general position, which decides ties, then the unit vectors."""
    rng = np.random.default_rng(n)
    generic = rng.choice([-1.0, 1.0], n) * rng.uniform(1.0, 2.0, n)
    return balls.exact(np.vstack([generic, np.eye(n)]))


def _along(
    evaluate: Evaluate, found: Comparisons, operands: Sequence[Any], d: int | None
) -> np.ndarray:
    """Return the Jacobian, (m, n), whose numbers have slopes along a direction of the operands.

    Other sides of ties are looked for by steps of x and of all operands.
    """
    n = operands[0].value.size
    along = _directions(n)
    k = dual.directions(*(o for o in operands if isinstance(o, Dual))) or 0

    def run(how: Comparisons, direction: np.ndarray | None = None) -> Dual:
        step = along[0] if direction is None else direction[0]
        x, *others = (_moving(o, d, step[n:], len(along)) for o in operands)
        first = step[:n] if x.tangent is None else step[:n] + x.tangent[0]
        return evaluate(how, [Dual(x.value, np.stack([first, *along[1:]])), *others])

    def rows_of(result: Dual) -> np.ndarray:
        return dual.tangents(result, len(along))[1:]

    start, ties, flat = len(found.decided.made), set(found.ties), set(found.flat)
    once = run(found)
    here = found.for_rerun()
    # As a run of the function alone would number them.
    here.ties = {(i - start, j): t for (i, j), t in found.ties.items() if (i, j) not in ties}
    here.flat = {(i - start, j) for i, j in found.flat - flat}
    if here.ties or here.flat:
        for where in found.ties.keys() - ties:
            del found.ties[where]
        found.flat &= flat

        def both(result: Dual) -> tuple[Any, np.ndarray]:
            """Return a loss that the function would jump with, and all derivatives."""
            values, rows = jets.firsts(result.value.reshape(-1)), rows_of(result).reshape(-1)
            weights = balls.exact(at_random(np.random.default_rng(values.size), values.size))
            return (weights * values).sum(), np.concatenate([jets.firsts(rows), jets.seconds(rows)])

        try:
            check_smooth(lambda *how: both(run(*how)), here, both(once), n + k)
        except UndecidableKinkError:
            raise UndecidableKinkError("a kink or jump, which a Jacobian has no value at") from None
    return rows_of(once).T


def jacobian(run: Run, eqn: Any, x: Dual, *others: Any) -> Dual:
    """Return the Jacobian by series; rounded as JAX computes it in a run that imitates that."""
    exactly = run if run.rounding is None else run.deciding(run.comparisons)

    def evaluate(how: Comparisons, operands: Sequence[Any]) -> Dual:
        there = exactly if how is run.comparisons else run.deciding(how)
        return there.closed(eqn.params["jaxpr"], operands)[0]

    found = by_series(evaluate, run.comparisons, x, *others)
    if run.rounding is None:
        return found
    return found + _deviation(run, eqn, [x, *others])


def _deviation(run: Run, eqn: Any, operands: Sequence[Any]) -> Dual:
    """Return how far rounding leads JAX's operations; where these are wrong is no part of it."""

    def traced() -> Any:
        with jax.enable_x64(True):
            return in_reals(in_jax(eqn))

    program = run.once(("in JAX", id(eqn)), traced)
    first = Comparisons(final=True, undefined=True)
    (exact,) = run.deciding(first).closed(program, operands)
    again = Comparisons(final=True, undefined=True, frozen=first.decided)
    there = Run(run.rules, again, run.memory, run.rounding, run.trusted, run.literals)
    return there.closed(program, operands)[0] - exact


RULES: dict[str, Rule] = {"jacobian": Rule(jacobian, structured=True)}
