"""Reports on the backward pass of a function of PyTorch, in all ways that it may be called."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from handgrad.check import FOR_VALUES, report_on, report_on_function
from handgrad.clock import Clock
from handgrad.data.advised import or_else
from handgrad.judging.domains import check_all_directions, in_domains
from handgrad.judging.options import Options
from handgrad.judging.pytorch.arguments import name_of
from handgrad.judging.pytorch.functions import cotangents_of, function_case, points_of_function
from handgrad.judging.pytorch.other_calls import other_calls
from handgrad.judging.pytorch.references import with_reference
from handgrad.judging.pytorch.second_order import second_order
from handgrad.judging.pytorch.subjects import HELP, Subject
from handgrad.judging.pytorch.values import check_function_traced, pair_of
from handgrad.judging.rule_slopes import with_second_order
from handgrad.program.aten.tensors import is_module
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The part of the time for the usual call of a backward pass; the other calls get what is left.
FOR_USUAL_CALL = 3 / 4


class How(NamedTuple):
    """What a function is judged at, how long and how strictly, and the call that does it again."""

    points: Any
    strict: bool
    seconds: float
    reproduce: str
    undefined: bool = True  #: whether to leave cotangents undefined


def report_twice(
    subject: Subject, reference: Any, cotangent: Any, options: Options, how: How
) -> GradientReport:
    """Judge a backward pass, and then its derivative; return the report on what is wrong."""
    clock = Clock(how.seconds)
    cotangents = cotangents_of(subject, cotangent, options.seed)
    known = subject if reference is None else with_reference(subject, reference)
    case, given = function_case(known, cotangents, options)
    tangent = in_domains(case, given).tangent(given)
    check_all_directions("order: got 2", options.domain, tangent)
    slope, is_held = second_order(known, cotangents, options.seed)
    half = how._replace(seconds=how.seconds / 2)
    report = report_once(subject, reference, cotangent, options, half)
    if not report:
        return report
    one = [np.ones((), cotangents[0].dtype)]
    case, given = function_case(slope, one, options)
    points = points_of_function(how.points, slope, given)
    left = max(clock.left, how.seconds / 4)
    twice = report_on(case, given, points, how.strict, how.reproduce, left)
    report, more = with_second_order(report, twice, is_held)
    return report.with_more(more) if report else report.without_trial()


def report_once(
    subject: Subject, reference: Any, cotangent: Any, options: Options, how: How
) -> GradientReport:
    """Judge a backward pass as it is usually called, and then as it may be called as well."""
    cotangents = cotangents_of(subject, cotangent, options.seed)
    if reference is not None:
        subject = with_reference(subject, reference)
    clock, usual = Clock(how.seconds), how.seconds * FOR_USUAL_CALL
    case, given = function_case(subject, cotangents, options)
    case = in_domains(case, given)
    domains = dict(zip(given.paths, case.domains, strict=False))  # none, if none was stated
    points = points_of_function(how.points, subject, given)
    if reference is None:
        with or_else(HELP):
            report = report_on(case, given, points, how.strict, how.reproduce, usual)
            check_function_traced(subject, case, given, how.seconds * FOR_VALUES)
    else:
        of_function = pair_of(subject), case, given, points
        report = report_on_function(*of_function, how.strict, how.reproduce, usual)
    if not report:
        return report
    left_out = []
    for other in other_calls(subject, cotangents, how.undefined):
        case, at = function_case(other.subject, other.cotangents, options)
        case = replace(case, domains=tuple(domains[path] for path in at.paths if domains))
        of_other = 0, how.strict, how.reproduce
        varied = None if clock.over else report_on(case, at, *of_other, clock.left)
        if varied is None or (varied.verdict == "undecidable" and clock.over):
            left_out.append(other.subject.condition)
        elif not varied:
            return varied
    said = [f"no time was left to judge it {', nor '.join(left_out)}"] if left_out else []
    if is_module(subject.f) and any(p.requires_grad for p in subject.f.parameters()):
        name = name_of(subject.f)
        said.append(f"parameters of {name} are not judged; handgrad.check_gradient judges them")
    return replace(report, warnings=(*report.warnings, *said))
