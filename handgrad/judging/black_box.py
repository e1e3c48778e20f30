"""A loss that can only be called: compiled code, a solver, a quadrature, another program."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from handgrad.data.advised import UntraceableError
from handgrad.data.point import Point
from handgrad.data.ulps import ANOTHER
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.judging.repeatability import CALLS, calls, not_a_function
from handgrad.judging.ruling import Ruling
from handgrad.judging.stopped_gradients import STOP, is_used
from handgrad.oracle.reference import Reference, UndecidableError
from handgrad.tolerance.tolerances import Tolerances


@dataclass(frozen=True, eq=False)
class BlackBox(NumpyLoss):
    """The loss of a case that neither JAX nor power series look into; nothing is certified."""

    why: str = ""  #: what stopped JAX and power series, in one line that names the loss first
    in_jax: bool = False  #: whether JAX can compile what a matrix is of

    def reference(self, given: Point, suspects: Sequence[int] = ()) -> Reference:  # noqa: ARG002 (of other losses)
        """Raise, since nothing can be certified.

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
        _, _, obstacle = self.why.partition(": ")
        if self.case.claim.function() is None and is_used(self.case.loss):
            raise UndecidableError(
                f"{obstacle}; and differences of it would move what `{STOP}` stops"
            )
        return self.by_differences(given, obstacle, self.in_jax)

    def value(self, given: Point) -> Any:
        """Call the loss; where that is the slope of another one, that other."""
        return self.in_floats(given)

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
            if not np.isclose(other, first, rtol=ANOTHER, atol=0, equal_nan=True):
                raise not_a_function(self.case.wording.loss, "value", repr(first), repr(other))

    def attempt(self, given: Point) -> tuple[arb, np.ndarray]:  # noqa: ARG002 (of other losses)
        """Raise, as `reference` does."""
        raise UntraceableError(self.why)
