"""Whether what JAX has traced of a function in PyTorch is what PyTorch computes."""

import numpy as np

from handgrad.data import formats
from handgrad.judging.ruling import Ruling
from handgrad.program.equations import equations

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def check_traced(value: float, ruling: Ruling | None) -> None:
    """Check that what was judged is what the caller's loss computes in PyTorch.

    Args:
        value: its value in PyTorch.
        ruling: what was ruled at the same point, if anything was.

    Raises:
        TypeError: it computes something else when JAX traces it.
    """
    if ruling is None or not np.isfinite(value):
        return
    exact = float(ruling.reference.loss.mid())
    gap = abs(value - exact)
    if ruling.explains(gap):
        return
    # Rounding that could not be measured leaves half of the digits, of a function that is of use.
    if ruling.tolerance.loose_of_loss or gap > _coarsest_eps(ruling) ** 0.5 * abs(exact):
        raise another_function("loss", value, exact)


def another_function(name: str, value: float, exact: float) -> TypeError:
    """Return the error for a function that computes something else when JAX traces it."""
    return TypeError(
        f"{name}: its value is {value!r} in PyTorch and {exact!r} when JAX traces it; expected "
        "a function of its arguments alone, of operations that are covered"
    )


def _coarsest_eps(ruling: Ruling) -> float:
    """Return the eps of the coarsest format of numbers and results of operations."""
    found = [leaf.dtype for leaf in ruling.given.leaves]
    traced = getattr(ruling.problem, "traced", None)  # of a loss in NumPy there is none
    if traced:
        results = (v.aval for eqn in equations(traced.loss.jaxpr.jaxpr) for v in eqn.outvars)
        found += [
            aval.dtype for aval in results if formats.is_floating(getattr(aval, "dtype", None))
        ]
    return max(formats.of(dtype).eps for dtype in found)
