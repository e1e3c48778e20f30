"""Every case is ruled as is due, and every report is what a report has to be.

`make test` tries one row in 150, `make test-slow` one in fifty, and the night all of them. Of what
is made of models, which takes longest, and whose mistakes are alike, it is one in four of that.
"""

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import jax
import numpy as np
import pytest

import handgrad
from tests.corpus.all import MODELS, all_cases
from tests.corpus.case import RAISED, Case, scaled, verdict_of
from tests.corpus.due import assert_as_is_due
from tests.corpus.rows.kinks import KINKS
from tests.corpus.truth import truth
from tests.tiers import NIGHT, one_of_each

CASES = all_cases()

# What the day tries is drawn here, so that what it leaves out is not even collected.
pytestmark = pytest.mark.by_day(len(CASES))

#: How much more rarely cases of models are drawn than rows are.
RARER = 4


def some(wanted: Callable[[Case], Any], quick: int, slow: int, salt: str = "") -> Any:
    """Parametrise a test with the cases that are wanted: one in so many, drawn by their names.

    What the quick tests try is among what the slow ones do, so one number divides the other.
    """
    names = [name for name, case in CASES.items() if wanted(case)]

    def drawn(one_in: int) -> list[str]:
        return [
            name
            for name in names
            if crc32((salt + name).encode()) % (one_in * RARER ** is_of_model(name)) == 0
        ]

    return pytest.mark.parametrize(
        "name", one_of_each(names if NIGHT else drawn(slow), drawn(quick))
    )


def is_of_model(name: str) -> bool:
    return name.rpartition(": ")[0] in MODELS


@some(lambda case: True, 150, 50)
def test_a_case_is_ruled_as_is_due(name: str) -> None:
    case = CASES[name]
    due = case.verdict or truth(case)
    assert due, "differences cannot tell what is due: state the verdict"
    assert_as_is_due(case, due)


def may_be_scaled(case: Case) -> bool:
    """Whether an answer that is multiplied is wrong: it is right, and is not zero."""
    right = case.name.endswith(": right") or ": right, " in case.name
    return right and not case.tie and case.verb != "custom" and case.verdict != RAISED


@some(may_be_scaled, 240, 40)
@pytest.mark.parametrize("factor", [-1.0, 1.5])
def test_a_multiple_is_wrong(name: str, factor: float) -> None:
    case = CASES[name].changed(lambda result: scaled(result, factor))
    verdict, report = verdict_of(case.check)
    assert verdict == "disagree", str(report)


@some(lambda case: case.compiled is not None, 160, 80, "jit")
def test_a_compiled_loss_is_the_same(name: str) -> None:
    case = CASES[name]
    assert replace(case, function=case.compiled).check().verdict == case.check().verdict


def right_at_a_kink(case: Case) -> bool:
    """Whether a case is of a right gradient at a kink, or of one at a jump."""
    of, _, said = case.name.partition(": ")
    return (of in KINKS and said.startswith("right")) or said == "at the jump"


@some(right_at_a_kink, 24, 8, "kink")
def test_a_kink_has_no_other_derivative(name: str) -> None:
    """Nor is a gradient called wrong by its slope along a line, which does not meet all sides."""
    case = CASES[name]
    loss, at = case.function, case.at[0]
    along = handgrad.check_gradient(case.answer, loss, at, directions=1, points=0)
    assert along.verdict != "disagree", str(along)
    if name.partition(": ")[0].endswith("NumPy"):  # of these differences are all that is known
        return
    v = np.arange(1.0, 1 + at.size)
    of_linear_sides = handgrad.check_hvp(lambda p, v: 0 * p * v, loss, at, v=v, points=0)
    in_one_row = handgrad.check_jacobian(
        lambda p: case.answer(p)[None], lambda p: loss(p)[None], at, points=0
    )
    for report in (of_linear_sides, in_one_row):
        assert report.verdict == "undecidable", str(report)
        assert "a kink or jump" in str(report)


def wrong_gradients(case: Case) -> bool:
    """Whether a case is of a wrong gradient, which keeps nothing of what it is called with."""
    of_gradient = case.verb == "gradient" and not case.name.endswith(": right")
    return of_gradient and "not-repeatable" not in case.kinds


@some(wrong_gradients, 480, 160, "counterexample")
def test_a_counterexample_is_wrong_as_well(name: str) -> None:
    case = CASES[name]
    verdict, report = verdict_of(case.check)
    if verdict != "disagree" or (found := report.counterexample) is None:
        return
    smaller = replace(case, given=(found.params, *found.inputs))
    assert smaller.check(points=0).verdict == "disagree", str(found)
    sizes = [sum(map(np.size, jax.tree.leaves(at))) for at in (smaller.at, case.at)]
    assert sizes[0] <= sizes[1]


def named(case: Case) -> bool:
    """Whether the functions of a case answer the same at every call."""
    return case.verdict not in (RAISED, "undecidable") and "not-repeatable" not in case.kinds


@some(named, 240, 120, "again")
def test_the_line_that_gives_a_report_again_gives_it(name: str) -> None:
    case = CASES[name]
    report = case.check()
    call = ast.parse(report.reproduce, mode="eval").body
    assert isinstance(call, ast.Call)
    given, options = case.arguments()
    here = {
        kw.value.id: options[str(kw.arg)] for kw in call.keywords if isinstance(kw.value, ast.Name)
    }
    for k, arg in enumerate(call.args):
        word = ast.unparse(arg)
        assert word not in here, "each has a name of its own"
        here[word.lstrip("*")] = given[k:] if word.startswith("*") else given[k]
    again = eval(
        report.reproduce, {ast.unparse(call.func): getattr(handgrad, f"check_{case.verb}")} | here
    )
    assert (again.verdict, again.headline) == (report.verdict, report.headline)
