"""What is told after a report: timings, planted mistakes, a counterexample, a package's tests."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from handgrad.commands.own_tests import power_of_tests
from handgrad.commands.process import json_text
from handgrad.commands.targets import show, working
from handgrad.data.harmless import harmless

if TYPE_CHECKING:
    from handgrad.report import GradientReport


class Extra(NamedTuple):
    """An extra result that an option requests."""

    key: str  #: in the JSON object
    doing: str  #: completes "... FILE.py:gradient"
    compute: Callable[[Any], tuple[str, Any]]  #: report -> text, and data for JSON


def tell(
    source: str,
    report: Any,
    tested: Mapping[str, "GradientReport"],
    answer: dict[str, Any],
    stopped: str,
    wanted: Sequence[str],
    tests: str | None,
    as_json: bool,
) -> None:
    """Print what is asked besides a report; with --json the answer, with that in it.

    Args:
        source, report, answer: what was judged, the report on it, and the same as data.
        tested: the reports on what pytest's tests are told of, by name.
        stopped: how far it went if Ctrl-C ended it, which raises KeyboardInterrupt.
        wanted, tests, as_json: the names of the extras, pytest's tests, and whether for --json.
    """
    for extra in (EXTRAS[name] for name in wanted if not stopped):
        with redirect_stdout(sys.stderr), working(f"{extra.doing} {source}"):
            text, answer[extra.key] = extra.compute(report)
        if not as_json:
            click.echo(harmless(f"\n{text}"))
    if tests is not None and not stopped:
        with redirect_stdout(sys.stderr):
            power = power_of_tests(tests, tested)
        answer["tests"] = power.to_dict()
        if not as_json:
            click.echo()
            show(power)
    if as_json:
        click.echo(json_text(answer))
    if stopped:
        raise KeyboardInterrupt(stopped)


def _timed(report: Any) -> tuple[str, Any]:
    from handgrad.speed.timing import time_gradient
    from handgrad.speed.timings import NotTimedError

    case, given = report.trial.case, report.trial.outcomes[0].given
    functions, options = (case.gradient, case.loss), {"has_value": case.has_value}
    try:
        found = time_gradient(*functions, given.params, *given.inputs, report=report, **options)
    except NotTimedError as why:
        return f"Not timed: {why}.", {"not_timed": str(why)}
    return str(found), found.to_dict()


def _planted(report: Any) -> tuple[str, Any]:
    found = report.power()
    return str(found), found.to_dict()


def _counterexample(report: Any) -> tuple[str, Any]:
    found = report.counterexample
    if found is None:
        return "No counterexample: the gradient is not found to be wrong.", None
    return f"A test that fails, as small as it was found:\n\n{found}", str(found)


#: By option.
EXTRAS = {
    "time": Extra("timings", "Timing", _timed),
    "plant": Extra("power", "Planting mistakes at the points of", _planted),
    "counterexample": Extra("counterexample", "Shrinking a counterexample for", _counterexample),
}
