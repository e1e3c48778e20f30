"""Every case is ruled as is due, and every report is what a report has to be.

`make test` tries one case in sixty, `make test-slow` one in ten, and the night all of them.
"""

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zlib import crc32

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import sparse

import handgrad
from tests.corpus.all import all_cases
from tests.corpus.case import RAISED, Case, Row, cases, scaled, verdict_of
from tests.corpus.due import assert_as_is_due
from tests.corpus.truth import truth
from tests.tiers import NIGHT, one_of_each, slowly

CASES = all_cases()


def some(wanted: Callable[[Case], Any], quick: int, slow: int, salt: str = "") -> Any:
    """Parametrise a test with the cases that are wanted: one in so many, drawn by their names.

    What the quick tests try is among what the slow ones do, so one number divides the other.
    """
    number = {name: crc32((salt + name).encode()) for name, case in CASES.items() if wanted(case)}
    names = [name for name in number if NIGHT or number[name] % slow == 0]
    return pytest.mark.parametrize(
        "name", one_of_each(names, [name for name in names if number[name] % quick == 0])
    )


@some(lambda case: True, 60, 10)
def test_a_case_is_ruled_as_is_due(name: str) -> None:
    case = CASES[name]
    due = case.verdict or truth(case)
    assert due, "differences cannot tell what is due: state the verdict"
    assert_as_is_due(case, due)


def may_be_scaled(case: Case) -> bool:
    """Whether an answer that is multiplied is wrong: it is right, and is not zero."""
    right = case.name.endswith(": right") or ": right, " in case.name
    return right and not case.tie and case.verb != "custom" and case.verdict != RAISED


@some(may_be_scaled, 60, 10)
@pytest.mark.parametrize("factor", [-1.0, 1.5])
def test_a_multiple_is_wrong(name: str, factor: float) -> None:
    case = CASES[name].changed(lambda result: scaled(result, factor))
    verdict, report = verdict_of(case.check)
    assert verdict == "disagree", str(report)


@some(lambda case: case.compiled is not None, 80, 20, "jit")
def test_a_compiled_loss_is_the_same(name: str) -> None:
    case = CASES[name]
    assert replace(case, function=case.compiled).check().verdict == case.check().verdict


def wrong_gradients(case: Case) -> bool:
    """Whether a case is of a wrong gradient, which keeps nothing of what it is called with."""
    of_gradient = case.verb == "gradient" and not case.name.endswith(": right")
    return of_gradient and "not-repeatable" not in case.kinds


@some(wrong_gradients, 960, 60, "counterexample")
def test_a_counterexample_is_wrong_as_well(name: str) -> None:
    case = CASES[name]
    verdict, report = verdict_of(case.check)
    if verdict != "disagree" or (found := report.counterexample) is None:
        return
    smaller = replace(case, at=(found.params, *found.inputs))
    assert smaller.check(points=0).verdict == "disagree", str(found)
    sizes = [sum(map(np.size, jax.tree.leaves(at))) for at in (smaller.at, case.at)]
    assert sizes[0] <= sizes[1]


def named(case: Case) -> bool:
    """Whether the functions of a case answer the same at every call."""
    return case.verdict not in (RAISED, "undecidable") and "not-repeatable" not in case.kinds


@some(named, 240, 40, "again")
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


def size(p: Any) -> Any:
    return jnp.abs(p[0]) + p[1] ** 2


def narrow(p: Any) -> Any:
    """Not 0 on about one side in ten."""
    return jax.nn.relu(jnp.minimum(p[0] - 0.5 * p[1], p[1] - 0.5 * p[0]))


def among_steep(p: Any) -> Any:
    return jnp.abs(p[0] - p[1]) + 100 * jnp.sum(p[2:] ** 2)


def rounded(p: Any) -> Any:
    return jnp.sum(p.astype(jnp.float16) ** 2)


def adding() -> Callable[[Any], Any]:
    calls: list[None] = []

    def gradient(p: Any) -> Any:
        calls.append(None)
        return 2 * p * len(calls)

    return gradient


def given(*slopes: float) -> Callable[[Any], Any]:
    return lambda p: np.array(slopes, float)


CORNER, MANY, BAND = np.array([0.0, 0.3]), np.array([0.7, 0.7, *range(1, 9)]), np.diag([1.0, 2])

#: Of a loss at a point what is due of answers: None where differences must not decide.
LOOKED_AT: list[tuple[Callable[[Any], Any], np.ndarray, list[tuple[Any, str | None]]]] = [
    (
        lambda p: jnp.sum(p**2),
        CORNER + 1,
        [
            (lambda p: 2 * p, "agree"),
            (lambda p: 2 * p * (1 + 1e-4), "disagree"),
            (lambda p: 2 * p * (1 + 1e-6), None),
            (given(np.inf, 2.6), "disagree"),
            (given(np.nan, 2.6), "disagree"),
            (given(2.0), "disagree"),
            (adding(), "disagree"),
        ],
    ),
    (
        size,
        CORNER,
        [
            *((given(side, 0.6), "agree") for side in (-1, -0.3, 0, 1)),
            *((given(side, 0.6), "disagree") for side in (1.001, -2, np.inf, np.nan)),
            (given(1, 0.7), "disagree"),
            (given(1 + 1e-6, 0.6), None),
        ],
    ),
    # Slopes along every line, which are no gradient's.
    (
        lambda p: jnp.median(p),
        np.zeros(3),
        [(given(1, 0, 0), "agree"), (given(5, -4, 0), "disagree")],
    ),
    (
        among_steep,
        MANY,
        [
            (lambda p: np.array([-1, 1, *200 * p[2:]]), "agree"),
            (lambda p: np.array([1, 1, *200 * p[2:]]), None),
        ],
    ),
    # A side that is hardly met, jumps, slopes without a limit, numbers that are rounded.
    (
        narrow,
        np.zeros(2),
        [(given(0, 0), "agree"), (given(1, -0.5), "agree"), (given(1, 1), "disagree")],
    ),
    (lambda p: jnp.sign(p[0]), CORNER, [(given(0, 0), None)]),
    (lambda p: jnp.sqrt(jnp.abs(p[0])), CORNER, [(given(0, 0), None)]),
    (rounded, CORNER + 1, [(lambda p: 2 * p, None), (lambda p: 2.02 * p, None)]),
]


@pytest.mark.parametrize(("loss", "at", "answers"), [slowly(*row) for row in LOOKED_AT])
def test_the_truth_decides_what_differences_show(loss: Any, at: Any, answers: Any) -> None:
    asked = cases("a loss", handgrad.check_gradient, loss, at, points=0)
    made = asked(*(Row(str(k), answer) for k, (answer, _) in enumerate(answers)))
    assert [truth(case) for case in made] == [due for _, due in answers]


def test_the_truth_reads_jacobians_of_every_form() -> None:
    def due(jac: Any, function: Any = lambda x: BAND @ x) -> str | None:
        asked = cases("a Jacobian", handgrad.check_jacobian, function, np.ones(2), points=0)
        return truth(*asked(Row("", lambda x: jac)))

    forms: Any = (np.array, np.ndarray.tolist, sparse.BCOO.fromdense, sparse.COO.fromdense)
    for form in forms:
        assert due(form(BAND)) == "agree"
        assert due(form(BAND.T + np.eye(2, k=1))) == "disagree"
        assert due(form(BAND[:1])) == "disagree"
    assert due([[1.0], [2.0, 3.0]]) == "disagree"
    assert due(None) == "disagree"
    assert due(np.array([2.0, 2.0]), lambda x: x @ x) == "agree"
    assert due(np.array([2.0, 2.0]), lambda x: x * x) == "disagree"
