"""A loss that can only be called: compiled code, a solver, a quadrature, another program."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb

from handgrad.data.advised import UntraceableError
from handgrad.data.point import Point
from handgrad.judging import by_differences
from handgrad.judging.case import Case, RandomDirections, TorchRule
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.judging.repeatability import ANOTHER, CALLS, calls, not_a_function
from handgrad.judging.ruling import Ruling
from handgrad.oracle.reference import Reference
from handgrad.tolerance.tolerances import Tolerances


@dataclass(frozen=True, eq=False)
class BlackBox(NumpyLoss):
    """The loss of a case that neither JAX nor power series look into; nothing is certified."""

    why: str = ""  #: what stopped JAX and power series, in one line that names the loss first

    def reference(self, given: Point, suspects: Sequence[int] = ()) -> Reference:  # noqa: ARG002 (of other losses)
        """Raise: there is none.

        Raises:
            UntraceableError: always; one line says what stopped it.
        """
        raise UntraceableError(self.why)

    def measured(
        self,
        given: Point,
        suspects: Sequence[int] = (),  # noqa: ARG002 (of other losses)
    ) -> tuple[Reference, Tolerances]:
        """Return an estimate of the gradient, and what it leaves open."""
        f = by_differences.function(self.case.loss, given)
        _, _, obstacle = self.why.partition(": ")
        found = by_differences.reference(f, given, obstacle, self.case.seed)
        tangent = self.case.tangent(given)
        return found if tangent is None else by_differences.projected(*found, tangent)

    def check_repeatable(
        self,
        given: Point,
        value: float | None = None,
        ruling: Ruling | None = None,  # noqa: ARG002 (of other losses)
    ) -> None:
        """Call the loss again and compare; see `NumpyLoss.check_repeatable`.

        Raises:
            NotAFunctionError: it was another number.
        """
        first = self.answers(given)[0] if value is None else value
        for other in calls(lambda: self.answers(given)[0], CALLS, 1):
            if not abs(other - first) <= ANOTHER * abs(first):
                raise not_a_function(self.case.wording.loss, "value", repr(first), repr(other))

    def attempt(self, given: Point) -> tuple[arb, np.ndarray]:  # noqa: ARG002 (of other losses)
        """Raise, as `reference` does."""
        raise UntraceableError(self.why)


def may_be_judged(case: Case, given: Point) -> bool:
    """Tell whether a case is one that differences can judge."""
    whole = case.part.whole if isinstance(case.part, RandomDirections) else case
    of_torch = whole.own is not None and whole.own.of_torch
    if of_torch or whole.is_linear or isinstance(whole.part, TorchRule):
        return False
    floats = all(leaf.dtype in (np.float64, np.float32) for leaf in given.leaves)
    return floats and whole.referee == "auto" and whole.computed_in is None
