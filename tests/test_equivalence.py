"""By hand and by autodiff: the two gradients agree at random weights, inputs and targets.

"Agree" means: within what rounding explains, as `compare.rounding` derives it. The truth is asked
too, because two that agree may both be wrong.
"""

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, note

import autodiff.article
import manual.article
from compare.agreement import NAMES, hand_gradient, ranges, stack
from compare.rounding import exactly
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters
from tests import exact
from tests.equivalence import by_autodiff, verdict_on
from tests.strategies import Point, drawn_points, points

forms = pytest.mark.parametrize("form", SIGMOID_DERIVATIVES)


@forms
@given(point=points)
def test_by_hand_and_by_autodiff_agree(form: str, point: Point) -> None:
    verdict = verdict_on(hand_gradient(form), point, form)
    note(f"{verdict}")
    assert np.isfinite(verdict.bound).all()
    assert verdict.agree.all()


@forms
@given(point=points)
def test_the_truth_lies_where_both_must_answer(form: str, point: Point) -> None:
    """The exact derivative and each witness lie in the range of the lines that witness uses."""
    truth = exact.gradient(*point)
    witnesses = {
        form: stack(hand_gradient(form)(*point)),
        "article": by_autodiff(point),
    }
    for lines, answers in witnesses.items():
        for name, answer, true, span in zip(
            NAMES, answers, truth, ranges(*point, lines), strict=True
        ):
            note(f"{name}, lines {lines}: {answer!r}, truth {true}, range [{span.lo}, {span.hi}]")
            assert span.lo <= answer <= span.hi
            assert exact.contained(true, span.lo, span.hi)


@given(point=points)
def test_the_losses_agree(point: Point) -> None:
    params = autodiff.article.Parameters(*point.params)
    value, grads = autodiff.article.value_and_gradient(params, point.x, point.y)
    assert stack(grads).tobytes() == by_autodiff(point).tobytes()
    bound = manual.article.loss(
        Parameters(*map(exactly, point.params)), exactly(point.x), exactly(point.y)
    )
    assert bound.lo <= manual.article.loss(*point) <= bound.hi
    assert bound.lo <= value <= bound.hi


@forms
def test_the_bound_is_sharp(form: str) -> None:
    """On ordinary points a relative error of 1e-12 is seen in nine elements of ten.

    Where σ saturates at 1, autodiff's σ(1 - σ) loses digits and the bound must allow for it.
    """
    point = drawn_points(4096, seed=2, scale=0.3)
    verdict = verdict_on(hand_gradient(form), point, form)
    assert verdict.agree.all()
    assert np.quantile(verdict.bound / np.abs(verdict.by_hand), 0.9) < 1e-12


@forms
def test_the_same_lines_under_jit(form: str) -> None:
    point = drawn_points(1024, seed=3)
    with jax.enable_x64(True):
        jitted = stack(jax.jit(hand_gradient(form))(*jax.tree.map(jnp.asarray, point)))
    for name, answer, span in zip(NAMES, jitted, ranges(*point, form), strict=True):
        assert np.all((span.lo <= answer) & (answer <= span.hi)), name


@forms
def test_the_same_lines_under_array_api_strict(form: str) -> None:
    """The standard's strict implementation computes with NumPy: every bit must be the same."""
    point = drawn_points(1024, seed=4)
    params, x, y = jax.tree.map(array_api_strict.asarray, point)
    strict = [np.asarray(part) for part in hand_gradient(form)(params, x, y)]
    assert stack(strict).tobytes() == stack(hand_gradient(form)(*point)).tobytes()


@forms
def test_many_points_at_once_answer_as_one_by_one(form: str) -> None:
    point = drawn_points(64, seed=5)
    together = stack(hand_gradient(form)(*point))
    for i in range(64):
        one = Point(Parameters(*(w[i] for w in point.params)), point.x[i], point.y[i])
        spans = ranges(*one, form)
        assert all(s.lo <= a <= s.hi for s, a in zip(spans, together[:, i], strict=True))


def test_in_float32_the_lines_stay_in_float32() -> None:
    point = jax.tree.map(np.float32, drawn_points(16, seed=6))
    grads = manual.article.gradient(*point)
    assert {np.asarray(part).dtype for part in grads} == {np.dtype(np.float32)}
