"""`handgrad check --tests`: which planted mistakes the tests of a package miss."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MINE = """
import jax
import jax.numpy as jnp
import numpy as np


def energy(w): return np.sum(w**4)
def energy_grad(w): return 4 * w**3
def energy_hess(w): return np.diag(12 * w**2)
energy_example = (np.array([0.5, -1.0, 2.0]),)


def cost(w, x): return jnp.sum(jnp.tanh(x @ w))
@jax.jit
def cost_grad(w, x): return x.T @ (1 - jnp.tanh(x @ w) ** 2)
def cost_example(): return np.array([0.3, -0.7]), np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


def doubled(w): return w @ w
def doubled_grad(w): return w
doubled_example = energy_example
"""

TESTS = """
from pathlib import Path
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from mine import cost_example, cost_grad, doubled_grad, energy, energy_hess
from mine import energy_grad as renamed
from scipy.optimize import approx_fprime

W = np.array([0.5, -1.0, 2.0])


@pytest.fixture(scope="session")
def made_once(): return renamed(W)


def test_grad(made_once):
    np.testing.assert_allclose(renamed(W), approx_fprime(W, energy), rtol=1e-4)
    assert made_once[0] > 0


@settings(max_examples=9)
@given(st.floats(-2, 2))
def test_odd(a): assert renamed(np.array([a])) == pytest.approx(-renamed(np.array([-a])))


def test_curved(): assert np.all(np.linalg.eigvalsh(energy_hess(W)) > 0)
def test_that_fails(): assert renamed(W)[0] == 0
def test_that_is_skipped(): pytest.skip("not here")
def test_doubled(): assert doubled_grad(W)[0] > 0
def test_cost():
    _, x = cost_example()
    np.testing.assert_allclose(cost_grad(np.zeros(2), x), x.sum(axis=0), rtol=1e-5)
"""


@pytest.fixture
def tested(folder: Path) -> Iterator[Path]:
    (folder / "tests").mkdir()
    (folder / "tests" / "test_of_mine.py").write_text(TESTS)
    yield folder
    sys.modules.pop("test_of_mine", None)


@pytest.mark.slow
def test_which_mistakes_the_tests_miss(run: Any, tested: Path) -> None:
    ended = run("check", "--all", "mine.py", "--points=0", "--tests", "tests", "--json")
    assert ended.code == 1, "one of the gradients is wrong"
    power = json.loads(ended.out)["tests"]
    assert power["of"] == ["mine.py:energy_grad", "mine.py:energy_hess", "mine.py:cost_grad"]
    by_name: dict[str, dict[str, set[bool]]] = {}
    for planted in power["planted"]:
        name = planted["where"].partition(", ")[0].partition(":")[2]
        by_name.setdefault(name, {}).setdefault(planted["mistake"], set()).add(planted["caught"])
    missed = {name: {k for k, v in of.items() if v == {False}} for name, of in by_name.items()}
    assert missed == {
        "energy_grad": {"one element: off by 1e-06"},
        # That the curvature is positive says nothing of its size.
        "energy_hess": {
            *("factor 1/2", "factor 2", "weight-decay"),
            *("one element: off by 1e-06", "one element: off by 1%"),
        },
        # At 0 there is no decay; and the compiled gradient is compiled anew for each mistake.
        "cost_grad": {"weight-decay", "one element: off by 1e-06"},
    }
    assert power["not_planted"] == "in what is wrong as it is (mine.py:doubled_grad)"
    place = "tests/test_of_mine.py::test_that_"
    assert power["not_run"] == f"{place}fails, {place}is_skipped"
    assert not (tested / ".hypothesis").exists()
    assert not (tested / ".pytest_cache").exists()


@pytest.mark.slow
def test_what_pytest_does_not_run(check: Any, tested: Path) -> None:
    def ended(words: str) -> Any:
        at = {"loss": "energy", "like": "energy_example"}
        return check("energy_grad", "--points=0", "--tests", words, **at)

    assert "caught by pytest tests -k odd." in ended("tests -k odd").out
    assert "None was planted where no test" in ended("tests -k fails").out
    (tested / "tests" / "test_broken.py").write_text("import not_there\n")
    one = ended("tests/test_broken.py")
    assert (one.code, "Error: --tests: " in one.err) == (2, True)
    assert "No module named 'not_there'" in one.err
