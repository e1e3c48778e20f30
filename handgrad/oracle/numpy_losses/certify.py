"""Certify the gradient of a loss that only NumPy can run, by running its code on power series.

There is no gradient program, so every element is computed by series; of very many elements, as many
as there is time for. The code may branch on numbers. If a tie decides a branch, the other side of
the tie makes other comparisons, and the point is undecidable.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import Comparisons, PatchedError
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError, check_smooth
from handgrad.clock import Clock, time_in_all
from handgrad.data.advised import NoScalarError, NotAFunctionError
from handgrad.data.attempts import raise_internal
from handgrad.data.frames import own_frames, quoted_line
from handgrad.data.silent import quiet
from handgrad.oracle.beside import beside
from handgrad.oracle.certify import SECONDS, SMALL
from handgrad.oracle.evaluate import Problem, nan_in, series_arguments
from handgrad.oracle.kink_search import KinkSearch
from handgrad.oracle.numpy_losses.dispatch import NumpyRun, Perturbation
from handgrad.oracle.random_directions import (
    BLOCK,
    FEWEST,
    generic_and_units,
    random_directions,
)
from handgrad.oracle.reference import (
    BITS,
    NotFiniteError,
    RaisedOnSeriesError,
    Reference,
    UndecidableError,
    at_first_precision,
    check_good,
    comparisons_at,
)
from handgrad.oracle.subgradients import Kink
from handgrad.program.programs import Program
from handgrad.program.trace import Traced

#: How such a reference was certified, and why so.
HOW = "the loss in NumPy on power series in ball arithmetic; {}, so there is no autodiff to "
HOW += "compare with"

#: The cost of a point in evaluations of all directions: the reference, and tolerances that decide
#: soon. The other sides of ties, and perturbed runs, which cost twice as much, take up to 25 and
#: nested ties many more.
RUNS = 8


@dataclass(frozen=True, eq=False)
class Untraced(Problem):
    """A loss that JAX cannot trace, at a point; its programs are empty."""

    #: (parameters, real inputs) -> loss, on any numbers.
    loss: Callable[[list[Any], list[Any]], Any] = field(kw_only=True)
    arrays: Sequence[bool] = field(kw_only=True)  #: which arguments are arrays, not bare numbers
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, kw_only=True)
    because: str = field(default="JAX cannot trace it", kw_only=True)  #: for the certificate
    #: real inputs -> a scalar, and the gradient's leaves, for a loss that is linear and was made
    #: for these: they are computed in one run. The scalar then takes the place of the loss.
    leaves_of: Callable[[list[Any]], tuple[Any, list[Any]]] | None = field(
        default=None, kw_only=True
    )


@cache
def no_program() -> Traced:
    """Return an empty program, in place of a traced loss."""
    empty = Program(jax.make_jaxpr(lambda: 0.0)())
    return Traced(empty, empty, lambda: empty, False, jax.value_and_grad)


@dataclass
class RecordedComparisons(Comparisons):
    """Comparisons that record the shapes compared, to detect other branches."""

    path: list[tuple[int, ...]] = field(default_factory=list)

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Record and compare; see `Comparisons.order`."""
        self.path.append(np.broadcast_shapes(a.shape, b.shape))
        return super().order(a, b)


@contextmanager
def on_series() -> Iterator[None]:
    """Make undecidable what code raises on series, which it may not have been written for."""
    try:
        yield
    except (UndecidableError, UndecidableKinkError, NotAFunctionError):
        raise
    except Exception as error:
        raise_internal(error)
        what = f"{type(error).__name__}: {error}"
        raise RaisedOnSeriesError(f"on power series the loss raised {what}") from error


def slopes(
    problem: Untraced,
    directions: np.ndarray,
    comparisons: Comparisons,
    arguments: Sequence[np.ndarray] | None = None,
    perturbation: Perturbation | None = None,
) -> tuple[arb, np.ndarray]:
    """Return the loss, and its slope in each of k directions, shape (k,).

    Args:
        problem: the loss and the point.
        directions: objects, shape (k, size).
        comparisons: how comparisons are decided.
        arguments: parameters and inputs as balls, if not those of the point.
        perturbation: perturbs operands and results, if given.

    Raises:
        TypeError: the code does something that series do not support.
        Exception: whatever else the code raises.
    """
    lines = NumpyRun(comparisons, problem.memory, perturbation)
    objects = _objects(lines, problem, series_arguments(problem, directions, arguments))
    n = len(problem.leaves)
    with quiet():
        answer = lines.packed(problem.loss(objects[:n], objects[n:]))
    problem.check_patches(comparisons)
    if answer.shape != ():
        raise NoScalarError(f"loss: got an array of shape {answer.shape}, expected one real scalar")
    return answer.value.item(), dual.tangents(answer, directions.shape[0])


def _objects(lines: NumpyRun, problem: Untraced, given: Sequence[Dual]) -> list[Any]:
    numbers = zip(map(lines.unpacked, given), problem.arrays, strict=True)
    # An array without axes is not a bare number.
    return [lines.series(balls.array(v)) if array else v for v, array in numbers]


def in_one_run(
    problem: Untraced,
    comparisons: Comparisons,
    arguments: Sequence[np.ndarray] | None = None,
    perturbation: Perturbation | None = None,
) -> tuple[arb, np.ndarray]:
    """Return the scalar and the gradient, shape (size,), of a problem with `leaves_of`.

    The arguments are those of `slopes`; raises as that.
    """
    lines = NumpyRun(comparisons, problem.memory, perturbation)
    given = [Dual(a) for a in problem.shifted(arguments)]
    objects = _objects(lines, problem, given)
    with quiet():
        assert problem.leaves_of is not None
        value, leaves = problem.leaves_of(objects[len(problem.leaves) :])
    problem.check_patches(comparisons)
    gradient = np.concatenate([lines.packed(leaf).value.reshape(-1) for leaf in leaves])
    if problem.tangent is not None:
        gradient = problem.tangent.projected(gradient)
    return lines.packed(value).value.item(), gradient


def certify(problem: Untraced, every: bool = False, seconds: float | None = None) -> Reference:
    """Return the reference gradient.

    Args:
        problem: the loss and the point.
        every: whether to certify every element, however long it takes.
        seconds: about how long a point may take, by default as long as the limit that is set; if
            that is too short, a sample of elements is certified.

    Raises:
        UndecidableError: no enclosure at the highest precision.
        UndecidableKinkError: too many ties, a jump, or a tie that decides a branch.
        Exception: what the code raises on series.
    """
    seconds = time_in_all(SECONDS) if seconds is None else seconds
    seconds = np.inf if every else seconds
    try:
        return at_first_precision(lambda bits: _attempt(problem, bits, seconds), problem)
    except (PatchedError, NotFiniteError) as error:
        if problem.settled or problem.shift is not None:
            raise
        there = partial(certify, every=every, seconds=seconds)
        ways = partial(not_finite, problem), partial(results, problem)
        return beside(problem, error, there, slopes, *ways)


class _ToFirst(Perturbation):
    """Stops a run at the first result that is not finite and depends on the parameters."""

    def after(self, result: Dual) -> Dual:
        """Look at a result."""
        if result.tangent is not None and nan_in([result]) == 2:
            raise PatchedError
        return result


class _Watch(Perturbation):
    """Shows somebody all results of a run."""

    def __init__(self, look: Callable[[Dual], None]) -> None:
        self.look = look

    def after(self, result: Dual) -> Dual:
        """Show a result."""
        self.look(result)
        return result


def results(problem: Untraced, directions: np.ndarray, look: Callable[[Dual], None]) -> None:
    """Show all numbers that a loss computes at a point, as series in some directions."""
    found = Comparisons(final=True, undefined=True)
    slopes(problem, directions, found, perturbation=_Watch(look))


def not_finite(problem: Untraced) -> str:
    """Name the first number that is not finite at a point, by the caller's line."""
    along = balls.exact(np.ones((1, problem.size)))
    try:
        slopes(problem, along, Comparisons(final=True, undefined=True), perturbation=_ToFirst())
    except PatchedError as error:
        if frames := own_frames(error.__traceback__):
            place = frames[-1][1]
            return f"a number of {quoted_line(place.filename, place.lineno or 0)}"
    return "a number"


def _attempt(problem: Untraced, bits: int, seconds: float) -> Reference:
    n, how = problem.size, HOW.format(problem.because)
    if problem.leaves_of is not None:
        value, leaves = in_one_run(problem, comparisons_at(bits))
        check_good(problem, leaves, value, bits)
        return Reference(value, leaves, np.ones(n, dtype=bool), how, bits, program=None)
    chosen = _affordable(problem, bits, seconds)
    directions = generic_and_units(np.random.default_rng(n), n, chosen)
    found = comparisons_at(bits, RecordedComparisons)
    loss, along = slopes(problem, directions, found)
    problem.memory["compares"] = bool(found.path)
    gradient, known = balls.zeros((n,)), np.zeros(n, dtype=bool)
    gradient[chosen], known[chosen] = along[1:], True
    check_good(problem, gradient, loss, bits)
    around = _kink(problem, directions, found, (loss, along[1:]))
    if around and found.unproved:
        raise UndecidableError(f"a comparison that cannot be decided at {BITS[-1]} bits matters")
    how += "" if known.all() else f"; {chosen.size} of {n} elements, drawn at random"
    ties = bool(found.ties)
    return Reference(loss, gradient, known, how, bits, program=None, kink=around, ties=ties)


def _affordable(problem: Untraced, bits: int, seconds: float) -> np.ndarray:
    """Draw the elements that there is time for; all if there is enough."""
    n = problem.size
    if n <= SMALL or seconds == np.inf:
        return np.arange(n)
    one, some = (_seconds(problem, bits, k) for k in (1, 1 + BLOCK))
    each = max((some - one) / BLOCK, 1e-6)
    most = max(FEWEST, int((seconds / RUNS - one) / each))
    return np.sort(np.random.default_rng(n).permutation(n)[:most])


def _seconds(problem: Untraced, bits: int, k: int) -> float:
    """Measure the seconds of a run in k directions."""
    directions = random_directions(np.random.default_rng(bits), np.ones(problem.size), k)
    clock = Clock(np.inf)
    slopes(problem, directions, comparisons_at(bits))
    return clock.spent


def _kink(problem: Untraced, directions: Any, found: RecordedComparisons, here: Any) -> Kink | None:
    """Find other right gradients; if only some elements are known, check that there are none."""

    def rerun(
        there: RecordedComparisons, direction: np.ndarray | None = None
    ) -> tuple[arb, np.ndarray]:
        first = directions[:1] if direction is None else direction
        loss, along = slopes(problem, np.concatenate([first, directions[1:]]), there)
        if there.path != found.path:
            raise UndecidableKinkError("a tie that decides which lines of the loss are run")
        return loss, along[1:]

    def step(direction: np.ndarray) -> tuple[RecordedComparisons, arb, np.ndarray]:
        there = found.for_rerun()
        return there, *rerun(there, direction[None])

    if len(directions) <= problem.size:
        check_smooth(rerun, found, here, problem.size)
        return None
    return KinkSearch(rerun, step, directions[0], found, *here).kink()
