"""Measure the tolerances of a loss that JAX traces; see `handgrad.tolerance.tolerances`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Decisions
from handgrad.data import formats
from handgrad.data.pytrees import is_real
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import (
    BLOCK,
    deciding_and_units,
    generic_and_units,
    with_units,
)
from handgrad.oracle.reference import Reference
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.program.programs import Program
from handgrad.tolerance import first_order, stated
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.runs import (
    BITS,
    LOOSE_DRAWS,
    SHARP_DRAWS,
    furthest,
    half_an_ulp_away,
    half_ulps,
    in_one,
    near,
    run,
)
from handgrad.tolerance.tolerances import (
    LOOSE,
    Draws,
    Tolerance,
    Tolerances,
    of_limit,
    tolerance,
)

#: The most parameters for which changes are computed by series if no program has the gradient: each
#: draw costs one direction per parameter. With more, a unit is half an ulp.
MOST_BY_SERIES = 400


def measure(problem: Problem, reference: Reference, seed: int) -> Tolerances:
    """Compute the two tolerances at a point.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        seed: of the random draws.

    Raises:
        UncertifiedPrimitiveError: JAX's gradient program has an operation without a rule.
    """
    problem = reference.problem or problem
    if problem.shift is not None:
        draws = _draws(problem, reference, np.random.default_rng(seed), None)
        return Tolerances(problem, reference, draws, partial(of_limit, problem, reference))
    rng = np.random.default_rng(seed)
    short = stated.applies(problem)
    if not reference.known.all():
        whole = partial(_of_known_elements, problem, reference, rng, short)
        return Tolerances(problem, reference, (), lambda _: whole())
    here = _run_here(problem, reference)
    estimate = partial(first_order.estimate, problem, reference, seed)
    draws = _draws(problem, reference, rng, here)
    program_in_balls = here and here[0][1:]
    if short:
        by_rounding = stated.Measuring(problem, reference, here, seed)
        rest = partial(_in_full, problem, reference, rng, here, by_rounding)
        draws = draws if _stand_for_others(problem) else ()
        return Tolerances(
            problem, reference, draws, rest, program_in_balls, stated=lambda: by_rounding.sharp
        )
    rest = partial(_in_full, problem, reference, rng, here, None)
    return Tolerances(problem, reference, draws, rest, program_in_balls, estimate)


def in_arithmetic(problem: Problem, reference: Reference, seed: int) -> stated.Stated:
    """Return what rounding in the arithmetic of a problem explains, whatever it was judged by."""
    return stated.Measuring(problem, reference, _run_here(problem, reference), seed).sharp


def _run_here(problem: Problem, reference: Reference) -> tuple[np.ndarray, Decisions] | None:
    """Return the run of JAX's gradient program at the point; None if it has none."""
    program = problem.traced.gradient
    here = reference.run if reference.program is program else None
    if program is None or here is not None:
        return here
    with balls.precision(max(BITS, reference.bits)):
        return run(problem, program, problem.arguments(), None)


def _stand_for_others(problem: Problem) -> bool:
    """Tell whether some array is in no short format, so that its data may be half an ulp away."""
    arrays = (*problem.leaves, *problem.inputs, *filter(is_real, problem.traced.loss.jaxpr.consts))
    return not all(formats.is_half(array.dtype) for array in arrays)


def _in_full(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    here: tuple[np.ndarray, Decisions] | None,
    by_rounding: stated.Measuring | None,
    changes: np.ndarray,
) -> Tolerance:
    """Compute both tolerances, given the changes by all draws and the run of JAX's program."""
    program, rng = problem.traced.gradient, deepcopy(rng)  # the same if this is broken off
    with balls.precision(max(BITS, reference.bits)):
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = _by_series(problem, rng, with_units(direction))
                changes = np.fmax.reduce([changes, *(beyond() for _ in range(SHARP_DRAWS))])
        unit = changes + half_ulps(problem, reference)(changes)
        if program is None or here is None:
            # There is nothing to perturb; a rerun of the caller's code may still show lost digits.
            none = np.zeros(1 + problem.size)
            found = tolerance(reference, unit, none, none, reference.gradient)
            return replace(found, stated=by_rounding and by_rounding.sharp)
        base, decisions = here
        if by_rounding is not None:
            explained = by_rounding.full
            jumps = furthest(base, _otherwise(problem, program, decisions.others[:LOOSE_DRAWS]))
            loose = np.append(explained.loose_of_loss, explained.loose) / LOOSE
            jumps = np.where(np.isfinite(jumps), jumps, 0.0)
            return replace(tolerance(reference, unit, loose, jumps, base[1:]), stated=explained)
        moved = (
            run(problem, program, problem.arguments(), decisions, MonteCarlo(rng))[0]
            for _ in range(LOOSE_DRAWS)
        )
        # If JAX's program does not give a finite number, its rounding is no measure.
        finite = np.isfinite(balls.magnitudes(base))
        try:
            loose = np.where(finite, furthest(base, moved), 0.0)
        except UncertifiedPrimitiveError:  # nor may it be, of an operation without a rule for it
            loose = np.zeros(base.size)
        otherwise = _otherwise(problem, program, decisions.others)
        jumps = np.where(finite, furthest(base, otherwise), 0.0)
    return tolerance(reference, unit, loose, jumps, base[1:])


def _otherwise(
    problem: Problem, program: Program, others: Sequence[dict[int, np.ndarray]]
) -> Iterator[np.ndarray]:
    """Yield loss and gradient with other decisions."""
    for other in others:
        yield run(problem, program, problem.arguments(), None, instead=other)[0]


def _of_known_elements(
    problem: Problem, reference: Reference, rng: np.random.Generator, short: bool
) -> Tolerance:
    """Compute the sharp tolerance of the known elements; for the loose one there is no time.

    So what lies beyond it is not known to be more than rounding, unless a rerun shows that.
    """
    chosen, rng = np.flatnonzero(reference.known), deepcopy(rng)
    with balls.precision(max(BITS, reference.bits)):
        changes = np.zeros(1 + problem.size)
        for block in np.array_split(chosen, -(-chosen.size // BLOCK)):
            directions = generic_and_units(rng, problem.size, block)
            changes[np.append(0, 1 + block)] = _by_series(problem, rng, directions)()
        unit = changes + half_ulps(problem, reference)(changes)
    none, anything = np.zeros(problem.size), np.full(problem.size, np.inf)
    if short:  # nor for what rounding in short formats explains
        unit = np.full_like(unit, np.inf)
    return Tolerance(unit[1:], none, unit[0], 0.0, reference.gradient, anything)


def _draws(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    here: tuple[np.ndarray, Decisions] | None,
) -> Iterable[np.ndarray]:
    """Return the changes of the loss and of every element, shape (1 + size,), by each draw.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        rng: draws the perturbations.
        here: the run of JAX's gradient program at the point, if it has one.
    """
    bits, program = max(BITS, reference.bits), reference.program
    if program is not None:
        known = here if program is problem.traced.gradient else None
        here_or_new = cache(lambda: known or run(problem, program, problem.arguments(), None))
        return Draws(rng, bits, lambda: _changes_by_program(problem, program, rng, here_or_new()))
    if problem.size <= MOST_BY_SERIES:
        return Draws(rng, bits, _by_series(problem, rng, deciding_and_units(problem)))
    return ()


def _changes_by_program(
    problem: Problem, program: Program, rng: Any, here: tuple[np.ndarray, Decisions]
) -> np.ndarray:
    """Return the changes of a gradient by its program; infinite if that breaks down."""
    base, decisions = here
    around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
    constants = [near(constant, rng) for constant in program.jaxpr.consts]
    try:
        moved, _ = run(problem, program, around, decisions, constants=constants)
    except UncertifiedPrimitiveError:  # a rule that other numbers are beyond
        return np.full(base.size, np.inf)
    return furthest(base, [moved])


def _by_series(problem: Problem, rng: Any, directions: np.ndarray) -> Callable[[], np.ndarray]:
    """Return what draws by series of the loss, on the side of its ties of the first direction."""

    @cache
    def here() -> tuple[np.ndarray, Decisions]:
        found = Comparisons(final=True, undefined=True)
        return in_one(*evaluate.slopes(problem, directions, found)), found.decided

    def changes() -> np.ndarray:
        base, decisions = here()
        around = half_an_ulp_away((*problem.leaves, *problem.inputs), rng)
        frozen = Comparisons(final=True, undefined=True, frozen=decisions)
        return furthest(base, [in_one(*evaluate.slopes(problem, directions, frozen, around))])

    return changes
