"""Judge a case at the caller's point and at others around it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.clock import Clock, OutOfTimeError, Progress, limited, reported
from handgrad.data.advised import AnotherFunctionError, UntraceableError
from handgrad.data.attempts import RAISED, raise_internal
from handgrad.data.brake import braked
from handgrad.data.findings import Finding
from handgrad.data.point import Point
from handgrad.data.silent import quiet
from handgrad.judging import form
from handgrad.judging.case import Case, check_case
from handgrad.judging.domains import in_domains
from handgrad.judging.gate import Gate
from handgrad.judging.hidden_state import advice
from handgrad.judging.judge import check_repeatable, dropped, judge_answer, judge_point
from handgrad.judging.judgement import Judgement
from handgrad.judging.linearity import Other, suspects
from handgrad.judging.losses import PreparedLoss, by_calls, gated
from handgrad.judging.options import How
from handgrad.judging.outcome import Outcome, Trial
from handgrad.judging.points import points as points_around
from handgrad.judging.repeatability import (
    CALLS_ELSEWHERE,
    NotAFunctionError,
    not_a_function,
    raises_always,
)
from handgrad.judging.untraceable import calling
from handgrad.judging.variation import repeated
from handgrad.judging.vectors.functions import check_function
from handgrad.judging.verdict import judgement

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


#: The part of a check's seconds for its summary, if the points have taken all: tolerances that
#: ruled nothing may yet be asked for. Half a second of 20, so that nobody waits much longer.
FOR_SUMMARY = 1 / 40

#: The part of them for all vectors that a case does not seem to be linear in, likewise. A second of
#: 20: each is judged at one point alone.
FOR_OTHERS = 1 / 20


class Interrupted(KeyboardInterrupt):
    """Ctrl-C after some points were judged; `judgement` is that on these points."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__()
        self.judgement = judgement


def judge(case: Case, given: Point, how: How) -> Judgement:
    """Judge a case at a point and at others, as `handgrad.check_gradient` does.

    Raises:
        Interrupted: Ctrl-C was pressed after some points were judged.
    """
    clock = Clock(how.seconds)
    made, others = _judge(case, given, how)
    clock = Clock(max(clock.left, FOR_OTHERS * how.seconds))
    for other in others:
        if clock.over:
            break
        in_short = how.at(0).within(clock.left)
        with quiet():
            try:
                judged, _ = _judge(other.case, other.given, in_short)
            except KeyboardInterrupt:
                raise Interrupted(made) from None
        if judged.verdict == "disagree":
            return judged
        said = () if judged.verdict == "agree" else (judged.headline,)
        made = replace(made, warnings=(*made.warnings, *said))
    return made


def _judge(case: Case, given: Point, how: How) -> tuple[Judgement, list[Other]]:
    """Judge a case; return also itself at other vectors that it is linear in, if it passes.

    Those are where it does not seem to be linear.
    """
    points, strict, reproduce, seconds = how
    began, clock = time.perf_counter(), Clock(seconds)
    check_case(case, given)
    case = in_domains(case, given)
    given = case.claim.along(case.domains, given)
    points = int(points) if isinstance(points, np.integer) else points
    reason = given.not_judged()
    unknown = Trial(case, (Outcome(given, cause=reason),))
    trial = replace(unknown if reason else _tried(case, given, points, seconds), seconds=seconds)
    try:
        with limited(max(clock.left, FOR_SUMMARY * seconds)):
            made = judgement(trial, reproduce, strict)
    except OutOfTimeError:  # hints, which take runs, leave out what is late; all else takes none
        made = judgement(trial, reproduce, strict)
    said = (*case.claim.notes(), *made.warnings)
    made = replace(made, warnings=said, seconds=time.perf_counter() - began)
    if trial.interrupted:
        raise Interrupted(made)
    ruling = trial.outcomes[0].ruling
    if ruling is None or made.verdict not in ("agree", "imprecise"):
        return made, []
    # A solver's absolute tolerance, of which nothing certain is known, drops what is small.
    exactly = ruling.reference.certified and not ruling.left_out.any()
    return made, [other for other in trial.others if exactly or not other.small]


def _tried(case: Case, given: Point, points: Any, seconds: float) -> Trial:
    with limited(seconds) as clock, braked(clock), reported(clock) as progress:
        try:
            return _judged(case, given, points, clock, progress)
        except OutOfTimeError as error:
            why = f", {error}" if str(error) else ""
            cause = f"{seconds:g} s were too short for one point{why}; {case.wording.more_time}"
            return Trial(case, (Outcome(given, cause=cause),))
        except KeyboardInterrupt as interrupt:
            raise KeyboardInterrupt(str(interrupt) or "before a point was judged") from None


def _judged(case: Case, given: Point, points: Any, clock: Clock, progress: Progress) -> Trial:
    progress.at("calling the gradient and the loss")
    answer, other = repeated(case, given)
    _, _, faults = answer
    wrong, judged = Outcome(given, findings=tuple(faults)), None
    if any(fault.kind != "not-repeatable" for fault in faults):
        return Trial(case, (wrong,))
    points_of(case, given, points, case.seed)  # which raises if they are no points
    others = [] if faults or case.nonlinear else suspects(case, given, answer[1])
    gate = None
    with calling(case.wording.loss):
        try:
            loss, gate = gated(case, given, points if isinstance(points, int) else len(points))
            around = points_of(case, given, points, case.seed, by_calls(loss, given))
            if (function := case.claim.called()) is not None:
                check_function(function, given, case.wording.loss)
            if loss.traced_once:
                loss.check_repeatable(given)
            if faults:
                # Both may draw the same random numbers.
                value, autodiff = loss.answers(given)
                loss.check_repeatable(given, value)
                judged = judge_answer(loss, given, answer, autodiff, other)
                if judged.varies is None:
                    return Trial(case, (judged if judged.findings else wrong,))
            tried = _outcomes(loss, gate, around, points, clock, progress)
            first, *rest = tried.outcomes
            if judged is not None:
                # Of more calls, and by the worst of them.
                first = judged if judged.wrong else replace(first, varies=judged.varies)
            return replace(tried, case=case, outcomes=(first, *rest), others=others)
        except NotAFunctionError as error:
            cause = f"{error}; {advice(case, given, error)}"
            return Trial(case, (Outcome(given, cause=cause),))
        except AnotherFunctionError as error:
            if gate is None:
                raise  # there is no way to judge the function
            return Trial(case, (Outcome(given, cause=str(error)),))


def points_of(
    case: Case, given: Point, more: int | Sequence[Any], seed: int, own_sizes: bool = False
) -> Iterator[Point]:
    """Return a point of a case, then `more` around it; see `handgrad.judging.points`."""
    around = points_around(case.claim.of_caller(given), more, seed, case.domains, own_sizes)
    return case.claim.points(around, given, case.domains)


def _outcomes(
    loss: PreparedLoss,
    gate: Gate | None,
    around: Iterator[Point],
    points: Any,
    clock: Clock,
    progress: Progress,
) -> Trial:
    """Return one outcome per point, the caller's first, until the time is up.

    No point is started that would end too late if it took as long as the one before. At random
    points the caller's functions may not be defined and may raise, which is recorded; at points
    that the caller listed, the error is raised.
    """
    found: list[Outcome] = []
    why = ""
    of = points if isinstance(points, int) else len(points)
    try:
        for given in around:
            began = clock.spent
            progress.at(f"judging point {len(found) + 1:,} of {1 + of:,}")
            if not isinstance(points, int) or not found:
                outcome = judge_point(loss, given)
            else:
                with quiet():
                    outcome = _moved_point(loss, given)
            if found and gate is not None:
                outcome = _held(gate, loss, outcome)
            if found and found[0].whole and not outcome.whole:
                break  # there was no time for more than a sample
            found.append(outcome)
            if clock.left < clock.spent - began:
                break
    except OutOfTimeError as error:
        if not found:
            raise
        why = f", {error}" if str(error) else ""
    except KeyboardInterrupt:
        if not found:
            raise
        stopped = f"interrupted {_how_far(found, of)}"
        return Trial(loss.case, tuple(found), loss, stopped, interrupted=True)
    stopped = f"time ran out {_how_far(found, of)}{why}" if len(found) <= of else None
    return Trial(loss.case, tuple(found), loss, stopped)


def _held(gate: Gate, loss: PreparedLoss, outcome: Outcome) -> Outcome:
    """Return the outcome of another point; without one if the caller's loss is another there."""
    given, ruling = outcome.given, outcome.ruling
    if ruling is None or not gate.at_some_points:
        return outcome
    try:
        same = gate.loss is loss
        known = ruling.reference.loss if same else None
        if gate.check(given, known, ruling=ruling if same else None) is None:
            return Outcome(given, cause="the loss has no value there", dropped=True)
    except AnotherFunctionError as error:
        if not gate.moved:  # it was held nowhere else
            raise
        return Outcome(given, cause=str(error))
    return outcome


def _how_far(found: list[Outcome], of: int) -> str:
    return f"after {len(found) - 1:,} of {of:,} other points"


def _moved_point(loss: PreparedLoss, given: Point) -> Outcome:
    case = loss.case
    try:
        value, autodiff = loss.answers(given)
    except RAISED as error:
        raise_internal(error)
        if not raises_always(lambda: loss.answers(given)):
            what = f"{type(error).__name__}, which it raised,"
            raise not_a_function(case.wording.loss, "result", what, "a number") from error
        return Outcome(given, cause=f"the loss raised {type(error).__name__}", dropped=True)
    if not np.isfinite(value):
        return dropped(given, value)
    try:
        answer, other = repeated(case, given, CALLS_ELSEWHERE, least=1)
    except Exception as error:
        raise_internal(error)
        if not raises_always(lambda: form.call_gradient(case, given)):
            what = f"it raised {type(error).__name__} in one call and not in another"
            return Outcome(given, findings=(Finding.of_form("not-repeatable", None, what),))
        raised = (isinstance(error, UntraceableError) and error.__cause__) or error
        return Outcome(given, cause=f"the gradient raised {type(raised).__name__}: {raised}")
    outcome = judge_answer(loss, given, answer, autodiff, other)
    check_repeatable(loss, outcome, value)
    return outcome
