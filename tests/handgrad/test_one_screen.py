"""A pytest run on docs/layer_norm.py: the missing term, its line and its step, on one screen."""

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"

#: By its entry point, where this checkout was installed with it.
INSTALLED = bool(entry_points(group="pytest11", name="handgrad"))
PLUGIN = () if INSTALLED else ("-p", "handgrad.pytest_plugin")

TESTS = """
from handgrad import assert_gradient
from layer_norm import example, gradient, loss


def test_my_gradient():
    assert_gradient(gradient, loss, *example())
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest shows of the test that fails, without what stands above and below it."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "layer_norm.py").write_text((DOCS / "layer_norm.py").read_text(encoding="utf-8"))
    (folder / "test_mine.py").write_text(TESTS)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"COLUMNS": "80", "CI": "", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    failures, _, summary = ended.stdout.partition("= short test summary")
    assert "1 failed" in summary
    _, _, below = failures.partition(" test_my_gradient _")
    return below.partition("\n")[2].rpartition("\n")[0]


def test_it_fits_one_screen(shown: str) -> None:
    lines = shown.splitlines()
    assert lines[0].startswith("test_mine.py:7: in test_my_gradient")
    # A terminal of twice the usual height, and as wide as usual; what is to be pasted is not cut.
    assert len(lines) <= 50
    assert [line for line in lines if len(line) > 80 and not line.startswith("Again: ")] == []


def test_it_names_the_term_that_is_missing(shown: str) -> None:
    told = " ".join(shown.split())
    # It is told by the operation or by the function that has it.
    assert re.search("nothing comes back from (the sum over axis 1|mean) to z", told)
    assert "`mean = z.mean(axis=1, keepdims=True)`" in told
    assert "a term is missing" in told


def test_it_names_the_step_and_the_leaf(shown: str) -> None:
    told = " ".join(shown.split())
    assert "disagree: params['w']: " in told
    lines = (DOCS / "layer_norm.py").read_text(encoding="utf-8").splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if line.startswith("def norm_backward"))
    assert f"norm_backward (layer_norm.py, line {number}) is wrong, its only step" in told
    # Its other two derivatives are right, and nothing is said of them but that.
    assert "params['gamma'], " not in told
    assert "params['beta'], " not in told
