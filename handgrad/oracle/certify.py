"""The certified gradient of a loss at a point: every element between bounds, or a reason why not.

Few parameters: the loss is evaluated on series, one direction for each parameter. Many: JAX's own
gradient program is evaluated in balls, which gives every element at once, and *held to* series in
random directions. The directions are scaled so that an error of any element, relative to its size,
shows equally.
"""

import time
from dataclasses import replace

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.oracle.kink_search import KnownSide
from handgrad.oracle.random_directions import (
    UNSEEN,
    and_units,
    by_program,
    candidates,
    generic_direction,
    in_part,
    one_and_units,
)
from handgrad.oracle.reference import (
    BITS,
    Reference,
    UndecidableError,
    check_good,
    comparing,
    element_scale,
)
from handgrad.oracle.subgradients import UndecidableKinkError
from handgrad.program.trace import Program, custom_rules

#: Up to so many parameters each gets a direction of its own; beyond, if no more than so many
#: numbers are gone through in all directions together, which takes about a quarter of a second. A
#: count and no clock, since the enclosures of the two ways, and so what is printed, differ.
SMALL, QUICK = 24, 400_000

#: One direction among many costs about so much of one alone.
AMONG_MANY = 1 / 4

#: A point takes about so many times the evaluation of the loss on series in one direction: the
#: gradient program, what it is held to, and the tolerances after it.
RUNS = 50

#: About how long a point may take; beyond, elements are drawn.
SECONDS = 60.0


def certify(problem: Problem, method: str = "auto", seconds: float | None = None) -> Reference:
    """The certified gradient.

    Args:
        problem: the loss and the point.
        method: "auto", "series" (every element by series), or "program" (held to series).
        seconds: about how long a point may take. Where that is not enough for a whole gradient,
            some elements are drawn, and the others stay unknown.

    Raises:
        UndecidableError: no enclosure at the highest precision, too many ties, a jump.
        UncertifiedPrimitiveError: an operation without a rule.
    """
    seconds = SECONDS if seconds is None else seconds
    for bits in BITS:
        try:
            with balls.precision(bits):
                reference = _attempt(problem, method, bits, seconds)
                if reference.known.any() or not problem.size:
                    return _with_trust(problem, reference)
        except MorePrecisionNeededError:
            continue
    raise UndecidableError(f"no enclosure of the gradient at {BITS[-1]} bits")


def _with_trust(problem: Problem, reference: Reference) -> Reference:
    """Trusted rules that are not linear, as clipping, are no derivative: JAX's program is all."""
    program = problem.traced.gradient
    trusted = problem.trusted.intersection(custom_rules(problem.traced.loss))
    held = reference.program is not None and reference.program.jaxpr is program.jaxpr
    if not trusted or held or reference.kink is not None:
        return reference
    loss, gradient = evaluate.gradient(problem, program, problem.arguments(), comparing(BITS[-1]))
    how = (
        "not certified: JAX's gradient program in ball arithmetic, as a trusted rule is not linear"
    )
    return replace(
        reference,
        loss=loss,
        gradient=gradient,
        program=program,
        how=how,
        certified=False,
        kink=None,
    )


def _attempt(problem: Problem, method: str, bits: int, seconds: float) -> Reference:
    if method == "series" or (method == "auto" and problem.size <= SMALL):
        return _by_series(problem, bits)
    elements, took = _probed(problem, bits)
    if method == "auto" and elements * problem.size <= QUICK:
        return _by_series(problem, bits)
    if took * RUNS > seconds:
        # The first run has JAX compile what depends on no real number, too.
        _, took = _probed(problem, bits)
    if method == "auto" and took * RUNS > seconds:
        return in_part(problem, bits, seconds, took)
    try:
        return by_program(problem, bits, seconds, took)
    except UndecidableKinkError:
        if took * problem.size * AMONG_MANY > seconds:
            raise
        return _by_series(problem, bits)


def _probed(problem: Problem, bits: int) -> tuple[float, float]:
    """How many numbers one direction goes through, and how many seconds it takes."""
    direction = generic_direction(np.random.default_rng(bits), problem.size)
    began = time.process_time()  # of this process, whatever else the machine does
    elements = evaluate.elements(problem, direction, comparing(bits))
    return elements, time.process_time() - began


def _by_series(problem: Problem, bits: int) -> Reference:
    n = problem.size
    directions = one_and_units(np.random.default_rng(n), n)
    comparisons = comparing(bits)
    loss, slopes = evaluate.slopes(problem, directions, comparisons)
    gradient = slopes[1:]
    check_good(problem, gradient, loss, bits)

    def sides(otherwise: Comparisons) -> tuple[arb, np.ndarray]:
        value, along = evaluate.slopes(problem, directions, otherwise)
        return value, along[1:]

    def step(direction: np.ndarray) -> tuple[Comparisons, arb, np.ndarray]:
        there = comparisons.otherwise()
        value, along = evaluate.slopes(problem, and_units(direction), there)
        return there, value, along[1:]

    around = KnownSide(sides, step, directions[0], comparisons, loss, gradient).kink()
    if around and comparisons.unproved:
        raise UndecidableError(f"a comparison that cannot be decided at {BITS[-1]} bits matters")
    return Reference(
        loss,
        gradient,
        known=np.ones(n, dtype=bool),
        how="every element by power series in ball arithmetic",
        bits=bits,
        program=None if around else _program_with(problem, gradient),
        kink=around,
    )


def _program_with(problem: Problem, gradient: np.ndarray) -> Program | None:
    """JAX's gradient program, if this is its gradient in exact arithmetic."""
    scale = element_scale(problem, gradient)
    for program in candidates(problem):
        try:
            _, theirs = evaluate.gradient(
                problem, program, problem.arguments(), comparing(BITS[-1])
            )
        except NotImplementedError:
            continue
        if (balls.magnitudes(theirs - gradient) <= UNSEEN * scale).all():
            return program
    return None
