"""Gradients through selections: sorting, ties, NaN in data, numbers that rounding may exchange."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from handgrad import check_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual, constant
from handgrad.data.point import point_at
from handgrad.judging.ruling import rule
from handgrad.judging.witness import DOUBTFUL, RIGHT, RIGHT_FORMULA, WRONG, WRONG_FORMULA
from handgrad.oracle.certify import certify
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.tolerances import Measured, Tolerance
from tests.handgrad.oracle.problems import problem

NAN = np.nan
TIED = np.array([0.3, 0.3])
WITH_NAN = np.array([1.0, NAN, 3.0, 7.0, 2.0])
WEIGHTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])


def ruled(loss: Any, params: Any, inputs: tuple[Any, ...], *answers: Any) -> list[int]:
    """The level of the worst element of each answer, by the tolerances alone."""
    case, given = problem(loss, params, *inputs), point_at(params, inputs)
    reference = certify(case)
    tolerances = measure(case, reference, 0)
    assert tolerances.full.sharp.max() < 1e-11
    right = balls.midpoints(reference.gradient)
    return [
        rule(given, reference, tolerances, np.asarray(answer, float), right, case).yours.worst
        for answer in answers
    ]


#: The loss, the parameters, the inputs, right answers and wrong ones.
SELECTIONS: dict[str, tuple[Callable[..., Any], Any, tuple[Any, ...], list[Any], list[Any]]] = {
    "sorted parameters that tie": (
        lambda w: jnp.sum(lax.sort(w) * WEIGHTS[:2]), TIED, (),
        [(1, 2), (2, 1), (1.5, 1.5)], [(5, -2), (3, 0), (0, 0)],
    ),
    "positions of equal data": (
        lambda w, x: jnp.sum(w * lax.sort((x, jnp.arange(2.0)), num_keys=1)[1]), np.array([1.0, 2]),
        (TIED,), [(0, 1)], [(40, -30), (1, 0), (0.5, 0.5)],
    ),
    "a tie of residuals": (
        lambda w, x: lax.sort(jnp.abs(x - w[0]))[2], np.array([3.0]), (np.arange(1.0, 6),),
        [(1,), (-1,), (0.5,)], [(7,), (1.1,)],
    ),
    "the largest of equal ones": (
        lambda w: lax.top_k(w, 2)[0] @ WEIGHTS[:2], np.array([0.3, 0.3, 0.1]), (),
        [(1, 2, 0), (2, 1, 0)], [(9, 0, 0), (3, 0, 0), (1, 1, 1)],
    ),
    "positions of the largest data": (
        lambda w, x: w[lax.top_k(x, 2)[1]] @ WEIGHTS[:2], np.arange(1.0, 4), (np.full(3, 0.3),),
        [(1, 2, 0)], [(2, 1, 0), (0, 1, 2)],
    ),
    "a sum of a trimmed sample": (
        lambda w: jnp.sum(lax.sort(w)[1:-1]), np.array([0.3, 0.3, 0.7, 0.7]), (),
        [(0, 1, 1, 0), (1, 0, 0, 1), (0.5, 0.5, 0.5, 0.5)], [(50, 0, 0, 0), (1, 1, 0, 0)],
    ),
    "a half of data, rounded to even": (
        lambda w, x: w[0] * jnp.sum(lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)),
        np.array([0.3]), (np.array([2.5, 3.5, -0.5, -1.5, 0.6]),), [(5,)], [(6,), (4,)],
    ),
    "a half of data, rounded away from 0": (
        lambda w, x: w[0] * jnp.sum(lax.round(x)), np.array([0.3]), (np.array([2.5, -0.5, 1.4]),),
        [(3,)], [(2,), (4,)],
    ),
    "data with a NaN, sorted": (
        lambda w, x: w[0] * jnp.sum(jnp.where(lax.sort(x) != lax.sort(x), 0.0, lax.sort(x)) *
                                    WEIGHTS),
        np.array([0.3]), (WITH_NAN,), [(1 + 4 + 12 + 56,)], [(0,), (1 + 4 + 12,)],
    ),
    "parameters times data with a NaN, sorted": (
        lambda w, x: lax.sort(w[0] * x)[1], np.array([0.3]), (WITH_NAN,), [(2,)], [(3,), (1,)],
    ),
    "the position of a NaN": (
        lambda w, x: w[lax.argmax(x, 0, np.int32)] + 3.0 * w[lax.top_k(x, 1)[1][0]], WEIGHTS.copy(),
        (WITH_NAN,), [(0, 4, 0, 0, 0)], [(0, 0, 0, 4, 0), (4, 0, 0, 0, 0)],
    ),
    "rounded data by the thousand": (
        lambda w, x: w[0] * lax.sort(x)[1500] + lax.sort(w[0] * x)[1500], np.array([0.3]),
        (np.round(np.sin(np.arange(3000.0)), 1),), [(0,)], [(0.1,), (3,)],
    ),
}  # fmt: skip


#: Those that take long to trace.
LONG = {
    "the largest of equal ones",
    "a sum of a trimmed sample",
    "rounded data by the thousand",
    "parameters times data with a NaN, sorted",
    "a half of data, rounded away from 0",
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in SELECTIONS],
)
def test_a_selection_does_not_widen_the_tolerance(name: str) -> None:
    loss, params, inputs, right, wrong = SELECTIONS[name]
    assert ruled(loss, params, inputs, *right) == [RIGHT] * len(right)
    assert ruled(loss, params, inputs, *wrong) == [WRONG] * len(wrong)


def test_every_order_of_what_ties_has_a_gradient() -> None:
    orders = [*permutations(WEIGHTS[:3])]
    means = [np.mean(orders, axis=0), np.mean(orders[:2], axis=0)]
    wrong = [(1, 1, 5), (0, 0, 7)]
    levels = ruled(
        lambda w: jnp.sum(lax.sort(w) * WEIGHTS[:3]),
        np.full(3, 0.3),
        (),
        *orders,
        *means,
        *wrong,
    )
    assert levels == [RIGHT] * 8 + [WRONG] * 2


NEAR = np.array([0.1, 0.2])  # their sum is 0.3 or more, by less than half an ulp


def near(w: Any) -> Any:
    return jnp.maximum(w[0] + w[1] - 0.3, 0.0) * 2.0


def test_numbers_that_rounding_may_exchange() -> None:
    """The other side's gradient proves nothing; one that is far from both sides is wrong."""
    answers = [(2, 2), (0, 0), (1, 2), (200, 2)]
    assert ruled(near, NEAR, (), *answers) == [RIGHT, DOUBTFUL, DOUBTFUL, WRONG]


@pytest.mark.parametrize("shown", [RIGHT_FORMULA, WRONG_FORMULA])
def test_a_tolerance_larger_than_its_element_proves_nothing(shown: int) -> None:
    params = np.array([0.3])
    case, given = problem(lambda w: jnp.sum(2.0 * w), params), point_at(params, ())
    none = np.zeros(1)
    tolerance = Tolerance(np.ones(1), none, 0.0, 0.0, balls.exact([2.0]), none)  # sharp is 64
    answers = [2.0, 2.0 + 1e-4, 2.1, -2.0, 0.0, 65.0, 67.0]
    rulings = [
        rule(given, certify(case), Measured(tolerance), np.array([a]), np.array([2.0]), case)
        for a in answers
    ]
    assert [r.yours.worst for r in rulings] == [RIGHT, RIGHT, *[DOUBTFUL] * 4, WRONG]
    rerun = [r.with_rerun(np.array([shown])).yours.worst for r in rulings[2:6]]
    assert rerun == [RIGHT if shown == RIGHT_FORMULA else WRONG] * 4
    # Of autodiff the exact value of its program shows it.
    exact = balls.exact([2.0 if shown == RIGHT_FORMULA else 2.1])
    measured = Measured(replace(tolerance, program=exact))
    ruling = rule(given, certify(case), measured, np.array([2.0]), np.array([2.1]), case)
    assert ruling.autodiff.worst == (RIGHT if shown == RIGHT_FORMULA else DOUBTFUL)


def test_a_right_formula_that_is_ill_conditioned_is_right_and_a_wrong_one_is_not() -> None:
    """Half an ulp of the parameter turns the phase by a radian."""

    def loss(w: Any) -> Any:
        return np.sin(1e16 * w[0]) * float(1)  # JAX cannot trace it

    def gradient(factor: float) -> Callable[..., Any]:
        return lambda w: factor * 1e16 * np.cos(1e16 * w)

    verdicts = [
        check_gradient(gradient(factor), loss, np.array([0.3]), points=0).verdict
        for factor in (1.0, -1.0, 1.4, 0.0)
    ]
    assert verdicts == ["agree", "disagree", "undecidable", "undecidable"]


@pytest.mark.parametrize("decreasing", [True, False])
def test_balls_are_sorted_beyond_the_precision_of_floats(decreasing: bool) -> None:
    with balls.precision(192):
        tiny = balls.exact(np.arange(5.0)) * balls.exact(2.0**-100)[()]
        values = balls.ONE + (tiny[::-1] if decreasing else tiny)
        order = Comparisons().sorted([Dual(values)])
    assert order.tolist() == ([4, 3, 2, 1, 0] if decreasing else [0, 1, 2, 3, 4])


def test_equal_data_keep_their_order_and_are_no_ties() -> None:
    comparisons = Comparisons()
    order = comparisons.sorted([constant([2.0, NAN, 1.0, 2.0, 1.0, NAN, 0.0, -0.0])])
    assert order.tolist() == [6, 7, 2, 4, 0, 3, 1, 5]
    assert not comparisons.ties
    assert not comparisons.flat
    again = Comparisons(frozen=comparisons.decided)
    moved = constant([2.0, NAN, 1.0, 1.9, 0.9, NAN, 1.5, -1.0])
    assert again.sorted([moved]).tolist() == order.tolist()
    # What was 0 is now beyond what was 1; what was equal stays together, in its order.
    (other,) = comparisons.decided.others
    assert other[0].ravel().tolist() == [2, 4, 6, 7, 0, 3, 1, 5]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "params", "inputs", "right", "wrong"),
    [
        (lambda w: np.sum(np.sort(w) * [1.0, 2.0]), TIED, (), [1.5, 1.5], [5, -2]),
        (lambda w: np.median(w), np.array([0.3, 0.3, 0.3]), (), [0.5, 0, 0.5], [5, -4, 0]),
        (lambda w, x: np.nanmedian(x * w[0]), np.array([0.3]), (WITH_NAN,), [2.5], [3]),
        (lambda w, x: w[0] * jnp.nanmedian(x), np.array([0.3]), (WITH_NAN,), [2.5], [3]),
        (lambda w, x: jnp.nanquantile(x * w[0], 0.3), np.array([0.3]), (WITH_NAN,), [1.9], [3]),
        (lambda w, x: w @ jnp.argsort(x).astype(w.dtype), TIED, (TIED,), [0, 1], [40, -30]),
        (lambda w: jnp.median(jnp.abs(np.arange(1.0, 6) - w)), np.array([3.0]), (), [0.5], [7]),
        (lambda w: jnp.quantile(w, 0.5), np.array([0.3, 0.3, 0.7]), (), [1, 0, 0], [9, 0, 0]),
        (lambda w, x: w[0] * jnp.round(x).sum(), np.array([0.3]), (TIED + 1.2,), [4], [2]),
    ],
)  # fmt: skip
def test_what_people_write(loss: Any, params: Any, inputs: Any, right: Any, wrong: Any) -> None:
    for answer, verdict in ((right, "agree"), (wrong, "disagree")):
        found = check_gradient(
            lambda *_, answer=answer: np.array(answer, float), loss, params, *inputs, points=0
        )
        assert found.verdict == verdict
