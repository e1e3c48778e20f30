"""Certify the gradient of a loss at a point: enclose every element, or raise a reason why not.

With few parameters the loss is evaluated on power series, one direction for each parameter. With
many, JAX's own gradient program is evaluated in balls, which gives every element at once, and is
verified by series in random directions. The directions are scaled so that a relative error of any
element shows equally.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Decisions, PatchedError
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.clock import Clock, OutOfTimeError, limited, time_in_all, time_left
from handgrad.oracle import evaluate
from handgrad.oracle.beside import beside
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.kink_search import KinkSearch
from handgrad.oracle.random_directions import (
    UNSEEN,
    by_program,
    by_sample,
    candidates,
    deciding_and_units,
    generic_direction,
    with_units,
)
from handgrad.oracle.reference import (
    BITS,
    NotFiniteError,
    Reference,
    UndecidableError,
    at_first_precision,
    check_good,
    comparisons_at,
    element_scale,
)
from handgrad.program.programs import Program, custom_rules

#: Every element is certified by series up to SMALL parameters, or if all directions together take
#: no more than QUICK operations on numbers (about 3 ms, twice what a gradient program takes). This
#: is a count and not a clock, since the two methods print different digits.
SMALL, QUICK = 24, 50_000

#: The key of the cost of a point, in the memory of the program of the loss.
PROBED = "probed"

#: The cost of one direction among many, relative to that of one alone.
AMONG_MANY = 1 / 4

#: The cost of a point in evaluations of the loss on series in one direction: the gradient program,
#: its verification, and tolerances that decide soon. If all has to be measured, it takes up to 80.
RUNS = 10

#: A slow first evaluation is repeated unless that takes more than this part of a limit.
AGAIN = 1 / 8

#: About how long a point may take where no limit is set; with less time only a sample of elements
#: is certified.
SECONDS = 60.0

#: The part of a limit that is left for the whole gradient before a sample is certified instead.
FOR_ALL = 3 / 4


#: (problem, method, bits, seconds) -> the reference at this precision.
Attempt = Callable[[Any, str, int, float], Reference]


def certify(
    problem: Problem,
    method: str = "auto",
    seconds: float | None = None,
    at_precision: Attempt | None = None,
) -> Reference:
    """Return the reference gradient.

    Args:
        problem: the loss and the point.
        method: "auto", "series" (every element by series), or "program" (verified by series).
        seconds: about how long a point may take, by default as long as the limit that is set. If
            that is too short for the whole gradient, a sample of elements is certified, and the
            others stay unknown.
        at_precision: certifies what is no program of JAX's.

    Raises:
        OutOfTimeError: the limit was too short for a single element.
        UndecidableError: no enclosure at the highest precision, too many ties, a jump.
        UncertifiedPrimitiveError: an operation without a rule.
    """
    seconds = time_in_all(SECONDS) if seconds is None else seconds

    def attempt(bits: int) -> Reference | None:
        reference = (at_precision or _attempt)(problem, method, bits, seconds)
        known = reference.known.any() or not problem.size
        return _with_trust(problem, reference) if known else None

    try:
        return at_first_precision(attempt, problem)
    except (PatchedError, NotFiniteError) as error:
        if problem.settled or problem.shift is not None:
            raise
        there = partial(certify, method=method, seconds=seconds, at_precision=at_precision)
        return beside(problem, error, there)


def _with_trust(problem: Problem, reference: Reference) -> Reference:
    """Take JAX's gradient if a trusted rule is not linear (clipping), and so no derivative."""
    program = problem.traced.gradient
    trusted = problem.trusted.intersection(custom_rules(problem.traced.loss))
    if not trusted or program is None or reference.kink is not None:
        return reference
    if reference.program is not None and reference.program.jaxpr is program.jaxpr:
        return reference
    loss, gradient = evaluate.gradient(
        problem, program, problem.arguments(), comparisons_at(BITS[-1])
    )
    how = (
        "not certified: JAX's gradient program in ball arithmetic, as a trusted rule is not linear"
    )
    changes = {"loss": loss, "gradient": gradient, "program": program, "run": None, "how": how}
    return replace(reference, **changes, certified=False)


def _attempt(problem: Problem, method: str, bits: int, seconds: float) -> Reference:
    if problem.linear and problem.traced.gradient is not None:
        return _by_coefficients(problem, problem.traced.gradient, bits)
    if method == "series" or (method == "auto" and problem.size <= SMALL):
        return by_series(problem, bits)
    # What the first point took, the others take.
    memory, probed = problem.traced.loss.memory, (PROBED, bits)
    if probed not in memory:
        memory[probed] = _probed(problem, bits)
    elements, took = memory[probed]
    if method == "auto" and elements * problem.size <= QUICK:
        return by_series(problem, bits)
    if took * RUNS > seconds and took < AGAIN * time_left(np.inf):
        # Measured again: in the first run JAX also compiled what depends on no real number.
        _, took = memory[probed] = _probed(problem, bits)
    if method == "auto" and took * RUNS > seconds:
        return by_sample(problem, bits, time_left(seconds), took)
    try:
        with limited(FOR_ALL * time_left(np.inf)):
            return by_program(problem, bits, seconds, took)
    except OutOfTimeError:
        return by_sample(problem, bits, time_left(seconds), took)
    except UndecidableKinkError:
        if took * problem.size * AMONG_MANY > seconds:
            raise
        return by_series(problem, bits)


def _by_coefficients(problem: Problem, program: Program, bits: int) -> Reference:
    found = comparisons_at(bits)
    loss, gradient = evaluate.gradient(problem, program, problem.arguments(), found)
    check_good(problem, gradient, loss, bits)
    run = np.append(balls.boxed([loss], (1,)), gradient), found.decided
    known, how = np.ones(problem.size, dtype=bool), "every element by power series"
    return Reference(loss, gradient, known, how, bits, program=program, run=run)


def _probed(problem: Problem, bits: int) -> tuple[float, float]:
    """Return the operations on numbers that one direction takes, and the seconds."""
    direction = generic_direction(np.random.default_rng(bits), problem.size)
    clock = Clock(np.inf)
    elements = evaluate.elements(problem, direction, comparisons_at(bits))
    return elements, clock.spent


def by_series(problem: Problem, bits: int) -> Reference:
    """Certify every element by series, and the gradients on other sides of ties."""
    n = problem.size
    directions = deciding_and_units(problem)
    comparisons = comparisons_at(bits)
    loss, slopes = evaluate.slopes(problem, directions, comparisons)
    gradient = slopes[1:]
    check_good(problem, gradient, loss, bits)

    def rerun(ties: Comparisons) -> tuple[arb, np.ndarray]:
        value, along = evaluate.slopes(problem, directions, ties)
        return value, along[1:]

    def step(direction: np.ndarray) -> tuple[Comparisons, arb, np.ndarray]:
        there = comparisons.for_rerun()
        value, along = evaluate.slopes(problem, with_units(direction), there)
        return there, value, along[1:]

    around = KinkSearch(rerun, step, directions[0], comparisons, loss, gradient).kink()
    if around and comparisons.unproved:
        raise UndecidableError(f"a comparison that cannot be decided at {BITS[-1]} bits matters")
    program, run = (None, None) if around else _program_with(problem, gradient)
    return Reference(
        loss,
        gradient,
        known=np.ones(n, dtype=bool),
        how="every element by power series in ball arithmetic",
        bits=bits,
        program=program,
        kink=around,
        ties=bool(comparisons.ties),
        run=run,
    )


def _program_with(
    problem: Problem, gradient: np.ndarray
) -> tuple[Program | None, tuple[np.ndarray, Decisions] | None]:
    """Return a gradient program of JAX that has this gradient in exact arithmetic, and its run."""
    scale = element_scale(problem, gradient)
    for program in candidates(problem):
        found = comparisons_at(BITS[-1])
        try:
            loss, theirs = evaluate.gradient(problem, program, problem.arguments(), found)
        except NotImplementedError:
            continue
        if (balls.magnitudes(theirs - gradient) <= UNSEEN * scale).all():
            return program, (np.append(balls.boxed([loss], (1,)), theirs), found.decided)
    return None, None
