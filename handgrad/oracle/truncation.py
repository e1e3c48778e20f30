"""What iterations that stop at a tolerance leave out, and by how much it changes a gradient.

A loop that ends by a comparison of floats approximates a function: a series, a fixed point, the
solution of a system. The exact derivative of the loop differs from that of this function by what
further iterations would change. So they are run: 1, 2, 4 and so on, until the changes become small
compared with what has changed so far. Rules for such functions may differentiate either of the two,
and so all of these changes belong to the tolerance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import MorePrecisionNeededError
from handgrad.clock import OutOfTimeError, check_time
from handgrad.data.point import sizes_of
from handgrad.oracle.evaluate import Problem, further_slopes, moved_by
from handgrad.oracle.random_directions import (
    generic_and_units,
    generic_direction,
    random_directions,
)
from handgrad.oracle.reference import (
    BITS,
    Reference,
    UndecidableError,
    comparisons_at,
    element_scale,
)
from handgrad.program.equations import equations
from handgrad.program.interpreter import EndlessLoopError

#: A rule may take the derivative of the function at the last iterate, whose error is of the order
#: of the changes and at most a few times as large (a product of several iterates has their sum).
SAFETY = 4

#: The most elements that changes are computed of one by one; of more, in random directions.
MOST = 64

#: Changes are known if the last doubling of the iterations added at most this part to them: with
#: linear convergence, what is left is then a tenth of them at most.
SMALL = 0.25

#: Changes below this part of an element do not matter: it is a thousandth of the roundoff.
NOTHING = 2.0**-63

#: The fewest further iterations that are tried, if their changes do not become small before; more
#: if the loop itself took more.
FEWEST = 64

#: A loop whose further iterations change the loss by more than this part of it approximates
#: nothing: it halves until something is small enough, say. It is the function that is meant.
MEANT = 0.25

#: So does one whose changes grow faster than twice as much with twice as many iterations, as those
#: of a slow approximation never do.
RUNAWAY = 4

#: The steps at which slopes are compared with difference quotients, each parameter moving by a half
#: to all of that share of its size, and the largest relative difference. The loop should go on as
#: far there as it did here: smaller steps than its tolerance show nothing.
STEPS, ALIKE = (2.0**-8, 2.0**-12), 2.0**-4

#: A loop that takes so many times as many iterations there does not end.
ENDLESS = 8

CAUSE = "the loss stops an iteration at a tolerance, and "
OTHER_SLOPES = f"{CAUSE}its slopes are not those of what it approximates"


class OtherSlopesError(UndecidableError):
    """The slopes of what is computed are not those of what it approximates."""


@dataclass(frozen=True, eq=False)
class Changes:
    """How far further iterations may change the loss and its gradient; floats."""

    loss: float
    gradient: np.ndarray  #: (size,)
    #: Whether the loops take as many iterations on both sides of the point. The loss is then what
    #: so many of them compute, and its own derivative is right, whatever they leave out.
    steady: bool = False


#: As `further_slopes` of `handgrad.oracle.evaluate`.
FurtherSlopes = Callable[..., tuple[int, np.ndarray]]


def truncation(problem: Problem, reference: Reference, run: FurtherSlopes | None = None) -> Changes:
    """Return what the iterations of a loss leave out; zeros if there are none.

    Args:
        problem: the loss and the point.
        reference: the certified gradient there.
        run: returns loss and slopes if loops go on; None for those of JAX's program.

    Raises:
        UndecidableError: it cannot be bounded, or the slopes of the iteration are not those of what
            it approximates, as those of a bisection are not.
    """
    none = Changes(0.0, np.zeros(problem.size))
    of_jax = equations(problem.traced.loss.jaxpr.jaxpr)
    if run is None and all(eqn.primitive.name != "while" for eqn in of_jax):
        return none
    run = run or further_slopes
    for bits in BITS[BITS.index(reference.bits) :]:
        try:
            with balls.precision(bits):
                return _truncation(problem, reference, bits, run) or none
        except MorePrecisionNeededError:
            continue
    raise UndecidableError(f"{CAUSE}what this leaves out cannot be enclosed at {BITS[-1]} bits")


def _truncation(
    problem: Problem, reference: Reference, bits: int, run: FurtherSlopes
) -> Changes | None:
    chosen = np.flatnonzero(reference.known)
    scale = element_scale(problem, reference.gradient)
    rng = np.random.default_rng(problem.size)
    one_by_one = chosen.size <= MOST
    if one_by_one:
        directions = generic_and_units(rng, problem.size, chosen)
        sizes = scale[chosen]
    else:
        directions = random_directions(rng, scale, 3)
        sizes = np.ones(2)
    iterations, here = run(problem, directions, comparisons_at(bits), 0)
    if not iterations:
        return None
    # A loss near 0 may be a difference, whose terms are as large as derivatives times parameters.
    terms = np.max(scale[chosen] * sizes_of(problem.leaves)[chosen], initial=0.0)
    sizes = np.append(max(abs(float(here[0].mid())), terms), sizes)
    along = np.append(here[:1], here[2:])
    largest = np.zeros(along.size)
    grown = largest
    for further in _doubled(iterations):
        _, there = run(problem, directions, comparisons_at(bits), further)
        there = np.append(there[:1], there[2:])
        moved = balls.magnitudes(there - along)
        if not np.isfinite(moved).all():
            # As conjugate gradients after a residual of 0: the loop has found what it seeks.
            if not largest.any():
                check_slopes(problem, bits, 0, rng, run)
                return None
            further = 0
            break
        if moved[0] > MEANT * sizes[0]:
            return None
        if (balls.radii(there) > NOTHING * sizes).any() and bits < BITS[-1]:
            raise MorePrecisionNeededError
        grown, largest = largest, np.fmax(largest, moved)
        if (largest - grown <= np.fmax(SMALL * largest, NOTHING * sizes)).all():
            break
    else:
        if (largest > RUNAWAY * grown).any():
            return None
        raise UndecidableError(f"{CAUSE}going on changes the gradient more and more")
    check_slopes(problem, bits, further, rng, run)
    changes = SAFETY * np.where(largest > NOTHING * sizes, largest, 0.0)
    gradient = np.zeros(problem.size)
    gradient[chosen] = changes[1:] if one_by_one else changes[1:].max() * scale[chosen]
    return Changes(changes[0], gradient, _steady(problem, bits, iterations, rng, run))


def _doubled(iterations: int) -> Iterator[int]:
    further = 1
    while further <= max(FEWEST, iterations):
        yield further
        further *= 2


def check_slopes(
    problem: Problem, bits: int, further: int, rng: np.random.Generator, run: FurtherSlopes
) -> None:
    """Check that slopes are difference quotients; those of a loop that chooses need not be.

    Of four, to both sides, one must be: the others may go beyond a kink.
    """
    direction = _direction(problem, rng)

    def along(arguments: Any = None, most: float = np.inf) -> tuple[int, np.ndarray]:
        return run(problem, direction[None], comparisons_at(bits), further, arguments, most)

    taken, (value, slope) = along()
    most, finite = ENDLESS * max(FEWEST, taken), False
    for step in (side * step for step in STEPS for side in (1, -1)):
        try:
            at = moved_by(problem.arguments(), slice(len(problem.leaves)), direction * arb(step))
            _, (there, _) = along(at, most)
        except (EndlessLoopError, OutOfTimeError):  # it ends here, and there is no quotient
            check_time()
            continue
        quotient = (there - value) / arb(step)
        if quotient.is_finite():
            finite, size = True, max(abs(float(quotient)), abs(float(slope)))
            if float(abs(quotient - slope).mid()) <= ALIKE * size:
                return
    if finite:
        raise OtherSlopesError(OTHER_SLOPES)


def _steady(
    problem: Problem, bits: int, iterations: int, rng: np.random.Generator, run: FurtherSlopes
) -> bool:
    """Tell whether loops take as many iterations at the nearest points of `check_slopes`.

    Newton's iteration from the root itself does not: it takes none there, and some beside it.
    """
    direction = _direction(problem, rng)
    try:
        for step in (STEPS[-1], -STEPS[-1]):
            moved = moved_by(problem.arguments(), slice(len(problem.leaves)), direction * arb(step))
            there, _ = run(problem, direction[None], comparisons_at(bits), 0, moved, iterations)
            if there != iterations:
                return False
    except (EndlessLoopError, OutOfTimeError):
        check_time()
        return False
    return True


def _direction(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """Draw a direction in general position, objects (size,), in sizes of the parameters."""
    sizes = sizes_of(problem.leaves)
    return generic_direction(rng, sizes.size)[0] * balls.exact(sizes)
