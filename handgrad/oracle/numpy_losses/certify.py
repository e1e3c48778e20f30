"""Certify the gradient of a loss that only NumPy can run, by running its code on power series.

There is no gradient program, so every element is computed by series; of very many elements, as many
as there is time for. The code may branch on numbers. If a tie decides a branch, the other side of
the tie makes other comparisons, and the point is undecidable.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, PatchedError
from handgrad.arithmetic.dual import Dual
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.clock import Clock
from handgrad.data.advised import NoScalarError, NotAFunctionError
from handgrad.data.attempts import raise_internal
from handgrad.data.frames import own_frames, quoted_line
from handgrad.data.silent import quiet
from handgrad.oracle import certify as oracle
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem, nan_in, series_arguments
from handgrad.oracle.numpy_losses.dispatch import NumpyRun, Perturbation
from handgrad.oracle.random_directions import (
    BLOCK,
    FEWEST,
    by_elements,
    random_directions,
)
from handgrad.oracle.reference import (
    RaisedOnSeriesError,
    Reference,
    UndecidableError,
    check_good,
    comparisons_at,
)
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

    def on_series(
        self, given: Sequence[Dual], comparisons: Comparisons, rounding: Perturbation | None = None
    ) -> Dual:
        """Run the loss on series of its arguments.

        Raises:
            UndecidableKinkError: it has other lines run on the other side of a tie.
            TypeError: the code does something that series do not support.
            Exception: whatever else the code raises.
        """
        lines = NumpyRun(comparisons, self.memory, rounding)
        objects, n = _objects(lines, self, given), len(self.leaves)
        with quiet():
            answer = lines.packed(self.loss(objects[:n], objects[n:]))
        if comparisons.strict and comparisons.on_another_path:
            raise UndecidableKinkError("a tie that decides which lines of the loss are run")
        self.memory["compares"] = bool(comparisons.decided.made)
        self.memory["operations"] = lines.run.elements
        if answer.shape != ():
            got = f"an array of shape {answer.shape}"
            raise NoScalarError(f"loss: got {got}, expected one real scalar")
        return answer

    def results(self, directions: np.ndarray, look: Callable[[Dual], None]) -> None:
        """Show all numbers that the loss computes at the point, as series in some directions."""
        given, found = series_arguments(self, directions), Comparisons(True, undefined=True)
        self.on_series(given, found, _Watch(look))

    def not_finite(self) -> str:
        """Name the first number that is not finite at the point, by the caller's line."""

        def look(result: Dual) -> None:
            if result.tangent is not None and nan_in([result]) == 2:
                raise PatchedError

        try:
            self.results(balls.exact(np.ones((1, self.size))), look)
        except PatchedError as error:
            if frames := own_frames(error.__traceback__):
                place = frames[-1][1]
                return f"a number of {quoted_line(place.filename, place.lineno or 0)}"
        return "a number"


@cache
def no_program() -> Traced:
    """Return an empty program, in place of a traced loss."""
    empty = Program(jax.make_jaxpr(lambda: 0.0)())
    return Traced(empty, None, lambda: None, False, jax.value_and_grad)


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


class _Watch(Perturbation):
    """Shows somebody all results of a run."""

    def __init__(self, look: Callable[[Dual], None]) -> None:
        self.look = look

    def after(self, result: Dual) -> Dual:
        """Show a result."""
        self.look(result)
        return result


def _attempt(problem: Untraced, method: str, bits: int, seconds: float) -> Reference:
    n, how = problem.size, HOW.format(problem.because)
    if problem.leaves_of is not None:
        value, leaves = in_one_run(problem, comparisons_at(bits))
        check_good(problem, leaves, value, bits)
        return Reference(value, leaves, np.ones(n, dtype=bool), how, bits, program=None)
    chosen = _affordable(problem, bits, np.inf if method == "series" else seconds)
    if chosen.size == n:
        return replace(oracle.by_series(problem, bits), how=how)
    gradient, known = balls.zeros((n,)), np.isin(np.arange(n), chosen)
    loss, gradient[chosen] = by_elements(problem, bits, chosen)
    check_good(problem, gradient, loss, bits)
    how += f"; {chosen.size} of {n} elements, drawn at random"
    return Reference(loss, gradient, known, how, bits, program=None)


#: certify(problem, method, seconds) -> as `handgrad.oracle.certify.certify`; it also raises what
#: the code raises on series.
certify = partial(oracle.certify, at_precision=_attempt)


def _affordable(problem: Untraced, bits: int, seconds: float) -> np.ndarray:
    """Draw the elements that there is time for; all if there is enough."""
    n = problem.size
    if n <= oracle.SMALL or seconds == np.inf:
        return np.arange(n)
    one, some = (_seconds(problem, bits, k) for k in (1, 1 + BLOCK))
    each = max((some - one) / BLOCK, 1e-6)
    most = max(FEWEST, int((seconds / RUNS - one) / each))
    return np.sort(np.random.default_rng(n).permutation(n)[:most])


def _seconds(problem: Untraced, bits: int, k: int) -> float:
    """Measure the seconds of a run in k directions."""
    directions = random_directions(np.random.default_rng(bits), np.ones(problem.size), k)
    clock = Clock(np.inf)
    evaluate.slopes(problem, directions, comparisons_at(bits))
    return clock.spent
