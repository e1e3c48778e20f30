"""Perturbed runs around a point, by the decisions of the run there, and how far they lead.

They are runs of a program that has the gradient, or of the loss on series.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons, Decisions, MorePrecisionNeededError
from handgrad.arithmetic.dual import Dual
from handgrad.data.pytrees import is_real
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.program.interpreter import UncertifiedPrimitiveError, number
from handgrad.program.programs import Program
from handgrad.tolerance.runs import LOOSE_DRAWS, half_an_ulp_away


class OnSeries:
    """Runs of a loss, on the side of its ties of the first direction.

    Args:
        problem: the loss and the point.
        directions: the first, and one for each element that is known.
        known: these elements; None for all.
        here: loss and these elements at the point in one vector, and the decisions there; None if
            they are to be computed.
    """

    def __init__(
        self,
        problem: Problem,
        directions: Any,
        known: np.ndarray | None = None,
        here: tuple[np.ndarray, Decisions] | None = None,
    ) -> None:
        self.problem, self._directions = problem, directions
        self._known = np.arange(problem.size) if known is None else known
        found = Comparisons(final=True, undefined=True)
        self.base, self._decisions = here or (self.results(found), found.decided)

    def results(self, comparisons: Comparisons, *changes: Any) -> np.ndarray:
        """Return loss and known elements in one vector.

        Args:
            comparisons: how comparisons are decided.
            changes: arguments other than the point's, as balls, or None; and what perturbs a run.
        """
        loss, slopes = evaluate.slopes(self.problem, self._directions, comparisons, *changes)
        return np.append(balls.boxed([loss], (1,)), slopes[1:])

    def run(self, *changes: Any) -> np.ndarray:
        """Return what `results` does, by the decisions at the point."""
        frozen = Comparisons(final=True, undefined=True, frozen=self._decisions)
        return self.results(frozen, *changes)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return the changes of loss and elements for data half an ulp away, shape (1 + size,)."""
        everything = (*self.problem.leaves, *self.problem.inputs)
        around = half_an_ulp_away(everything, rng)
        return self._furthest([self.run(around, *self._other_data(rng))])

    def _other_data(self, rng: np.random.Generator) -> Sequence[Any]:  # noqa: ARG002
        """Return what perturbs the constants of a run."""
        return ()

    def deviations(self, rounding: Any) -> np.ndarray:
        """Return the largest deviations of loss and elements by rounding, shape (1 + size,)."""
        return self._furthest(self.run(None, rounding) for _ in range(LOOSE_DRAWS))

    def signed(self, *changes: Any) -> np.ndarray:
        """Return the deviations of one run with their signs, shape (1 + size,)."""
        deviation = balls.midpoints(self.run(*changes) - self.base)
        return self._of_all(np.where(np.isnan(deviation), np.inf, deviation))

    def jumps(self, most: int | None = None) -> np.ndarray:
        """Return the changes by decisions that rounding may make instead, shape (1 + size,)."""
        return self._furthest(
            self.results(Comparisons(final=True, undefined=True, instead=other))
            for other in self._decisions.others[:most]
        )

    def _furthest(self, runs: Iterable[np.ndarray]) -> np.ndarray:
        """Return the largest distance of each element of perturbed runs from the one here.

        It is a lower bound: 0 where the balls overlap, and infinite for NaN.
        """
        found = np.zeros(self.base.size)
        for run in runs:
            distance = balls.least_magnitudes(run - self.base)
            found = np.fmax(found, np.where(np.isnan(distance), np.inf, distance))
        return self._of_all(found)

    def _of_all(self, found: np.ndarray) -> np.ndarray:
        of_all = np.zeros(1 + self.problem.size)
        of_all[np.append(0, 1 + self._known)] = found
        return of_all


class OfProgram(OnSeries):
    """Runs of a program of loss and gradient; constants may be given after what perturbs a run."""

    def __init__(
        self, problem: Problem, program: Program, here: tuple[np.ndarray, Decisions] | None = None
    ) -> None:
        self.program = program
        super().__init__(problem, None, here=here)

    def results(
        self,
        comparisons: Comparisons,
        arguments: Sequence[np.ndarray] | None = None,
        *changes: Any,
    ) -> np.ndarray:
        """Return the loss and its gradient in one vector.

        They are NaN if numbers that were perturbed cannot be told apart, as eigenvalues must be.
        """
        given = self.problem.arguments() if arguments is None else arguments
        try:
            loss, gradient = evaluate.gradient(
                self.problem, self.program, given, comparisons, *changes
            )
        except MorePrecisionNeededError:
            if comparisons.frozen is None and not comparisons.instead:
                raise
            return np.full(1 + self.problem.size, arb("nan"))
        return np.append(balls.boxed([loss], (1,)), gradient)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """See `OnSeries.draw`; infinite if the program breaks down."""
        try:
            return super().draw(rng)
        except UncertifiedPrimitiveError:  # a rule that other numbers are beyond
            return np.full(1 + self.problem.size, np.inf)

    def _other_data(self, rng: np.random.Generator) -> Sequence[Any]:
        return None, [_near(constant, rng) for constant in self.program.jaxpr.consts]


def _near(constant: Any, rng: np.random.Generator) -> Any:
    """Perturb a constant of the loss's closure by half an ulp, if it holds floats."""
    if not is_real(constant):
        return number(constant)
    return Dual(half_an_ulp_away([np.asarray(constant)], rng)[0])
