"""Which numbers of a gradient program are beyond the range of the formats that it has for them."""

from typing import Any, NamedTuple

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data import formats
from handgrad.data.formats import Format
from handgrad.oracle import evaluate
from handgrad.oracle.evaluate import Problem
from handgrad.program.interpreter import Rounding, UncertifiedPrimitiveError
from handgrad.program.sources import Source, source_of


class Beyond(NamedTuple):
    """A result that its format cannot hold."""

    value: float  #: exactly
    form: Format
    source: Source | None  #: the caller's line

    @property
    def overflows(self) -> bool:
        """Whether it is too large, and not too small."""
        return abs(self.value) > self.form.largest


class _Observed(Rounding):
    """Records the first results of a run that are beyond the range of their formats."""

    def __init__(self, computed_in: Format | None) -> None:
        self._values = computed_in
        self.large: Beyond | None = None
        self.small: Beyond | None = None

    def after(self, eqn: Any, operands: list[Any], outputs: list[Any]) -> list[Any]:
        """Look at the results."""
        del operands
        for v, out in zip(eqn.outvars, outputs, strict=True):
            form = self._values or (isinstance(out, Dual) and formats.of(v.aval.dtype))
            if isinstance(out, Dual) and form and form.half:
                self._see(eqn, form, balls.midpoints(out.value).reshape(-1))
        return outputs

    def _see(self, eqn: Any, form: Format, values: np.ndarray) -> None:
        sizes = np.abs(values)
        large, small = sizes > form.largest, (sizes > 0) & (sizes < form.subnormal / 2)
        if self.large is None and large.any():
            self.large = Beyond(float(values[np.argmax(sizes)]), form, source_of(eqn))
        if self.small is None and small.any():
            smallest = float(values[np.argmax(small)])
            self.small = Beyond(smallest, form, source_of(eqn))


def beyond(problem: Problem) -> tuple[Beyond | None, Beyond | None]:
    """Return the first result of JAX's gradient program that overflows, and that becomes 0.

    Each is None where there is none, or where the program cannot be run.
    """
    program = problem.traced.gradient
    if program is None or not program.jaxpr.jaxpr.invars:
        return None, None
    stated = problem.computed_in
    seen, ties = _Observed(stated and stated.values), Comparisons(final=True, undefined=True)
    try:
        with balls.precision(64):
            evaluate.gradient(problem, program, problem.arguments(), ties, seen)
    except UncertifiedPrimitiveError:
        return None, None
    return seen.large, seen.small
