"""Judge a gradient and autodiff at one point: call both, certify the reference, rule."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import ROUNDED
from handgrad.arithmetic.smoothness import UndecidableKinkError
from handgrad.data import formats
from handgrad.data.point import Point, vector
from handgrad.judging import form, reruns, short_formats
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.losses import PreparedLoss
from handgrad.judging.outcome import Outcome, Value
from handgrad.judging.repeatability import CALLS_ELSEWHERE
from handgrad.judging.ruling import Ruling, rule
from handgrad.judging.variation import between_calls, repeated
from handgrad.judging.witness import INCONCLUSIVE
from handgrad.oracle.reference import Reference, UndecidableError
from handgrad.tolerance.runs import stored

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The most elements to certify first if there is no time for all.
MOST_SUSPECTS = 64


def judge_point(loss: PreparedLoss, given: Point) -> Outcome:
    """Judge the gradient and autodiff by the reference at one point."""
    case = loss.case
    value, autodiff = loss.answers(given)
    if not np.isfinite(value):
        check_repeatable(loss, Outcome(given), value)
        return dropped(given, value)
    answer, other = repeated(case, given, CALLS_ELSEWHERE, least=1)
    outcome = judge_answer(loss, given, answer, autodiff, other)
    check_repeatable(loss, outcome, value)
    return outcome


def check_repeatable(loss: PreparedLoss, outcome: Outcome, value: float) -> None:
    """Check that the loss is a function of its arguments; `value` is what it was in floats.

    JAX's program of a loss is traced once. So it is only traced again where a call of the loss gave
    JAX another value or gradient than that program has, by more than rounding explains.

    Raises:
        NotAFunctionError: it is not a function of its arguments.
    """
    ruling = outcome.ruling
    if not loss.traced_once or (ruling is not None and _is_off_in_floats(ruling, value)):
        loss.check_repeatable(outcome.given, value, ruling)


def _is_off_in_floats(ruling: Ruling, value: float) -> bool:
    """Tell whether rounding does not explain the loss in floats, or autodiff's gradient, if any."""
    if not ruling.explains_value(value):
        return True
    if ruling.sufficed is not None:
        return False
    allowed = np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    return bool(((ruling.autodiff.gap > allowed) & ruling.reference.known).any())


def dropped(given: Point, loss: float) -> Outcome:
    """Return the outcome of a point where the loss is not finite."""
    where = given.not_finite()
    cause = f"the loss is {loss} at this point" + (f", where {where}" if where else "")
    return Outcome(given, cause=cause, dropped=True)


def judge_answer(
    loss: PreparedLoss,
    given: Point,
    answer: form.Called,
    autodiff: np.ndarray,
    other: Sequence[form.Called] = (),
) -> Outcome:
    """Judge a gradient and autodiff, (size,), NaN if there is none.

    Args:
        loss: the loss.
        given: the point.
        answer, other: what `repeated` returned.
        autodiff: the gradient by JAX.
    """
    value, leaves, findings = answer
    case = loss.case
    if any(fault.kind != "not-repeatable" for fault in findings):
        return Outcome(given, findings=tuple(findings))
    # All of an answer has the form of a gradient; its part in the tangent space is what counts.
    tangent, yours = case.tangent(given), case.projected(given, vector(leaves))
    try:
        theirs = case.projected(given, autodiff)
        reference, tolerances = loss.measured(given, suspects(yours, theirs))
        if tangent is not None:
            tolerances.stored = stored(tangent, vector(leaves), autodiff)
        if cause := _beyond_floats(given, reference):
            return Outcome(given, cause=cause)
        second = theirs if loss.has_autodiff else None
        problem = loss.problem(given)
        ruling = rule(given, reference, tolerances, yours, second, problem)
        if second is not None and ruling.autodiff.worst > ROUNDED and isinstance(loss, JaxLoss):
            # XLA may have combined constants, or rounded elsewhere than the operations do.
            written = loss.as_written(given)
            if written is not None:
                written = case.projected(given, written)
                ruling = rule(given, reference, tolerances, yours, written, problem)
    except (UndecidableError, UndecidableKinkError) as error:
        return Outcome(given, cause=str(error))
    unexplained = ruling.unexplained
    if unexplained is not None and not findings:
        # A rerun would excuse a gradient that is off in some calls alone.
        (_, _, findings), other = repeated(case, given, first=answer)
    varies = None
    if findings:
        varying = between_calls(loss, given, ruling, [answer, *other])
        if varying is None:
            return Outcome(given, findings=tuple(findings))
        varies, worst = varying
        if not varies.within:
            return Outcome(given, findings=(varies.finding,))
        ruling = ruling.on(worst, loss.has_autodiff)
        unexplained = ruling.unexplained
    if unexplained is not None:
        shown = reruns.formula(case, given, unexplained)
        # In exact arithmetic nothing overflows, so that excuses no overflow.
        ruling = ruling.with_rerun(np.where(short_formats.overflown(ruling), INCONCLUSIVE, shown))
    if (cause := case.claim.why_not_shown(ruling)) is not None:
        return Outcome(given, cause=cause)
    shorter, value = tuple(form.shorter(leaves, given)), _value(case, value, ruling)
    return Outcome(given, ruling, value=value, shorter=shorter, varies=varies)


def suspects(yours: np.ndarray, autodiff: np.ndarray) -> list[int]:
    """Return the elements where the two gradients differ most, relatively; the worst first."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.abs(yours - autodiff) / np.maximum(np.abs(yours), np.abs(autodiff))
    apart = np.where(yours == autodiff, 0.0, np.where(np.isnan(apart), np.inf, apart))
    order = np.argpartition(-apart, min(MOST_SUSPECTS, apart.size - 1))[:MOST_SUSPECTS]
    order = order[np.argsort(-apart[order], kind="stable")]
    return [int(i) for i in order if apart[i] > 0]


def _beyond_floats(given: Point, reference: Reference) -> str | None:
    """Return that an element of the exact gradient is beyond the range of its format, if one is."""
    sizes = balls.magnitudes(reference.gradient)
    for path, leaf, part in zip(given.paths, given.leaves, given.parts(), strict=True):
        form = formats.of(leaf.dtype)
        if not (sizes[part] > form.largest).any():
            continue
        if not form.half:
            return "the exact gradient is beyond the largest float"
        value = float(balls.midpoints(reference.gradient[part])[int(np.argmax(sizes[part]))])
        return short_formats.beyond(path, value, form)
    return None


def _value(case: Case, value: Any, ruling: Ruling) -> Value | None:
    if not case.has_value:
        return None
    return Value(float(value), float(ruling.reference.loss.mid()), ruling.explains_value(value))
