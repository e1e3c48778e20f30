"""The extra results of `handgrad check`: timings, planted mistakes, a counterexample."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from handgrad.report import GradientReport


class Answer(NamedTuple):
    """An extra result."""

    text: str
    data: Any  #: for JSON


class Extra(NamedTuple):
    """An extra result that an option requests."""

    key: str  #: in the JSON object
    doing: str  #: completes "... FILE.py:gradient"
    compute: Callable[["GradientReport"], Answer]


def _timed(report: "GradientReport") -> Answer:
    from handgrad.speed.timing import time_gradient
    from handgrad.speed.timings import NotTimedError

    case, given = report.trial.case, report.trial.outcomes[0].given
    functions, options = (case.gradient, case.loss), {"has_value": case.has_value}
    try:
        found = time_gradient(*functions, given.params, *given.inputs, report=report, **options)
    except NotTimedError as why:
        return Answer(f"Not timed: {why}.", {"not_timed": str(why)})
    return Answer(str(found), found.to_dict())


def _planted(report: "GradientReport") -> Answer:
    found = report.power()
    return Answer(str(found), found.to_dict())


def _counterexample(report: "GradientReport") -> Answer:
    found = report.counterexample
    if found is None:
        return Answer("No counterexample: the gradient is not found to be wrong.", None)
    return Answer(f"A test that fails, as small as it was found:\n\n{found}", str(found))


#: By option.
EXTRAS = {
    "time": Extra("timings", "Timing", _timed),
    "plant": Extra("power", "Planting mistakes at the points of", _planted),
    "counterexample": Extra("counterexample", "Shrinking a counterexample for", _counterexample),
}
