"""Checkers of derivatives are asked as their documentation describes, and understood rightly."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers.derivatives import peers
from benchmarks.checkers.derivatives.cases import named, with_mistake, without_mistake
from benchmarks.checkers.derivatives.contenders import judged
from benchmarks.checkers.derivatives.question import DerivativeQuestion
from benchmarks.checkers.derivatives.table import markdown
from benchmarks.checkers.question import RIGHT, WRONG, Answer
from benchmarks.checkers.results import DERIVATIVES, Results
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE
from tests.benchmarks.sure import ended, one_line
from tests.tiers import one_of_each, slowly

#: Of each kind a derivative, and a mistake that no checker may miss.
OF_KIND = {
    JACOBIAN: ("arm", "exchanged"),
    HESSIAN: ("rosenbrock", "sign"),
    PRODUCT: ("rosenbrock-product", "sign"),
    COMPLEX: ("rayleigh", "other-convention"),
    RULE: ("softplus-rule", "other-side"),
}

kinds = pytest.mark.parametrize("kind", one_of_each([*OF_KIND], [JACOBIAN, COMPLEX]))


def asked(checker: Any, question: DerivativeQuestion) -> Answer:
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        return checker(question)


@kinds
@pytest.mark.parametrize("checker", [peers.check_grad, peers.test_util, slowly(judged)])
def test_a_gross_mistake_is_wrong_and_none_is_right(kind: str, checker: Any) -> None:
    name, slug = OF_KIND[kind]
    assert asked(checker, without_mistake(name, "as-written", 0)).verdict == RIGHT
    assert asked(checker, with_mistake(name, slug)).verdict == WRONG


@pytest.mark.slow
def test_both_modes_and_both_orders_of_a_rule_are_asked_about() -> None:
    """`backwards` is right forwards, `solution` at first order."""
    right = without_mistake("solve-rule", "as-written", 0)
    assert peers.modes(right) == ("fwd", "rev")
    assert peers.modes(without_mistake("unit-length-rule", "as-written", 0)) == ("rev",)
    with jax.enable_x64(True):
        assert len([*peers.mappings(right)]) == 3
    for slug in ("backwards", "solution"):
        assert asked(peers.check_grad, with_mistake("solve-rule", slug)).verdict == WRONG


class Differentiator:
    """Stands in for numdifftools: returns the right matrix with an error of so many estimates."""

    def __init__(self, right: np.ndarray, off: float) -> None:
        self.found = right + off * 1e-8, np.full(right.shape, 1e-8)

    def __call__(self, _fun: Any, full_output: bool) -> Any:
        assert full_output
        return lambda _x: self.found


@pytest.mark.parametrize(("off", "verdict"), [(99.0, RIGHT), (101.0, WRONG)])
def test_numdifftools_is_held_to_a_hundred_of_its_estimates(
    off: float, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = without_mistake("arm", "as-written", 0)
    stands_in = SimpleNamespace(Jacobian=Differentiator(question.found, off))
    monkeypatch.setitem(sys.modules, "numdifftools", stands_in)
    assert asked(peers.numdifftools, question).verdict == verdict


def test_numdifftools_names_the_element(monkeypatch: pytest.MonkeyPatch) -> None:
    question = with_mistake("arm", "1e-3")
    right = named("arm").by_hand(*question.point())
    stands_in = SimpleNamespace(Jacobian=Differentiator(right, 0.0))
    monkeypatch.setitem(sys.modules, "numdifftools", stands_in)
    answer = asked(peers.numdifftools, question)
    assert (answer.verdict, answer.leaves) == (WRONG, ("[1, 2]",))
    assert answer.leaves == question.wrong_leaves()


@pytest.mark.slow
def test_the_places_of_a_complex_mistake_are_those_of_its_parts() -> None:
    question = with_mistake("spectrum", "1e-6")
    assert question.wrong_leaves() == ("imag[1]",)
    assert with_mistake("spectrum", "wirtinger").wrong_leaves() == (), "all are wrong"
    answer = asked(judged, question)
    assert (answer.verdict, answer.leaves) == (WRONG, ("imag[1]",))


@pytest.mark.slow
def test_the_command_stores_what_it_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    part = ["--subject", "arm", "--contender", "scipy.optimize.check_grad", "--out", str(out)]
    assert ended("checkers-derivatives", *part) == 0
    shown = capsys.readouterr()
    results = Results.load_of(DERIVATIVES, out)
    assert shown.out == markdown(results)
    assert "| Jacobians | mistakes larger than rounding, caught |" in shown.out
    assert ended("checkers-derivatives", *part) == 2
    one_line(capsys, "is there already; expected --resume or --overwrite")
    assert ended("checkers", "--table", str(out)) == 2
    one_line(capsys, "answers of `benchmarks checkers-derivatives`, expected those of")
