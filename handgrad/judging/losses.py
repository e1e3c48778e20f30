"""The loss of a case, prepared to be evaluated and certified at one point after another."""

from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.numpy_loss import NumpyLoss, numpy_loss

#: pytest leaves these frames out: an error in somebody's own function is shown there.
__tracebackhide__ = True

#: Both answer `answers`, `problem`, `truth` and `measured` at a point.
PreparedLoss = JaxLoss | NumpyLoss


def prepare(case: Case, given: Point) -> PreparedLoss:
    """Choose once, for this point and all others like it: JAX's program, or the lines in NumPy.

    Raises:
        TypeError: one line, where the loss can be judged in neither way.
        Exception: what the loss raises.
    """
    prepared = JaxLoss(case)
    try:
        prepared.traced(given)
    except Exception as error:
        # Who asks for JAX's program, or brings its answers, means JAX.
        if case.autodiff is not None or case.referee == "program":
            raise
        return numpy_loss(case, given, error)
    return prepared
