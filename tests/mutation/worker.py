"""A process that runs pytest again and again, each time with the rooms imported anew.

What stays imported is JAX, NumPy and the like, which take most of the time of a short test. One
line of JSON comes in and one goes out. Nothing is forked, since JAX must not be.
"""

import gc
import json
import os
import resource
import sys
import time
from typing import Any

import jax  # noqa: F401  (what is imported once)
import pytest


class _Ended:
    """A plugin that notes the first test or file that failed."""

    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test."""
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be imported."""
        if report.failed:
            self.failed = self.failed or report.nodeid


def _forget() -> None:
    """Drop the modules of the checkout."""
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
        if place.startswith(f"{os.getcwd()}/"):
            del sys.modules[name]
    gc.collect()


def _run(tests: str, limit: int) -> dict[str, Any]:
    """Run pytest until one fails; beyond the limit of CPU time the system ends the process."""
    used = round(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + limit, resource.RLIM_INFINITY))
    _forget()
    ended = _Ended()
    options = ["-xq", "--tb=no", "-p", "no:terminalreporter", f"--basetemp={tests}.tmp"]
    # Those that are asked for by name, whatever they are marked as.
    options += ["-m", "slow or not slow"]
    # Plugins from elsewhere stay imported.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*options, f"@{tests}"], [ended])
    return {"code": int(code), "failed": ended.failed}


def main() -> None:
    """Answer until the input ends. What tests print goes nowhere."""
    del sys.path[0]  # the folder of this file; the checkout's copy is on PYTHONPATH
    resource.setrlimit(resource.RLIMIT_DATA, (10 << 30, 10 << 30))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    for line in sys.stdin:
        answers.write(json.dumps(_run(**json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
