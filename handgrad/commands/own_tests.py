"""`--tests`: run a package's own tests on its derivatives, with planted mistakes."""

import importlib.util
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from handgrad.commands.targets import BadInput

if TYPE_CHECKING:
    from handgrad.power import Power
    from handgrad.report import GradientReport

#: That handgrad is imported before pytest is no fault of the tests.
_QUIET = ("-q", "-W", "ignore::pytest.PytestAssertRewriteWarning")

#: What keeps plugins from starting other processes, and from measuring coverage of each run.
_WITHOUT = {"xdist": "-n0", "pytest_cov": "--no-cov"}

#: The most lines of pytest's to repeat where it runs no test.
MOST_LINES = 6


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
