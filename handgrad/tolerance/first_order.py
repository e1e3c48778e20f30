"""Estimate the changes of a large gradient with half an ulp of the data, without balls.

A run of the gradient program in balls takes a hundred times longer than one in floats, and the
sharp tolerance takes up to four. To first order the change is a derivative of the gradient along
the perturbation, which JAX computes in floats. The perturbations are those of the runs in balls, so
that `SHARE` of the estimate lies within what these would show, and what lies within that is right.
Where floats lose the digits of an element they lose those of the estimate, too (in the models, only
where σ(1 - σ) or 1 - tanh² are written so and saturate), so that no more of it counts than `MOST`.
All else is measured in balls.
"""

from collections.abc import Iterator

import numpy as np

from handgrad.data.pytrees import is_real, wide
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.reference import Reference
from handgrad.program.trace import Program
from handgrad.tolerance.perturbed_numpy import spacings

#: The share of the estimate that counts: it may be off in its second digit.
SHARE = 0.9

#: The most half ulps of an element that count as its change. With `tolerances.SHARP` of them, 6e-11
#: of it in float64, far less than any mistake in a formula.
MOST = 2.0**13

#: The operations on numbers of a gradient program from which on it is compiled for an estimate:
#: that takes about as long as the runs in balls that it saves.
LARGE = 100_000

#: The perturbations are multiplied by this, so that none of their products underflows.
SCALE = 2.0**52


def estimate(
    problem: Problem, reference: Reference, draws: int, rng: np.random.Generator
) -> np.ndarray | None:
    """Return a share of the largest changes of the loss and each element, shape (1 + size,).

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        draws: of how many draws the changes are the largest.
        rng: draws the perturbations, as `handgrad.tolerance.tolerances` does.

    Returns:
        None where there is none: the program is small, another than JAX's, or JAX cannot
        differentiate it again.
    """
    program = problem.traced.gradient
    if program is None or reference.program is not program or reference.kink is not None:
        return None
    if evaluate.operations(program) < LARGE:
        return None
    largest = np.zeros(1 + problem.size)
    try:
        for changes in _changes(problem, program, draws, rng):
            largest = np.fmax(largest, np.abs(changes))
    except (TypeError, ValueError, NotImplementedError):  # of operations without such a rule
        return None
    return SHARE / SCALE * largest if np.isfinite(largest).all() else None


def _changes(
    problem: Problem, program: Program, draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    given = [*problem.leaves, *problem.inputs]
    with wide(given):
        for _ in range(draws):
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
