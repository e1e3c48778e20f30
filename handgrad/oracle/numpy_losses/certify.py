"""The certified gradient of a loss that only NumPy can run: its lines, run on series.

There is no program to hold anything to, so every element is had by series, and of very many as many
as there is time for. The lines may branch on numbers. Where a tie decides which of them are run,
the sides of the tie have other comparisons, and nothing is said about it.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons, MorePrecisionNeededError
from handgrad.arithmetic.dual import Dual
from handgrad.oracle.certify import SECONDS, SMALL
from handgrad.oracle.evaluate import Problem, moving
from handgrad.oracle.kink_search import KnownSide, check_sides
from handgrad.oracle.numpy_losses.dispatch import Disturbance, NumpyRun
from handgrad.oracle.numpy_losses.pack import packed, series, unpacked
from handgrad.oracle.random_directions import (
    BLOCK,
    FEWEST,
    and_units,
    one_and_units,
    random_directions,
)
from handgrad.oracle.reference import BITS, BITS_OF_ZERO, Reference, UndecidableError, check_good
from handgrad.oracle.subgradients import Kink, UndecidableKinkError
from handgrad.program.trace import Program, Traced

#: On what such a truth rests.
HOW = (
    "the loss in NumPy on power series in ball arithmetic; JAX cannot trace it, so there is no "
    "second witness"
)

#: A point takes about so many evaluations in all directions: the reference, the sides of its
#: ties, and the tolerances, whose runs imitate rounding at twice the cost. Ties inside ties take
#: many more.
RUNS = 25


@dataclass(frozen=True, eq=False)
class Untraced(Problem):
    """A loss that JAX cannot trace, at a point; its programs are empty."""

    #: (the parameters, the real inputs) -> the loss, on whatever numbers those are.
    loss: Callable[[list[Any], list[Any]], Any] = field(kw_only=True)
    arrays: Sequence[bool] = field(kw_only=True)  #: which arguments are arrays, not bare numbers
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, kw_only=True)


@cache
def no_program() -> Traced:
    """What stands in the place of a traced loss: no operand, no operation, one number."""
    empty = Program(jax.make_jaxpr(lambda: 0.0)())
    return Traced(empty, empty, lambda: empty, traced_inputs=False)


@dataclass
class Followed(Comparisons):
    """Comparisons that remember which ones there were."""

    path: list[tuple[int, ...]] = field(default_factory=list)

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """As `Comparisons.order`."""
        self.path.append(np.broadcast_shapes(a.shape, b.shape))
        return super().order(a, b)


def comparing(bits: int) -> Followed:
    """How numbers of so many bits are compared."""
    return Followed(bits == BITS[-1], bits >= BITS_OF_ZERO)


def slopes(
    problem: Untraced,
    directions: np.ndarray,
    comparisons: Comparisons,
    arguments: Sequence[np.ndarray] | None = None,
    disturbance: Disturbance | None = None,
) -> tuple[arb, np.ndarray]:
    """The loss, and its slope in each of k directions: shape (k, size) to (k,).

    Args:
        problem: the loss and the point.
        directions: objects, shape (k, size).
        comparisons: how they are decided.
        arguments: parameters and inputs as balls, if not those of the point.
        disturbance: what happens to numbers on their way, if anything.

    Raises:
        TypeError: the lines need something that series are not; or whatever else they raise.
    """
    lines = NumpyRun(comparisons, problem.memory, disturbance)
    given = moving(problem, directions, arguments)
    objects = [_object(lines, d, kind) for d, kind in zip(given, problem.arrays, strict=True)]
    n = len(problem.leaves)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        answer = packed(lines, problem.loss(objects[:n], objects[n:]))
    if answer.shape != ():
        raise TypeError(f"loss: got an array of shape {answer.shape}, expected one real scalar")
    return answer.value.item(), dual.tangents(answer, directions.shape[0])


def _object(lines: NumpyRun, given: Dual, array: bool) -> Any:
    made = unpacked(lines, given)
    return series(lines, balls.boxed([made], ())) if array and not given.shape else made


def certify(problem: Untraced, every: bool = False, seconds: float | None = None) -> Reference:
    """The certified gradient.

    Args:
        problem: the loss and the point.
        every: whether every element is certified, however long it takes.
        seconds: about how long a point may take; where that is not enough, elements are drawn.

    Raises:
        UndecidableError: no enclosure at the highest precision.
        UndecidableKinkError: too many ties, a jump, or a tie that decides which lines are run.
        Exception: what the lines raise on series.
    """
    seconds = SECONDS if seconds is None else seconds
    for bits in BITS:
        try:
            with balls.precision(bits):
                return _attempt(problem, bits, np.inf if every else seconds)
        except MorePrecisionNeededError:
            continue
    raise UndecidableError(f"no enclosure of the gradient at {BITS[-1]} bits")


def _attempt(problem: Untraced, bits: int, seconds: float) -> Reference:
    n = problem.size
    chosen = _affordable(problem, bits, seconds)
    directions, found = one_and_units(np.random.default_rng(n), n, chosen), comparing(bits)
    loss, along = slopes(problem, directions, found)
    gradient, known = balls.zeros((n,)), np.zeros(n, dtype=bool)
    gradient[chosen], known[chosen] = along[1:], True
    check_good(problem, gradient, loss, bits)
    around = _kink(problem, directions, found, (loss, along[1:]))
    if around and found.unproved:
        raise UndecidableError(f"a comparison that cannot be decided at {BITS[-1]} bits matters")
    how = HOW if known.all() else f"{HOW}; {chosen.size} of {n} elements, drawn at random"
    return Reference(loss, gradient, known, how, bits, program=None, kink=around)


def _affordable(problem: Untraced, bits: int, seconds: float) -> np.ndarray:
    """The elements that there is time for, drawn at random; all of them if it is enough."""
    n = problem.size
    if n <= SMALL or seconds == np.inf:
        return np.arange(n)
    one, some = (_seconds(problem, bits, k) for k in (1, 1 + BLOCK))
    each = max((some - one) / BLOCK, 1e-6)
    most = max(FEWEST, int((seconds / RUNS - one) / each))
    return np.sort(np.random.default_rng(n).permutation(n)[:most])


def _seconds(problem: Untraced, bits: int, k: int) -> float:
    """How long a run in k directions takes."""
    directions = random_directions(np.random.default_rng(bits), np.ones(problem.size), k)
    began = time.perf_counter()
    slopes(problem, directions, comparing(bits))
    return time.perf_counter() - began


def _kink(problem: Untraced, directions: Any, found: Followed, here: Any) -> Kink | None:
    """What else is right at the point; where only some elements are known, nothing else may be."""

    def sides(otherwise: Followed) -> tuple[arb, np.ndarray]:
        return followed(directions, otherwise)

    def step(direction: np.ndarray) -> tuple[Followed, arb, np.ndarray]:
        there = found.otherwise()
        return there, *followed(and_units(direction), there)

    def followed(directions: np.ndarray, there: Followed) -> tuple[arb, np.ndarray]:
        loss, along = slopes(problem, directions, there)
        if there.path != found.path:
            raise UndecidableKinkError("a tie that decides which lines of the loss are run")
        return loss, along[1:]

    if len(directions) <= problem.size:
        check_sides(sides, found, here)
        return None
    return KnownSide(sides, step, directions[0], found, *here).kink()
