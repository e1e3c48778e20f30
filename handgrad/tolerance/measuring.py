"""Measure the tolerances of a loss that JAX traces; see `handgrad.tolerance.tolerances`."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.pytrees import is_real
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.random_directions import (
    BLOCK,
    deciding_and_units,
    generic_and_units,
    with_units,
)
from handgrad.oracle.reference import Reference
from handgrad.program.interpreter import UncertifiedPrimitiveError
from handgrad.tolerance import first_order, linearised, stated
from handgrad.tolerance.around import OfProgram, OnSeries
from handgrad.tolerance.monte_carlo import MonteCarlo
from handgrad.tolerance.runs import BITS, LOOSE_DRAWS, SHARP_DRAWS, half_ulps
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
    own = _own(problem, reference)
    estimate = partial(first_order.estimate, problem, reference, seed)
    draws = _draws(problem, reference, rng, own)
    program_in_balls = own and own.base[1:]
    if short:
        by_rounding = stated.Measuring(problem, reference, own, seed)
        rest = partial(_in_full, problem, reference, rng, own, by_rounding)
        draws = draws if _stand_for_others(problem) else ()
        return Tolerances(
            problem, reference, draws, rest, program_in_balls, stated=lambda: by_rounding.sharp
        )
    rest = partial(_in_full, problem, reference, rng, own, None)
    floats = partial(_in_floats, problem, reference, seed, own)
    return Tolerances(problem, reference, draws, rest, program_in_balls, estimate, floats)


def in_arithmetic(problem: Problem, reference: Reference, seed: int) -> stated.Stated:
    """Return what rounding in the arithmetic of a problem explains, whatever it was judged by."""
    return stated.Measuring(problem, reference, _own(problem, reference), seed).sharp


def _own(problem: Problem, reference: Reference) -> OfProgram | None:
    """Return runs of JAX's gradient program around the point; None if it has none."""
    program = problem.traced.gradient
    if program is None:
        return None
    here = reference.run if reference.program is program else None
    with balls.precision(max(BITS, reference.bits)):
        return OfProgram(problem, program, here)


def _stand_for_others(problem: Problem) -> bool:
    """Tell whether some array is in no short format, so that its data may be half an ulp away."""
    arrays = (*problem.leaves, *problem.inputs, *filter(is_real, problem.traced.loss.jaxpr.consts))
    return not all(formats.is_half(array.dtype) for array in arrays)


def _in_floats(
    problem: Problem,
    reference: Reference,
    seed: int,
    own: OfProgram | None,
    changes: np.ndarray,
) -> Tolerance | None:
    """Compute both tolerances in floats, given the estimated changes; None if they do not show.

    The result of the run itself must be as right as the tolerances say, so that it is of the same
    rounding, and have some of its digits: a change that is computed from others may be anything.
    """
    program = first_order.covered(problem, reference)
    if program is None or own is None:
        return None
    moved = linearised.changes(problem, program, seed, SHARP_DRAWS, rounded=False)
    if moved is None or not moved.holds:
        return None
    rounded = linearised.changes(problem, program, seed, LOOSE_DRAWS, rounded=True)
    if rounded is None or not rounded.holds:
        return None
    exact, changes = own.base, np.fmax(changes, moved.changes)
    with balls.precision(max(BITS, reference.bits)):
        unit = changes + half_ulps(problem, reference)(changes)
        off = balls.magnitudes(balls.exact(rounded.result) - exact)
        if not (off <= np.fmin(LOOSE * rounded.changes, first_order.MOST * unit)).all():
            return None
        none = np.zeros(1 + problem.size)
        return tolerance(reference, unit, rounded.changes, none, exact[1:])


def _in_full(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    own: OfProgram | None,
    by_rounding: stated.Measuring | None,
    changes: np.ndarray,
) -> Tolerance:
    """Compute both tolerances, given the changes by all draws and JAX's gradient program."""
    rng = deepcopy(rng)  # the same if this is broken off
    with balls.precision(max(BITS, reference.bits)):
        if reference.kink is not None:
            # The gradient may be that of any side.
            for direction in reference.kink.directions:
                beyond = OnSeries(problem, with_units(direction))
                changes = np.fmax.reduce([changes, *(beyond.draw(rng) for _ in range(SHARP_DRAWS))])
        unit = changes + half_ulps(problem, reference)(changes)
        if own is None:
            # There is nothing to perturb; a rerun of the caller's code may still show lost digits.
            none = np.zeros(1 + problem.size)
            found = tolerance(reference, unit, none, none, reference.gradient)
            return replace(found, stated=by_rounding and by_rounding.sharp)
        base = own.base
        if by_rounding is not None:
            explained = by_rounding.full
            jumps = own.jumps(LOOSE_DRAWS)
            loose = np.append(explained.loose_of_loss, explained.loose) / LOOSE
            jumps = np.where(np.isfinite(jumps), jumps, 0.0)
            return replace(tolerance(reference, unit, loose, jumps, base[1:]), stated=explained)
        # If JAX's program does not give a finite number, its rounding is no measure.
        finite = np.isfinite(balls.magnitudes(base))
        try:
            loose = np.where(finite, own.deviations(MonteCarlo(rng)), 0.0)
        except UncertifiedPrimitiveError:  # nor may it be, of an operation without a rule for it
            loose = np.zeros(base.size)
        jumps = np.where(finite, own.jumps(), 0.0)
    return tolerance(reference, unit, loose, jumps, base[1:])


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
            changes = np.fmax(changes, OnSeries(problem, directions, block).draw(rng))
        unit = changes + half_ulps(problem, reference)(changes)
    none, anything = np.zeros(problem.size), np.full(problem.size, np.inf)
    if short:  # nor for what rounding in short formats explains
        unit = np.full_like(unit, np.inf)
    return Tolerance(unit[1:], none, unit[0], 0.0, reference.gradient, anything)


def _draws(
    problem: Problem,
    reference: Reference,
    rng: np.random.Generator,
    own: OfProgram | None,
) -> Iterable[np.ndarray]:
    """Return the changes of the loss and of every element, shape (1 + size,), by each draw.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        rng: draws the perturbations.
        own: runs of JAX's gradient program around the point, if it has one.
    """
    program = reference.program
    if program is None and problem.size > MOST_BY_SERIES:
        return ()

    @cache
    def around() -> OnSeries:
        if program is None:
            return OnSeries(problem, deciding_and_units(problem))
        return own if own and own.program is program else OfProgram(problem, program)

    return Draws(rng, max(BITS, reference.bits), lambda: around().draw(rng))
