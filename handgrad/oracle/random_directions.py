"""Verify gradient programs by slopes of the loss in random directions.

A gradient program gives every element at once, but trusts JAX's derivative rules. Slopes of the
loss by power series trust none: the program's gradient must have the same slope in every direction.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Decisions, MorePrecisionNeededError
from handgrad.arithmetic.smoothness import check_smooth
from handgrad.clock import OutOfTimeError, limited, time_left
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem, rounded_constants
from handgrad.oracle.reference import (
    BITS,
    Reference,
    check_finite,
    check_good,
    comparisons_at,
)
from handgrad.program.programs import Program, custom_rules

#: The fewest elements to certify by series, unless a limit on time ends before, and how many at
#: once.
FEWEST, BLOCK = 8, 8

#: The cost of an element of a sample in runs: one for the element, two for its tolerance, and as
#: much again for a rerun of the caller's code, if it is off.
RUNS = 6

#: The number of random directions.
DIRECTIONS = 2

#: A relative error above `UNSEEN` in one element of a gradient program is missed in a random
#: direction with probability below 2⁻⁵⁰: whatever the other errors are, this one, times one of 2⁵³
#: random factors 2⁻⁵² apart, would have to fall into an interval of four windows, which contains at
#: most one such product.
UNSEEN = 2.0**-58
WINDOW = 2.0**-114

#: Powers of two whose products with numbers in [1, 2) are floats without rounding.
RANGE = 1000


def by_program(problem: Problem, bits: int, seconds: float, took: float) -> Reference:
    """Return the gradient of the first program that is verified, else a sample of elements."""
    arguments = problem.arguments()
    for program in candidates(problem):
        comparisons = comparisons_at(bits)
        loss, gradient = evaluate.gradient(problem, program, arguments, comparisons)
        if balls.finite(gradient).all() and loss.is_finite():
            scale = check_good(problem, gradient, loss, bits)
            if is_consistent(problem, gradient, scale, bits):
                run = np.append(balls.boxed([loss], (1,)), gradient), comparisons.decided
                return _verified(problem, program, run, scale, bits)
    return by_sample(problem, bits, seconds, took)


def candidates(problem: Problem) -> Iterator[Program]:
    """Yield the gradient programs to try: JAX's own, and that without custom derivative rules."""
    own = problem.traced.gradient
    if own is not None:
        yield own
        if rounded_constants(own):
            # They may be the loss's own constants, which are exact.
            yield replace(own, meant=False)
    if custom_rules(problem.traced.loss) and (plain := _plain(problem)):
        yield plain


def _plain(problem: Problem) -> Program | None:
    """Return the gradient without custom rules; None if JAX cannot differentiate the loss then."""
    try:
        return problem.traced.plain()
    except (ValueError, TypeError, NotImplementedError):
        return None


def is_consistent(problem: Problem, gradient: np.ndarray, scale: np.ndarray, bits: int) -> bool:
    """Tell whether the slopes of the loss in random directions are those of the gradient.

    The directions weight elements of the sizes `scale` equally.

    Raises:
        MorePrecisionNeededError: the slopes are not known well enough.
        UndecidableKinkError: the loss has a kink at the point.
    """
    directions = equalising(problem, scale)
    expected = (directions * gradient).sum(axis=1)
    gaps = slopes_along(problem, directions, bits) - expected
    if any(gap.is_finite() and not gap.contains(0) and not abs(gap) < WINDOW for gap in gaps):
        return False
    if all(gap.is_finite() and float(gap.rad()) < WINDOW for gap in gaps):
        return True
    if bits == BITS[-1]:
        return False
    raise MorePrecisionNeededError


def slopes_along(problem: Problem, directions: np.ndarray, bits: int) -> np.ndarray:
    """Return the slopes in the directions of `equalising`.

    Raises:
        UndecidableKinkError: they are different on the other side of a tie.
    """
    found = comparisons_at(bits)
    loss, slopes = evaluate.slopes(problem, directions, found)
    _check_smooth(problem, np.concatenate([directions[:1], directions]), found, (loss, slopes))
    return slopes


def _check_smooth(problem: Problem, directions: Any, found: Comparisons, here: Any) -> None:
    """Check that slopes are the same on other sides of the ties, which the first direction decides.

    It decides them alone: `here` has no slope in it.
    """

    def step(how: Comparisons, direction: np.ndarray | None) -> tuple[arb, np.ndarray]:
        first = directions[:1] if direction is None else direction
        loss, slopes = evaluate.slopes(problem, np.concatenate([first, directions[1:]]), how)
        return loss, slopes[1:]

    check_smooth(step, found, here, problem.size)


def equalising(problem: Problem, scale: np.ndarray) -> np.ndarray:
    """Draw the directions that verify a gradient, which weight elements of these sizes equally."""
    return random_directions(np.random.default_rng(problem.fingerprint), scale, DIRECTIONS)


def random_directions(rng: np.random.Generator, scale: np.ndarray, k: int) -> np.ndarray:
    """Draw k directions ±2^e·r, r in [1, 2) of 53 random bits, 2^e ≈ 1/scale; objects (k, size)."""
    _, exponents = np.frexp(scale)
    r = rng.integers(2**52, 2**53, size=(k, scale.size)) / 2.0**52
    signs = rng.choice([-1.0, 1.0], size=(k, scale.size))
    if np.abs(exponents).max(initial=0) < RANGE:
        return balls.exact(np.ldexp(r * signs, -exponents))
    return balls.exact(r * signs) * powers_of_two(-exponents)


def generic_direction(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a direction in general position, on no hyperplane of a tie; objects (1, size)."""
    return random_directions(rng, np.ones(size), 1)


def generic_and_units(rng: np.random.Generator, size: int, which: Any = None) -> np.ndarray:
    """Return a generic direction, which decides ties, then the unit vectors (or some of them)."""
    return with_units(generic_direction(rng, size)[0], which)


def deciding_and_units(problem: Problem) -> np.ndarray:
    """Return the direction of a problem that decides ties, then the unit vectors."""
    n = problem.size
    if problem.generic:
        return with_units(with_units(balls.zeros((n,)))[1])
    return generic_and_units(np.random.default_rng(n), n)


def with_units(direction: np.ndarray, which: Any = None) -> np.ndarray:
    """Return a direction, objects (size,), then the unit vectors (or some of them)."""
    size = direction.size
    which = np.arange(size) if which is None else which
    units = balls.zeros((len(which), size))
    units[np.arange(len(which)), which] = balls.ONE
    return np.concatenate([direction[None], units])


def powers_of_two(exponents: np.ndarray) -> np.ndarray:
    """Return 2^e, beyond the range of floats too."""
    least, most = int(exponents.min(initial=0)), int(exponents.max(initial=0))
    powers = balls.boxed([arb(2) ** e for e in range(least, most + 1)], (most - least + 1,))
    return balls.array(powers[exponents - least])


def _verified(
    problem: Problem,
    program: Program,
    run: tuple[np.ndarray, Decisions],
    scale: np.ndarray,
    bits: int,
) -> Reference:
    loss, gradient = run[0][0], run[0][1:]
    slack = balls.exact(UNSEEN * scale)
    return Reference(
        loss,
        gradient + slack * arb(0, 1),
        known=np.ones(problem.size, dtype=bool),
        how=(
            f"JAX's gradient program in ball arithmetic, held to power series of the loss in "
            f"{DIRECTIONS} random directions: an error goes unseen with probability below 2^-50 in "
            "each"
        ),
        bits=bits,
        program=program,
        run=run,
    )


def by_sample(problem: Problem, bits: int, seconds: float, took: float) -> Reference:
    """Certify the elements that there is time for by series: half suspects, the others random.

    Among the others is one of each leaf, if there is time.

    Raises:
        OutOfTimeError: a limit on time ended before the first of them was certified.
    """
    n = problem.size
    for_seconds = int(seconds / max(took, 1e-6) / RUNS)
    affordable = min(n, max(FEWEST, for_seconds))
    at_once = min(BLOCK, max(1, for_seconds))
    drawn = np.random.default_rng(n).permutation(n)
    first = np.asarray(problem.suspects, dtype=int)[: -(-affordable // 2)]
    order = np.concatenate([first, _one_of_each_leaf(problem, drawn), drawn])
    _, where = np.unique(order, return_index=True)
    chosen = order[np.sort(where)][:affordable]
    gradient, known = balls.zeros((n,)), np.zeros(n, dtype=bool)
    loss = arb(0)

    def certified(block: np.ndarray) -> arb:
        value, gradient[block] = by_elements(problem, bits, block)
        known[block] = True
        return value

    try:
        with limited(time_left(np.inf) / RUNS):
            for block in np.array_split(chosen, -(-affordable // at_once)):
                loss = certified(block)
    except OutOfTimeError:
        if not known.any():
            with limited(time_left(np.inf) / 2):  # its tolerance takes about as long
                loss = certified(chosen[:1])
    check_finite(loss, balls.radii(gradient), bits)
    count = int(known.sum())
    which = f"{count} of {n} elements, drawn at random" if count < n else "every element"
    if first.size and count < n:
        which += " and from where the witnesses differ,"
    how = f"{which} by power series in ball arithmetic"
    return Reference(loss, gradient, known, how, bits, None)


def by_elements(problem: Problem, bits: int, block: np.ndarray) -> tuple[arb, np.ndarray]:
    """Return the loss and some elements of its gradient by series.

    Raises:
        UndecidableKinkError: they are different on the other side of a tie.
    """
    n, comparisons = problem.size, comparisons_at(bits)
    directions = generic_and_units(np.random.default_rng(n), n, block)
    value, slopes = evaluate.slopes(problem, directions, comparisons)
    _check_smooth(problem, directions, comparisons, (value, slopes[1:]))
    return value, slopes[1:]


def _one_of_each_leaf(problem: Problem, drawn: np.ndarray) -> np.ndarray:
    """Return the first of the drawn elements in each leaf."""
    ends = np.cumsum([leaf.size for leaf in problem.leaves])
    _, first = np.unique(np.searchsorted(ends, drawn, side="right"), return_index=True)
    return drawn[np.sort(first)]
