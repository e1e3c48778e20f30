"""The pytest plugin, in a pytest of its own: what a person sees when a gradient is wrong."""

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

#: By its entry point, where this checkout was installed with it.
INSTALLED = bool(entry_points(group="pytest11", name="handgrad"))
PLUGIN = () if INSTALLED else ("-p", "handgrad.pytest_plugin")

TESTS = """
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from handgrad import assert_gradient, assert_steps

W, X = np.array([0.5, -1.5]), np.array([1.0, 3.0])


def loss(w, x): return jnp.sum((w * x) ** 2)
def wrong(w, x): return -2 * w * x**2


def test_plain():
    what_happens_before = "is not shown"
    assert_gradient(wrong, loss, W, X, points=0)


def held():
    assert_gradient(wrong, loss, W, X, points=0)


def test_helper():
    held()


@given(st.integers(1, 9))
def test_given(n):
    assert_gradient(wrong, loss, W * n, X, points=0)


@pytest.fixture
def broken():
    held()


def test_fixture(broken): pass
def test_other(): assert "something" == "else"
def test_raises(): assert_gradient(lambda w, x: w[9] * x, loss, W, X)
def test_steps():
    assert_steps([("square", lambda x: (x * x, x), lambda d, x: d * x)], X, points=0)
"""

#: How a report of this gradient begins and ends.
FIRST, LAST = "disagree: w: ", "Again: check_gradient("

#: Several sessions in one process: JAX takes a second to load.
SESSIONS = """
import sys, pytest
for words in {sessions}:
    pytest.main([*{plugin}, "-p", "no:cacheprovider", *words])
    print("end of session", flush=True)
"""

#: The words after `pytest` of each session, by what it is for.
WORDS = {"all": ["-rfE"], "line": ["--tb=line", "-k", "test_plain", "-rN"]}


def run(project: Path, *sessions: list[str]) -> list[str]:
    """What pytest prints in each session."""
    code = SESSIONS.format(sessions=sessions, plugin=PLUGIN)
    environment = os.environ | {"COLUMNS": "80", "CI": "", "PYTEST_ADDOPTS": ""}
    words = [sys.executable, "-c", code]
    ended = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True)
    assert ended.stderr == ""
    return ended.stdout.split("end of session\n")[:-1]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By each style of traceback."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "test_mine.py").write_text(TESTS)
    return dict(zip(WORDS, run(folder, *WORDS.values()), strict=True))


@pytest.fixture(scope="module")
def shown(printed: dict[str, str]) -> dict[str, str]:
    """What is shown of each test that fails, by its name."""
    failures, _, summary = printed["all"].partition("= short test summary")
    assert re.search(r"6 failed, 1 error", summary), summary
    headed = re.split(r"^_{3,} (.*) _{3,}$", failures, flags=re.M)
    return dict(zip(headed[1::2], headed[2::2], strict=True)) | {"summary": summary}


@pytest.mark.slow
def test_the_tests_own_line_and_the_report(shown: dict[str, str]) -> None:
    """On one screen, without a frame of a library."""
    for name in ("test_plain", "test_helper", "test_given"):
        lines = shown[name].strip().splitlines()
        assert lines[0].startswith("test_mine.py:")
        assert any(line.startswith(FIRST) for line in lines)
        assert any(line.startswith(LAST) for line in lines)
        assert len(lines) <= 24
        assert not re.search("^E |handgrad/|site-packages", shown[name], flags=re.M)


@pytest.mark.slow
def test_what_is_shown_of_each_test(shown: dict[str, str], printed: dict[str, str]) -> None:
    # Nothing but the line that called.
    line = 1 + TESTS.splitlines().index('    what_happens_before = "is not shown"') + 1
    assert shown["test_plain"].startswith(
        f"\ntest_mine.py:{line}: in test_plain\n"
        f"    assert_gradient(wrong, loss, W, X, points=0)\n\n{FIRST}"
    )
    # A helper is shown below the test, and a fixture may fail as well.
    places = re.findall(r"^test_mine.py:\d+: in (\w+)$", shown["test_helper"], flags=re.M)
    assert places == ["test_helper", "held"]
    text = shown["ERROR at setup of test_fixture"]
    assert "in broken\n    held()\n" in text
    assert FIRST in text
    # Hypothesis adds its example.
    assert re.search(r"test_given\(\n +n=1", shown["test_given"])
    # The steps of a gradient are shown in the same way.
    assert shown["test_steps"].strip().splitlines()[0].endswith(": in test_steps")
    assert "\nGoing back, square is the first step" in shown["test_steps"]
    assert "test_steps - GradientMismatch: Going back" in shown["summary"]
    # Other failures stay as they are, and an error of their own is shown in their own lines.
    assert "\nE   AssertionError: assert 'something' == 'else'\n" in shown["test_other"]
    assert "w[9] * x" in shown["test_raises"]
    assert "IndexError: " in shown["test_raises"]
    assert "handgrad/" not in shown["test_raises"] + shown["test_steps"]
    # Other styles of traceback.
    assert f"test_mine.py:{line}: GradientMismatch: {FIRST}" in printed["line"]
    assert LAST not in printed["line"]


def test_nothing_is_loaded_while_nothing_needs_it(tmp_path: Path) -> None:
    """A test session that checks no gradient waits for nothing of ours."""
    (tmp_path / "conftest.py").write_text(
        "import sys\ndef pytest_unconfigure():\n"
        "    ours = sorted(m for m in sys.modules if m.startswith('handgrad'))\n"
        "    print('loaded', *ours, *{'jax', 'numpy', 'flint', 'click'} & set(sys.modules))\n"
    )
    (tmp_path / "test_other.py").write_text("def test(): assert [] == [1]")
    (out,) = run(tmp_path, ["-p", "no:hypothesispytest"])
    assert "1 failed" in out
    assert "loaded handgrad handgrad.pytest_plugin\n" in out
