"""Prepare the loss of a case to be evaluated and certified at many points: by JAX or by NumPy."""

from dataclasses import replace

from handgrad.data.advised import UntraceableError
from handgrad.data.attempts import best_effort
from handgrad.data.point import Point
from handgrad.judging.black_box import BlackBox, may_be_judged
from handgrad.judging.case import Case
from handgrad.judging.estimate import CALLBACKS, outside
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.matrix_parts import HessianProduct, Matrix
from handgrad.judging.numpy_loss import NumpyLoss, numpy_loss
from handgrad.oracle.reference import ANOTHER_VALUE
from handgrad.program.adaptive import ADAPTIVE, adaptive
from handgrad.program.equations import equations
from handgrad.program.numpy_to_jax import in_jax_with_promotion
from handgrad.program.trace import Traced

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
        traced = prepared.traced(given)
    except Exception as error:
        # These options only make sense with JAX's program.
        if case.autodiff is not None or case.referee == "program":
            raise
        try:
            return numpy_loss(case, given, error)
        except Exception as refused:  # of the caller's code, or of what it calls
            translated = _translated(case, given)
            if translated is not None:
                return translated
            if not isinstance(refused, UntraceableError):
                raise
            if refused is error or not may_be_judged(case, given):
                raise
            return BlackBox(case, why=str(refused))
    return _of_callback(case, given, traced) or prepared


def _of_callback(case: Case, given: Point, traced: Traced) -> BlackBox | None:
    """Return a function with a callback, whose matrix is judged, as one that can only be called.

    JAX has its derivatives by a rule of the caller alone, or not at all. None for other cases.

    Raises:
        UntraceableError: differences cannot judge it.
    """
    if not isinstance(case.part, Matrix | HessianProduct):
        return None
    called = _callback(traced)
    if called is None:
        return None
    why = f"{case.wording.loss.removeprefix('the ')}: {outside(called)}"
    if not may_be_judged(case, given):
        raise UntraceableError(why)
    return BlackBox(case, why=why, compiled=True)


def _callback(traced: Traced) -> str | None:
    """Return what of a loss only differences judge: a call of code outside of JAX, or a solver."""
    for eqn in equations(traced.loss.jaxpr.jaxpr):
        if (name := eqn.primitive.name) in CALLBACKS:
            return name
        if name == "while" and adaptive(eqn):
            return ADAPTIVE
    return None


def by_calls(loss: PreparedLoss, given: Point) -> bool:
    """Tell whether a loss is judged by differences of it, or held to them."""
    called = isinstance(loss, JaxLoss) and _callback(loss.traced(given)) is not None
    return called or isinstance(loss, BlackBox)


def _translated(case: Case, given: Point) -> JaxLoss | None:
    """Return a loss of complex numbers in NumPy as the same code in `jax.numpy`.

    On power series, which NumPy would run it on, there are no complex numbers. None if no number is
    complex, or the code does not run, or has another value there.
    """
    if isinstance(case.part, Matrix | HessianProduct):
        return _translated_part(case, given, case.part)
    prepared = JaxLoss(replace(case, loss=in_jax_with_promotion(case.loss)), translated=True)
    with best_effort(TypeError, AttributeError):  # JAX's, of what it has not got
        traced = prepared.traced(given)
        value, (found, _) = prepared.answers(given)[0], given.call(case.loss)
        same = abs(value - float(found)) <= ANOTHER_VALUE * abs(value)
        return prepared if same and traced.loss.with_complex is not None else None
    return None


def _translated_part(case: Case, given: Point, part: Matrix | HessianProduct) -> JaxLoss | None:
    """Return the same of a Jacobian, a Hessian or a product: of the function's code."""
    found = part.translated()
    if found is None:
        return None
    # That of a matrix records which form it returns, in its part.
    gradient = found.gradient if isinstance(part, Matrix) else case.gradient
    there = replace(case, gradient=gradient, loss=found.loss, part=found.part)
    prepared = JaxLoss(there, translated=True)
    with best_effort(TypeError, AttributeError):  # as above
        traced = prepared.traced(given)
        return prepared if traced.loss.with_complex is not None else None
    return None
