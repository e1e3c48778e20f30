"""Estimate the changes of a large gradient with half an ulp of the data, without balls.

A run of the gradient program in balls takes a hundred times longer than one in floats, and the
sharp tolerance takes up to four. To first order a change is a derivative of the gradient along the
perturbation, which JAX computes in floats. The root mean square over `DRAWS` perturbations is two
thirds of the largest of four, on average, and unlike that it is small by chance for none of
100,000 elements: what lies within it is right, and all else is measured.

Where floats lose the digits of an element they lose those of the estimate, too (in the models, only
where σ(1 - σ) or 1 - tanh² are written so and saturate), so that no more of it counts than `MOST`.
"""

from collections.abc import Iterator
from functools import reduce

import numpy as np

from handgrad.data.pytrees import is_real, wide
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.equations import equations, of_jax
from handgrad.program.form import CUSTOM, may_be_compiled
from handgrad.program.programs import Program
from handgrad.tolerance.perturbed_numpy import spacings

#: So many that the root mean square is below a third of its expectation once in a million.
DRAWS = 16

#: The most half ulps of an element that count as its change. `tolerances.SHARP` such changes are
#: 7e-9 of it in float64, less than any mistake in a formula.
MOST = 2.0**20

#: The operations on numbers of a gradient program from which on it is compiled for an estimate:
#: that takes about as long as the runs in balls that it saves.
LARGE = 100_000

#: About how many operations the derivative of one has, itself included.
DERIVED = 3

#: The perturbations are multiplied by this, so that none of their products underflows.
SCALE = 2.0**52


def estimate(problem: Problem, reference: Reference, seed: int) -> np.ndarray | None:
    """Return the root mean square of the changes of the loss and each element, (1 + size,).

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        seed: of the perturbations.

    Returns:
        None where there is none: there is no time to compile it, the program is small, not in
        float64, or another than JAX's, or JAX cannot differentiate it again, or only by a custom
        rule of the caller, which is right or wrong whatever the first derivative is.
    """
    program = covered(problem, reference) or _forwards(problem, reference)
    if program is None or not may_be_compiled(program.jaxpr.jaxpr, DERIVED):
        return None
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is no estimate
            # np.hypot sums squares without underflow.
            total = reduce(np.hypot, _changes(problem, program, seed))
    except (TypeError, ValueError, NotImplementedError, FloatingPointError):
        # An operation has no such rule, or JAX was told to raise where it would return NaN.
        return None
    estimate = total / np.sqrt(DRAWS) / SCALE
    return estimate if np.isfinite(estimate).all() else None


def covered(problem: Problem, reference: Reference) -> Program | None:
    """Return JAX's gradient program if it is large and floats may show how its results change."""
    program = problem.traced.gradient
    if program is None or reference.program is not program:
        return None
    return program if _may_be_estimated(program, problem, reference) else None


def _forwards(problem: Problem, reference: Reference) -> Program | None:
    """Return the loss and its slopes along random directions as JAX computes them forwards.

    Nobody has held this program to the loss; but a wrong one could add little, see `MOST`.
    """
    loss = problem.traced.loss
    if not problem.generic or not _may_be_estimated(loss, problem, reference):
        return None
    if "forwards" not in loss.memory:
        loss.memory["forwards"] = loss.with_slopes(len(problem.leaves))
    return loss.memory["forwards"]


def _may_be_estimated(program: Program, problem: Problem, reference: Reference) -> bool:
    in_float64 = all(leaf.dtype == np.float64 for leaf in problem.leaves)
    if problem.tangent is not None:
        return False  # what is projected has lost what is large, and with that floats their digits
    large = evaluate.operations(program) >= LARGE
    return reference.kink is None and in_float64 and large and not _by_custom_rules(program)


def _by_custom_rules(program: Program) -> bool:
    """Tell whether the caller wrote a rule for how some function in a program changes."""
    calls = (eqn for eqn in equations(program.jaxpr.jaxpr) if eqn.primitive.name in CUSTOM)
    return not all(map(of_jax, calls))


def _changes(problem: Problem, program: Program, seed: int) -> Iterator[np.ndarray]:
    """Yield the changes of loss and elements by each draw, times `SCALE`, (1 + size,)."""
    rng, given = np.random.default_rng(seed), [*problem.leaves, *problem.inputs]
    with wide(given):
        for _ in range(DRAWS):
            around = [_moves(array, rng) for array in given]
            constants = [_moves(c, rng) for c in program.jaxpr.consts if is_real(c)]
            changes = program.differential(given, around, constants)
            flat = [np.asarray(change, dtype=np.float64).reshape(-1) for change in changes]
            yield np.concatenate(flat)


def _moves(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a perturbation of half an ulp, times `SCALE`, in the dtype of the array."""
    array = np.asarray(array)
    signs = rng.choice([-1.0, 1.0], size=array.shape)
    return (signs * (spacings(array) * (SCALE / 2))).astype(array.dtype)
