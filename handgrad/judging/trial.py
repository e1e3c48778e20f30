"""Judge a case at the caller's point and at others around it."""

import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.data.clock import Clock
from handgrad.data.findings import Finding
from handgrad.data.point import Point, shortly
from handgrad.judging import form
from handgrad.judging.case import Case, check_function, check_referee, check_seed
from handgrad.judging.judge import check_repeatable, dropped, judge_answer, judge_point
from handgrad.judging.judgement import Judgement
from handgrad.judging.losses import PreparedLoss, prepare
from handgrad.judging.outcome import Outcome, Trial
from handgrad.judging.points import points as points_around
from handgrad.judging.repeatability import (
    CALLS_ELSEWHERE,
    NotAFunctionError,
    not_a_function,
    raises_always,
)
from handgrad.judging.untraceable import calling
from handgrad.judging.verdict import decisive, judgement

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: No further point is started that would end after this many seconds if it took as long as the one
#: before.
SECONDS = 20.0


def judge(
    case: Case, given: Point, points: int | Sequence[Any], strict: bool, call: str
) -> Judgement:
    """Judge a case at a point and at others, as `handgrad.check_gradient` does.

    `call` is the start of the call that gives the judgement again.
    """
    began = time.perf_counter()
    _check_case(case, given)
    points = int(points) if isinstance(points, np.integer) else points
    reproduce = f"{call}{_options(case, points, strict)})"
    requested = len(points) if isinstance(points, Sequence) else points
    reason = given.not_judged()
    loss, tried = (None, [Outcome(given, cause=reason)]) if reason else _tried(case, given, points)
    trial = Trial(case, loss, tuple(tried), decisive(tried))
    made = judgement(trial, requested if loss else None, reproduce, strict)
    said = (*case.notes, *made.warnings)
    return replace(made, warnings=said, seconds=time.perf_counter() - began)


def _tried(case: Case, given: Point, points: Any) -> tuple[PreparedLoss | None, list[Outcome]]:
    answer = form.repeated(case, given)
    _, _, faults = answer
    wrong = Outcome(given, findings=tuple(faults))
    if any(fault.kind != "not-repeatable" for fault in faults):
        return None, [wrong]
    around = points_around(given, points, case.seed)
    with calling(case.wording.loss):
        loss = prepare(case, given)
        try:
            if loss.traced_once:
                loss.check_repeatable(given)
            if faults:
                # Both may draw the same random numbers.
                value, autodiff = loss.answers(given)
                loss.check_repeatable(given, value)
                if not judge_answer(loss, given, answer, autodiff).varies:
                    return None, [wrong]
            first, *others = _outcomes(loss, around, not isinstance(points, int))
            return loss, [replace(first, varies=first.varies or bool(faults)), *others]
        except NotAFunctionError as error:
            return None, [Outcome(given, cause=str(error))]


def _check_case(case: Case, given: Point) -> None:
    for name, function in (("gradient", case.gradient), ("loss", case.loss)):
        check_function(name, function, (given.params, *given.inputs), f"{name}(params, *inputs)")
    check_seed(case.seed)
    check_referee(case.referee)


def rule_names(trusted: Collection[Any]) -> frozenset[str]:
    """Return the names of the functions whose custom rules are trusted."""
    if isinstance(trusted, str) or not isinstance(trusted, Collection):
        raise TypeError(f"trust_rules: got {trusted!r}, expected a list of functions or names")
    names = [rule if isinstance(rule, str) else getattr(rule, "__name__", None) for rule in trusted]
    for rule, name in zip(trusted, names, strict=True):
        if name is None:
            raise TypeError(f"trust_rules: got {shortly(rule)}, expected functions or their names")
    return frozenset(name for name in names if name)


def _options(case: Case, points: Any, strict: bool) -> str:
    """Write the options of a call: points, seed, and all others that are not the default."""
    shown = {"points": points if isinstance(points, int) else "points", "seed": case.seed}
    if case.referee != "auto":
        shown["referee"] = repr(case.referee)
    if case.has_value:
        shown["has_value"] = True
    if strict:
        shown["strict"] = True
    if case.trusted:
        shown["trust_rules"] = sorted(case.trusted)
    return "".join(f", {name}={value}" for name, value in shown.items())


def _outcomes(loss: PreparedLoss, points: Iterator[Point], listed: bool) -> list[Outcome]:
    """Return one outcome per point, the caller's first, until the time is up.

    At random points the caller's functions may not be defined and may raise, which is recorded; at
    points that the caller listed, the error is raised.
    """
    clock, found = Clock(SECONDS), []
    for given in points:
        began = clock.spent
        if listed or not found:
            found.append(judge_point(loss, given))
        else:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found.append(_moved_point(loss, given))
        if clock.left < clock.spent - began:
            break
    return found


def _moved_point(loss: PreparedLoss, given: Point) -> Outcome:
    case = loss.case
    try:
        value, autodiff = loss.answers(given)
    except Exception as error:
        if not raises_always(lambda: loss.answers(given)):
            what = f"{type(error).__name__}, which it raised,"
            raise not_a_function(case.wording.loss, "result", what, "a number") from error
        return Outcome(given, cause=f"the loss raised {type(error).__name__}", dropped=True)
    if not np.isfinite(value):
        return dropped(given, value)
    try:
        answer = form.repeated(case, given, CALLS_ELSEWHERE, least=1)
    except Exception as error:
        if not raises_always(lambda: form.call_gradient(case, given)):
            what = f"it raised {type(error).__name__} in one call and not in another"
            return Outcome(given, findings=(Finding("not-repeatable", None, None, what, 1.0),))
        return Outcome(given, cause=f"the gradient raised {type(error).__name__}: {error}")
    outcome = judge_answer(loss, given, answer, autodiff)
    check_repeatable(loss, outcome, value)
    return outcome
