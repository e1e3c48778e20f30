"""Losses and gradients that are another at certain calls, counted from the first one of a check."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handgrad import check_gradient, compare_gradients, exact_gradient
from handgrad.judging.repeatability import CALLS
from tests.corpus.rows.hidden_state import NO_FUNCTION, W, at_times, by_numpy, off, traced, twice
from tests.tiers import one_of_each

LOSSES = {"traced": traced, "in NumPy": by_numpy}


def counted(k: int, loss: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return at_times(k, loss, lambda w: 1.1 * loss(w))


@pytest.mark.parametrize("k", one_of_each([2, 5, 7], [7]))
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("factor", one_of_each([2.0, 0.0, -30.0], [2.0]))
def test_a_loss_of_some_calls_makes_nobody_guilty(name: str, k: int, factor: float) -> None:
    report = check_gradient(lambda w: factor * w, counted(k, LOSSES[name]), W, points=0)
    assert report.verdict == "undecidable", str(report)
    assert NO_FUNCTION in report.headline
    assert report.warnings == ()


def test_a_gradient_that_is_off_in_the_calls_that_are_judged_alone() -> None:
    calls = itertools.count(1)

    def gradient(w: Any) -> Any:
        return twice(w) * (1 + 1e-9 * (next(calls) in (CALLS + 1, CALLS + 2)))

    report = check_gradient(gradient, traced, W, points=0)
    assert (report.verdict, report.observed[0].kind) == ("disagree", "not-repeatable")


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES.values())
@pytest.mark.parametrize("k", [11, 17, 23])
def test_a_gradient_that_is_seldom_off_is_found_at_other_points(k: int, loss: Any) -> None:
    report = check_gradient(off(k, 1 + 1e-9), loss, W)
    assert (report.verdict, report.observed[0].kind) == ("disagree", "not-repeatable")


def test_what_raises_in_some_calls_alone() -> None:
    def sometimes(function: Callable[[Any], Any], first: int) -> Callable[[Any], Any]:
        calls = itertools.count(1)
        return lambda w: function(w[: 4 if next(calls) != first else 0].reshape(3))

    # The loss is traced twice, called at three points, and then traced again, to compare.
    report = check_gradient(twice, sometimes(traced, 7), W, points=1)
    assert NO_FUNCTION in report.headline
    report = check_gradient(sometimes(twice, CALLS + 3), traced, W, points=1)
    assert (report.verdict, report.point) == ("disagree", 1)
    assert "it raised ValueError in one call and not in another" in report.headline


def test_other_verbs_say_it_as_well() -> None:
    with pytest.raises(ArithmeticError, match=NO_FUNCTION):
        exact_gradient(lambda w: traced(w) * np.random.random(), W)
    answers = {"a": twice, "b": lambda w: 3 * w}
    report = compare_gradients(answers, counted(2, traced), W, points=0)
    assert f"a and b are undecidable: the loss {NO_FUNCTION}" in report.headline
