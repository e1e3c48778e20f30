"""The cases of the comparison are what they say, and each checker is asked as it should be."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers import cases, contenders
from benchmarks.checkers.cases import (
    DERIVATIVES,
    ELEMENTS,
    GRADIENTS,
    MISTAKES,
    NO_ANSWER,
    QUESTIONS,
    RIGHT,
    TIMES,
    TORCH,
    WRONG,
    Case,
    Question,
)
from benchmarks.checkers.contenders import Contender
from benchmarks.checkers.tables import OF_RIGHT_POINTS
from models import elements, right_points
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE
from tests.benchmarks.planted_checkers import asked, question
from tests.tiers import one_of_each, slowly

#: Of each kind a derivative, and a mistake that no checker may miss.
GROSS = {
    JACOBIAN: ("arm", "exchanged"),
    HESSIAN: ("rosenbrock", "sign"),
    PRODUCT: ("rosenbrock-product", "sign"),
    COMPLEX: ("rayleigh", "other-convention"),
    RULE: ("softplus-rule", "other-side"),
}


def right(name: str) -> Question:
    return Case(DERIVATIVES, RIGHT, name, cases.AS_WRITTEN).build()


def wrong(name: str, slug: str) -> Question:
    return Case(DERIVATIVES, MISTAKES, name, slug).build()


def broken(*_: Any) -> Any:
    raise ZeroDivisionError("division by zero")


def test_all_right_points_and_single_elements_are_asked_about() -> None:
    """By names of their own; a few cases are of every part."""
    for questions in (each for each in QUESTIONS if each != TORCH):
        every, few = cases.cases(questions), cases.cases(questions, few=True)
        assert max(Counter(case.id for case in every).values()) == 1
        assert {case.id for case in few} <= {case.id for case in every}
        assert {case.part for case in few} == {case.part for case in every}
        assert len(few) <= 50
    every = cases.cases(GRADIENTS)
    assert {case.what for case in every if case.part == RIGHT} == set(OF_RIGHT_POINTS)
    single = Counter((case.subject, case.what) for case in every if case.part == ELEMENTS)
    wanted = {str(size): draws for size, draws in cases.SIZES.items()}
    assert single == {(s, what): n for s, n in wanted.items() for what in elements.MISTAKES}


POINTS = [subject.name for points in right_points.POINTS.values() for subject in points]


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each(POINTS, ["hinge"]))
def test_a_right_point_is_right(name: str) -> None:
    """Beside the judge's certified truth: nothing was derived wrongly here."""
    about = Case(GRADIENTS, RIGHT, name, cases.AS_WRITTEN).build()
    assert asked(contenders.by_handgrad, about).verdict == RIGHT


@pytest.mark.parametrize("mistake", elements.MISTAKES)
def test_one_element_is_wrong(mistake: str) -> None:
    about = Case(GRADIENTS, ELEMENTS, "100", mistake).build()
    found, true = about.by_hand(*about.point()), about.right(*about.point())
    assert (found["w"] != true["w"]).sum() == 1
    assert (found["b"] == true["b"]).all()


@pytest.mark.parametrize(
    ("about", "due"),
    [
        (lambda: Case(GRADIENTS, ELEMENTS, "100", "sign").build(), ("params['w']",)),
        (lambda: question("bias-mean"), ("params['bias']",)),
        (lambda: question("dw-transposed"), ("params['weight']",)),
        (lambda: replace(question("bias-mean"), by_hand=broken), ()),
        (question, ()),
        (lambda: wrong("arm", "1e-3"), ("[1, 2]",)),
        (lambda: wrong("spectrum", "1e-6"), ("imag[1]",)),
        (lambda: wrong("spectrum", "wirtinger"), ()),  # all are
        (lambda: wrong(*GROSS[RULE]), ()),
        (lambda: right("arm"), ()),
    ],
)
def test_what_is_wrong_is_known(about: Callable[[], Question], due: tuple[str, ...]) -> None:
    assert about().wrong_leaves() == due


def test_a_mistake_of_a_second_call_is_fresh_every_time() -> None:
    first = next(case for case in cases.cases(GRADIENTS) if case.what == "accumulates")
    for _ in range(2):
        about = first.build()
        one, true = about.by_hand(*about.point()), about.right(*about.point())
        jax.tree.map(np.testing.assert_array_equal, one, true)
        assert about.wrong_leaves() != ()


OF_GRADIENTS = contenders.of(GRADIENTS)


@pytest.mark.slow
@pytest.mark.parametrize("contender", OF_GRADIENTS, ids=lambda contender: contender.name)
def test_a_checker_of_gradients_is_asked_as_it_should_be(contender: Contender) -> None:
    assert replace(contender, package="no_such_package").absent()
    if reason := contender.absent():
        pytest.skip(reason)
    ask = contender.ask
    assert asked(ask, question()).verdict == RIGHT
    mean, form = asked(ask, question("bias-mean")), asked(ask, question("dw-transposed"))
    assert (mean.verdict, form.verdict) == (WRONG, WRONG)
    assert asked(ask, replace(question(), by_hand=broken)).verdict == NO_ANSWER
    right = ["params['bias']", "params['weight']"]
    expected = {"jax": ["", right[1]], "scipy": ["", ""]}.get(contender.package, right)
    assert ["".join(mean.leaves), "".join(form.leaves)] == expected


def test_ours_says_how_much_it_judged() -> None:
    case = Case(TIMES, RIGHT, "2-2-1, 4", TIMES)
    calls = [case.build(call) for call in range(3)]
    answer = asked(contenders.by_handgrad, calls[1])
    assert (answer.verdict, answer.points, answer.judged) == (RIGHT, 9, 9)
    weights, inputs = ([jax.tree.leaves(each.at[k])[0].tobytes() for each in calls] for k in (0, 1))
    assert len({*weights}) == 3, "else it might keep its answer"
    assert len({*inputs}) == 1


kinds = pytest.mark.parametrize("kind", one_of_each([*GROSS], [JACOBIAN, COMPLEX]))


@kinds
@pytest.mark.parametrize(
    "ask", [contenders.check_grad, contenders.by_test_util, slowly(contenders.by_handgrad)]
)
def test_a_gross_mistake_is_wrong_and_none_is_right(kind: str, ask: Any) -> None:
    name, slug = GROSS[kind]
    assert right(name).kind == kind
    assert asked(ask, right(name)).verdict == RIGHT
    assert asked(ask, wrong(name, slug)).verdict == WRONG


@pytest.mark.slow
def test_both_modes_and_both_orders_of_a_rule_are_asked_about() -> None:
    """`backwards` is right forwards, `solution` at first order."""
    assert right("solve-rule").modes == ("fwd", "rev")
    assert right("unit-length-rule").modes == ("rev",)
    with jax.enable_x64(True):
        assert len([*contenders.matrices(right("solve-rule"))]) == 3
    for slug in ("backwards", "solution"):
        assert asked(contenders.check_grad, wrong("solve-rule", slug)).verdict == WRONG


class Differentiator:
    """Stands in for numdifftools: returns the right matrix with an error of so many estimates."""

    def __init__(self, true: np.ndarray, off: float) -> None:
        self.found = true + off * 1e-8, np.full(true.shape, 1e-8)

    def __call__(self, _fun: Any, full_output: bool) -> Any:
        assert full_output
        return lambda _x: self.found


@pytest.mark.parametrize(
    ("off", "slug", "verdict", "leaves"),
    [(99.0, "", RIGHT, ()), (101.0, "", WRONG, None), (0.0, "1e-3", WRONG, ("[1, 2]",))],
)
def test_numdifftools_is_held_to_a_hundred_of_its_estimates(
    off: float, slug: str, verdict: str, leaves: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stands_in = SimpleNamespace(Jacobian=Differentiator(right("arm").found, off))
    monkeypatch.setitem(sys.modules, "numdifftools", stands_in)
    answer = asked(contenders.numdifftools, wrong("arm", slug) if slug else right("arm"))
    assert answer.verdict == verdict
    assert leaves is None or answer.leaves == leaves


@pytest.mark.parametrize(
    ("message", "kind", "blamed"),
    [
        ("at output[0][1].w the bwd rule, so the shapes do not match", "shape", "params[1].w"),
        ("Jacobian mismatch for output 0 with respect to input 1,", "", "params[1].w"),
        ("invalid gradient at index 0 - got [2] but expected shape [3]", "shape", "params[0].w"),
        ("Backward is not reentrant, i.e., ... different values", "not-repeatable", ""),
        ("assignment destination is read-only", "mutation", ""),
        ("an incorrect number of gradients (expected 2, got 1)", "structure", ""),
        ("Max absolute difference among violations: 0.5", "", ""),
    ],
)
def test_what_a_message_says(message: str, kind: str, blamed: str) -> None:
    paths = ["params[0].w", "params[1].w"]
    answer = contenders.stopped(paths, AssertionError(message))
    assert (answer.verdict, answer.kinds) == (WRONG, (kind,) if kind else ())
    assert answer.leaves == ((blamed,) if blamed else ())
    assert contenders.stopped(paths, ValueError(message)).verdict == (WRONG if kind else NO_ANSWER)
