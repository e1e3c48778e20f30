"""A plugin for pytest that runs each test once for each mistake in what it calls."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr
from types import FunctionType
from typing import Any

import jax
import pytest
from _pytest.runner import runtestprotocol

from handgrad.clock import Clock, reported
from handgrad.power import Power, together
from handgrad.power.own_tests import planted_in
from handgrad.power.planting import Planting
from handgrad.power.replaced import forget, function_in, planted_in_place
from handgrad.power.targets import target_of
from handgrad.report import GradientReport

#: The most tests to name that do not pass as they are.
MOST_NAMED = 3


#: What mistakes are planted in, and its function.
_Planted = tuple[Planting, FunctionType]


class Loop:
    """Runs pytest's tests on planted derivatives, in place of its own loop."""

    def __init__(self, reports: Mapping[str, GradientReport], tests: str) -> None:
        self._reports, self._tests, self._stderr = reports, tests, sys.stderr
        self._powers: dict[str, Power] = {}
        self._not_passing: list[str] = []
        self.ran = False
        self.error: BaseException | None = None  #: what ended it early

    @property
    def power(self) -> Power:
        """What was planted, and what the tests noticed."""
        named = ", ".join(self._not_passing[:MOST_NAMED])
        more = len(self._not_passing) - MOST_NAMED
        left = f"{named} and {more} more" if more > 0 else named
        return together(self._powers, self._tests, left)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Run the tests; leave it to pytest to tell what it could not collect."""
        if session.testsfailed or session.config.option.collectonly or not session.items:
            return None
        self.ran = True
        try:
            self._run(session.items)
        except BaseException as error:  # which pytest would print, where nobody reads it
            self.error = error
            raise
        return True

    def _run(self, items: Sequence[pytest.Item]) -> None:
        targets = {}
        for name, report in self._reports.items():
            planted = self._planted(report, [function for _, function in targets.values()])
            if isinstance(planted, str):
                self._powers[name] = Power((), 0, planted)
            else:
                targets[name] = planted
        tests = self._callers(items, targets)
        for name, (planting, function) in targets.items():
            if not tests[name]:
                self._powers[name] = Power(
                    (), 0, "where no test that passes calls it by a name of a module"
                )
                continue
            with planted_in_place(planting, function), reported(Clock(0.0)) as progress:

                def at(what: str, progress: Any = progress) -> None:
                    with redirect_stderr(self._stderr):
                        progress.at(what)

                def noticed(name: str = name, planting: Planting = planting) -> bool:
                    return any(_outcome(test, [planting]) == "failed" for test in tests[name])

                found = planted_in(planting, noticed, at)
            left = planting.left or ("" if found else f"where that cannot be: {planting.unchanged}")
            self._powers[name] = Power(tuple(found), 0, left)

    def _planted(self, report: GradientReport, known: Sequence[Any]) -> _Planted | str:
        """Return what mistakes are planted in; or where they are not."""
        if report.verdict == "disagree":
            return "in what is wrong as it is"
        try:
            target = target_of(report.trial)
        except ValueError:
            return "in what no function of yours returns"
        function = function_in(target.function)
        if function is None:
            return f"in what is not written in Python, a {type(target.function).__name__}"
        if function in known:
            return "twice in one function"
        return Planting(target), function

    def _callers(
        self, items: Sequence[pytest.Item], targets: Mapping[str, _Planted]
    ) -> dict[str, list[pytest.Item]]:
        """Return the tests that pass as it is, by the derivative that they call."""
        found: dict[str, list[pytest.Item]] = {name: [] for name in targets}
        plantings = {name: planting for name, (planting, _) in targets.items()}
        jax.clear_caches()  # what was compiled before would not call them
        with ExitStack() as stack:
            for planting, function in targets.values():
                stack.enter_context(planted_in_place(planting, function))
            for item in items:
                before = {name: planting.calls for name, planting in plantings.items()}
                if _outcome(item, plantings.values()) != "passed":
                    self._not_passing.append(item.nodeid)
                    continue
                for name, planting in plantings.items():
                    if planting.calls > before[name]:
                        found[name].append(item)
        return found


def _outcome(item: pytest.Item, plantings: Iterable[Planting]) -> str:
    """Run a test, with its fixtures made anew; return `passed`, `failed` or `skipped`."""
    reports = runtestprotocol(item, log=False, nextitem=None)
    for planting in plantings:
        forget(planting)
    outcomes = {report.outcome for report in reports}
    return next((outcome for outcome in ("failed", "skipped") if outcome in outcomes), "passed")
