"""The cases of the comparison are what they say, and each checker is asked as it should be."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from benchmarks.checkers import cases, contenders, messages
from benchmarks.checkers.contenders import CONTENDERS, Contender
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer
from benchmarks.checkers.table import OF_RIGHT_POINTS
from models import elements, right_points
from tests.benchmarks.planted_checkers import broken, gradient, question, says, transposed, turned
from tests.tiers import one_of_each


def test_every_case_has_a_name_of_its_own_and_words_in_the_table() -> None:
    everything = cases.cases()
    assert max(Counter(case.id for case in everything).values()) == 1
    assert {case.what for case in everything if case.part == cases.RIGHT} == set(OF_RIGHT_POINTS)


def test_the_quick_part_has_something_of_everything() -> None:
    chosen = cases.quick(cases.cases())
    assert len(chosen) <= 20
    assert {case.what for case in chosen if case.part == cases.RIGHT} == set(OF_RIGHT_POINTS)
    assert {case.what for case in chosen if case.part == cases.ELEMENTS} == set(elements.MISTAKES)
    assert {case.what for case in chosen if case.part == cases.MISTAKES} == set(
        cases.QUICK_MISTAKES
    )


NAMES = [point.name for points in right_points.POINTS.values() for point in points]


@pytest.mark.slow
@pytest.mark.parametrize("name", one_of_each(NAMES, ["hinge"], 3))
def test_a_right_point_is_right(name: str) -> None:
    """Beside the judge's certified truth: nothing was derived wrongly here."""
    with jax.enable_x64(True):
        assert contenders.check_gradient(cases.at_right_point(name)).verdict == RIGHT


@pytest.mark.parametrize("mistake", elements.MISTAKES)
def test_one_element_is_wrong(mistake: str) -> None:
    asked = cases.in_one_element(100, mistake, 0)
    assert asked.right is not None
    wrong, right = asked.gradient(*asked.point()), asked.right(*asked.point())
    assert (wrong["w"] != right["w"]).sum() == 1
    assert (wrong["b"] == right["b"]).all()
    assert asked.wrong_leaves() == ("params['w']",)


@pytest.mark.parametrize(
    ("wrong", "leaves"),
    [(turned, ("params['w']",)), (transposed, ("params['w']",)), (broken, ()), (gradient, ())],
)
def test_which_leaves_are_wrong(wrong: Callable[..., Any], leaves: tuple[str, ...]) -> None:
    assert question(wrong).wrong_leaves() == leaves


def test_a_mistake_of_a_second_call_is_fresh_every_time() -> None:
    (first,) = [c for c in cases.quick(cases.cases()) if c.what == "accumulates"]
    for _ in range(2):
        asked = first.build()
        assert asked.right is not None
        one, right = asked.gradient(*asked.point()), asked.right(*asked.point())
        jax.tree.map(np.testing.assert_array_equal, one, right)
        assert asked.wrong_leaves() != ()


@pytest.mark.slow
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_a_checker_is_asked_as_it_should_be(contender: Contender) -> None:
    if reason := contender.absent():
        pytest.skip(reason)
    with jax.enable_x64(True):
        assert contender.ask(question()).verdict == RIGHT
        sign, form = contender.ask(question(turned)), contender.ask(question(transposed))
        raised = stopped(contender, broken)
    assert (sign.verdict, form.verdict) == (WRONG, WRONG)
    assert raised.verdict == NO_ANSWER
    named = {"handgrad": ["params['w']"] * 2, "jax": ["", "params['w']"], "scipy": ["", ""]}
    expected = named.get(contender.package, ["params['w']"] * 2)
    assert ["".join(sign.leaves), "".join(form.leaves)] == expected


def stopped(contender: Contender, asked: Callable[..., Any]) -> Answer:
    """What is made of an exception in the gradient, as the worker does."""
    try:
        return contender.ask(question(asked))
    except ZeroDivisionError:
        return Answer(NO_ANSWER, "error")


def test_an_absent_package_is_named() -> None:
    absent = Contender("none", "no_such_package_at_all", partial(says, RIGHT))
    assert (absent.absent() or "").startswith("no_such_package_at_all is not installed: ")


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
    assert messages.kinds(message) == ((kind,) if kind else ())
    found = messages.blamed(message, ["params[0].w", "params[1].w"])
    assert found == ((blamed,) if blamed else ())
