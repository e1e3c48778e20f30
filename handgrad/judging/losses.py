"""Prepare the loss of a case to be evaluated and certified at many points: by JAX or by NumPy."""

import math
from contextlib import suppress
from typing import Any

from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.clock import OutOfTimeError, check_time, limited, time_left
from handgrad.data.advised import AnotherFunctionError, UntraceableError
from handgrad.data.attempts import best_effort
from handgrad.data.point import Point
from handgrad.data.pytrees import split
from handgrad.judging.black_box import BlackBox
from handgrad.judging.case import Case
from handgrad.judging.gate import MOVED, Gate
from handgrad.judging.hidden_state import reads_unwritten
from handgrad.judging.jax_loss import CALLBACKS, JaxLoss, outside
from handgrad.judging.numpy_loss import NumpyLoss, may_be_judged, numpy_loss
from handgrad.judging.repeatability import NotAFunctionError
from handgrad.oracle.numpy_losses.dispatch import UNWRITTEN, UnwrittenError
from handgrad.oracle.numpy_losses.stand_ins import apart, on_series
from handgrad.program.adaptive import ADAPTIVE, adaptive
from handgrad.program.equations import equations
from handgrad.program.numpy_to_jax import in_jax_with_promotion
from handgrad.program.trace import Traced

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: From so many operations on series on, in all directions together, code in NumPy is tried as the
#: same code in `jax.numpy`: all slopes take one run there, and tracing it a quarter of a second, as
#: these do. A count and not a clock, since the two print different digits.
MANY = 1_000_000

#: What a point costs on power series, in runs along one direction; some forty were measured, for a
#: Gaussian process of thirty places.
RUNS_OF_A_POINT = 64

#: Both have the methods `answers`, `problem`, `reference` and `measured` of a point.
PreparedLoss = JaxLoss | NumpyLoss  # of which a `BlackBox` is one


def prepare(case: Case, given: Point) -> PreparedLoss:
    """Prepare a loss for all points of a trial; see `gated`."""
    return gated(case, given)[0]


def gated(case: Case, given: Point, points: int = 0) -> tuple[PreparedLoss, Gate | None]:
    """Choose, once for all points of a trial, between JAX's program and the code run by NumPy.

    What is neither's function is called in floats alone, unless a certificate was asked for.

    Args:
        case, given: the case and its point.
        points: how many others will be judged, where code on series is held to the caller's too.

    Returns:
        The prepared loss, and the gate that holds it to the caller's; None if it is that itself.

    Raises:
        TypeError: the loss can be judged in no way; the message is one line.
        NotAFunctionError: the loss is not a function of its arguments.
        Exception: what the loss raises.
    """
    if reads_unwritten(case, given):
        says = f"{case.wording.loss} is not a function of its arguments"
        raise NotAFunctionError(says) from UnwrittenError(UNWRITTEN)
    try:
        return _by_jax(case, given)
    except NotAFunctionError:
        raise
    except Exception as error:
        # These options only make sense with JAX's program.
        if case.autodiff is not None or case.referee == "program":
            raise
        by_jax = error
    refused = by_jax
    for how in (apart, on_series):
        try:
            prepared, value = numpy_loss(case.rewritten(how), given, by_jax)
            long = prepared.operations * given.size > MANY
            if long and (quicker := _translated(case, given, of_real=True)) is not None:
                return quicker
            found = _held(case, prepared, given, value, max(1, MOVED - points))
            if how is apart or not may_be_judged(case, given) or _is_quick(prepared, given):
                return found
            name, more = case.wording.loss.removeprefix("the "), case.wording.more_seconds
            refused = UntraceableError(f"{name}: on power series a point takes too long; {more}")
        except NotAFunctionError:
            raise
        except Exception as error:  # of the caller's code, or of what it calls
            refused = error
    if (translated := _translated(case, given)) is not None:
        return translated
    if not isinstance(refused, UntraceableError):
        raise refused
    another = isinstance(by_jax, AnotherFunctionError)
    if (refused is by_jax and not another) or not may_be_judged(case, given):
        raise (by_jax if another else refused) from None
    return BlackBox(case, why=str(by_jax if another else refused)), None


def _is_quick(prepared: NumpyLoss, given: Point) -> bool:
    """Tell whether there is time for a point on power series, of what has run there before."""
    try:
        with limited(time_left(math.inf) / RUNS_OF_A_POINT), suppress(UndecidableKinkError):
            prepared.attempt(given)
    except OutOfTimeError:
        check_time()
        return False
    return True


def _by_jax(case: Case, given: Point) -> tuple[PreparedLoss, Gate | None]:
    """Return a loss as JAX's program, and its gate; with constants for inputs, if that is needed.

    What a loss writes to among its inputs is no constant of them where these are traced.
    """
    prepared = JaxLoss(case)
    traced = prepared.traced(given)
    if (called := _of_callback(prepared, given, traced)) is not None:
        return called, None
    try:
        return _held(case, prepared, given)
    except AnotherFunctionError as error:
        if not traced.traced_inputs or case.claim.is_linear or not split(given.inputs)[0]:
            raise
        because = f"{str(error).partition(': ')[2]}, so the inputs are constants"
        prepared = JaxLoss(case, inputs_traced=False, because=because)
        with best_effort(Exception):  # JAX's
            return _held(case, prepared, given)
        raise


def _held(
    case: Case, loss: JaxLoss | NumpyLoss, given: Point, known: Any = None, moved: int = MOVED
) -> tuple[JaxLoss | NumpyLoss, Gate]:
    """Return a loss and its gate, if it is the function of the case; see `Gate.hold`."""
    gate = Gate.of(case, loss, given)
    gate.hold(case, given, known if gate.loss is loss else None, moved)
    return loss, gate


def _of_callback(prepared: JaxLoss, given: Point, traced: Traced) -> BlackBox | None:
    """Return a function with a callback, whose matrix is judged, as one that can only be called.

    JAX has its derivatives by a rule of the caller alone, or not at all. None for other cases.

    Raises:
        UntraceableError: differences cannot judge it.
    """
    case = prepared.case
    if case.claim.function() is None or prepared.trusts_a_rule(given):
        return None
    called = _callback(traced)
    if called is None:
        return None
    why = f"{case.wording.loss.removeprefix('the ')}: {outside(called)}"
    if not may_be_judged(case, given):
        raise UntraceableError(why)
    return BlackBox(case, why=why, in_jax=True)


def _callback(traced: Traced) -> str | None:
    """Return what of a loss only differences judge: a call of code outside of JAX, or a solver."""
    for eqn in equations(traced.loss.jaxpr.jaxpr):
        if (name := eqn.primitive.name) in CALLBACKS:
            return name
        if name == "while" and adaptive(eqn):
            return ADAPTIVE
    return None


def by_calls(loss: PreparedLoss, given: Point) -> bool:
    """Tell whether a loss is one that only differences can judge."""
    called = isinstance(loss, JaxLoss) and _callback(loss.traced(given)) is not None
    return called or isinstance(loss, BlackBox)


def _translated(
    case: Case, given: Point, of_real: bool = False
) -> tuple[PreparedLoss, Gate] | None:
    """Return a loss in NumPy as the same code in `jax.numpy`, and its gate.

    On power series, which NumPy would run it on, there are no complex numbers, and each parameter
    costs a direction. None if the code does not run, has no rules, or is another function there; or
    if no number is complex, unless those of real ones are wanted as well.
    """
    prepared = JaxLoss(case.rewritten(in_jax_with_promotion), translated=True)
    with best_effort(TypeError, AttributeError, NotImplementedError):  # of what JAX has not got
        if of_real:
            prepared.on_series(given)
        elif prepared.traced(given).loss.with_complex is None:
            return None
        return _held(case, prepared, given)
    return None
