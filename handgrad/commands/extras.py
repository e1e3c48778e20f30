"""What is told after a report: timings, planted mistakes, a counterexample, a package's tests."""

import importlib.util
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from handgrad.commands.process import json_text
from handgrad.commands.targets import BadInput, show, working
from handgrad.data.harmless import harmless

if TYPE_CHECKING:
    from handgrad.power import Power
    from handgrad.report import GradientReport

#: That handgrad is imported before pytest is no fault of the tests.
_QUIET = ("-q", "-W", "ignore::pytest.PytestAssertRewriteWarning")

#: What keeps plugins from starting other processes, and from measuring coverage of each run.
_WITHOUT = {"xdist": "-n0", "pytest_cov": "--no-cov"}

#: The most lines of pytest's to repeat where it runs no test.
MOST_LINES = 6


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


def power_of_tests(selection: str, reports: Mapping[str, "GradientReport"]) -> "Power":
    """Plant mistakes in derivatives, and tell which of them the selected tests notice.

    Args:
        selection: what pytest is to run, `tests/test_fit.py -k grad`.
        reports: on the derivatives, by name.

    Raises:
        BadInput: there is no pytest, or it runs no test.
        KeyboardInterrupt: Ctrl-C.
    """
    try:
        words = shlex.split(selection)
    except ValueError as error:
        raise BadInput(f"--tests: {error}: {selection!r}") from None
    if importlib.util.find_spec("pytest") is None:
        raise BadInput("--tests needs pytest, which is not installed")
    import pytest

    from handgrad.commands.pytest_loop import Loop
    from handgrad.shrinking.shrinker import nothing_left

    loop, said = Loop(reports, f"pytest {selection}"), StringIO()
    with tempfile.TemporaryDirectory() as cache, nothing_left():
        options = [*_QUIET, "-o", f"cache_dir={cache}"]
        options += [word for plugin, word in _WITHOUT.items() if importlib.util.find_spec(plugin)]
        with redirect_stdout(said), redirect_stderr(said):
            pytest.main([*options, *words], plugins=[loop])
    if isinstance(loop.error, KeyboardInterrupt):
        raise KeyboardInterrupt("while planting mistakes")
    if isinstance(loop.error, pytest.exit.Exception):
        raise BadInput(f"--tests: pytest was ended by a test: {loop.error}")
    if loop.error is not None:
        raise loop.error
    if not loop.ran:
        lines = [line for line in said.getvalue().splitlines() if line.strip()]
        raise BadInput(f"--tests: pytest runs no test of {selection!r}", *lines[-MOST_LINES:])
    return loop.power
