"""A pytest plugin that tells coverage which test runs, and notes how it ended and what it took.

Coverage starts by itself in every process of Python, in xdist's workers and in what a test starts,
when COVERAGE_PROCESS_START is set; such a process takes its context from the environment.
"""

import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TEST = "HANDGRAD_MUTATION_TEST"
FOLDER = "HANDGRAD_MUTATION_TESTS"

_tests: dict[str, dict[str, float | bool]] = {}


def _measuring() -> Any:
    """The coverage that runs in this process, if any; it is no dependency of the checkout."""
    return importlib.import_module("coverage").Coverage.current()


def _seconds() -> float:
    """CPU time of this process and of the ended ones that it started."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Put all that is executed until the test is torn down under its name."""
    measuring = _measuring()
    os.environ[TEST] = item.nodeid
    measuring.switch_context(item.nodeid)
    start = _seconds()
    try:
        return (yield)
    finally:
        _tests.setdefault(item.nodeid, {"passed": True})["seconds"] = _seconds() - start
        measuring.switch_context("")
        del os.environ[TEST]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a test of which a part did not pass."""
    if report.outcome != "passed":
        _tests.setdefault(report.nodeid, {})["passed"] = False


def pytest_sessionfinish() -> None:
    """Store what is known of the tests, and what was executed, since a worker may just end."""
    if any("seconds" in test for test in _tests.values()):
        _measuring().save()
        Path(os.environ[FOLDER], f"tests-{os.getpid()}.json").write_text(json.dumps(_tests))
