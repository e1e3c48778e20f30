"""Prepare the loss of a case to be evaluated and certified at many points: by JAX or by NumPy."""

from handgrad.data.advised import UntraceableError
from handgrad.data.point import Point
from handgrad.judging.black_box import BlackBox, may_be_judged
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.numpy_loss import NumpyLoss, numpy_loss

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: Both have the methods `answers`, `problem`, `reference`, `measured` and `other_order` of a point.
PreparedLoss = JaxLoss | NumpyLoss  # of which a `BlackBox` is one


def prepare(case: Case, given: Point) -> PreparedLoss:
    """Choose, once for all points of a trial, between JAX's program and the code run by NumPy.

    What neither can run is called in floats alone, unless a certificate was asked for.

    Raises:
        TypeError: the loss can be judged in no way; the message is one line.
        Exception: what the loss raises.
    """
    prepared = JaxLoss(case)
    try:
        prepared.traced(given)
    except Exception as error:
        # These options only make sense with JAX's program.
        if case.autodiff is not None or case.referee == "program":
            raise
        try:
            return numpy_loss(case, given, error)
        except UntraceableError as refused:
            if refused is error or not may_be_judged(case, given):
                raise
            return BlackBox(case, why=str(refused))
    return prepared
