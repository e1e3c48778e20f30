"""Losses and gradients with hidden state: random numbers, counters, caches, time."""

import itertools
import math
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from handgrad import check_backward, check_custom, check_gradient, check_steps, exact_gradient
from handgrad.data.point import point_at
from handgrad.judging import repeatability
from handgrad.judging.case import Case
from handgrad.judging.jax_loss import JaxLoss
from handgrad.judging.judge import check_repeatable
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.judging.outcome import Outcome
from handgrad.judging.repeatability import CALLS, NotAFunctionError
from handgrad.judging.witness import NOTHING_LEFT, RIGHT, WRONG
from tests.tiers import one_of_each

W = np.array([0.3, -0.7, 1.2])
X = np.random.default_rng(0).standard_normal((5, 3))

NO_FUNCTION = "is not a function of its arguments"


def traced(w: Any) -> Any:
    return jnp.sum(w**2)


def by_numpy(w: Any) -> Any:
    """What JAX cannot trace."""
    return np.sum(np.square(np.asarray(w))) if w.dtype != object else np.sum(w * w)


def right(w: Any) -> Any:
    return 2 * w


def with_a_fresh_mask(rng: np.random.Generator) -> Callable[[Any], Any]:
    return lambda w: np.sum(np.tanh((X * (rng.random((5, 3)) > 0.5)) @ w) ** 2)


def with_a_fresh_factor(rng: np.random.Generator) -> Callable[[Any], Any]:
    return lambda w: traced(w) * rng.random()


def with_a_fresh_factor_in_numpy(rng: np.random.Generator) -> Callable[[Any], Any]:
    return lambda w: by_numpy(w) * rng.random()


def in_a_callback(rng: np.random.Generator) -> Callable[[Any], Any]:
    scalar = jax.ShapeDtypeStruct((), np.float64)
    return lambda w: traced(w) * jax.pure_callback(lambda: np.float64(rng.random()), scalar)


def with_a_counter(every: int, loss: Callable[[Any], Any]) -> Callable[[Any], Any]:
    calls = itertools.count(1)
    return lambda w: loss(w) * (1.1 if next(calls) % every == 0 else 1.0)


def with_a_default_that_grows() -> Callable[[Any], Any]:
    def loss(w: Any, seen: list[int] = []) -> Any:  # noqa: B006 (the point of it)
        seen.append(1)
        return traced(w) * len(seen)

    return loss


def with_what_was_kept() -> Callable[[Any], Any]:
    kept: dict[str, Any] = {}
    return lambda w: kept.setdefault("loss", traced(w))


STATEFUL: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "a mask": lambda: with_a_fresh_mask(np.random.default_rng(1)),
    "a factor": lambda: with_a_fresh_factor(np.random.default_rng(1)),
    "a factor, NumPy": lambda: with_a_fresh_factor_in_numpy(np.random.default_rng(1)),
    "a callback": lambda: in_a_callback(np.random.default_rng(1)),
    "every second call": lambda: with_a_counter(2, traced),
    "every third call": lambda: with_a_counter(3, traced),
    "every seventh call": lambda: with_a_counter(7, traced),
    "every fifth call, NumPy": lambda: with_a_counter(5, by_numpy),
    "every seventh call, NumPy": lambda: with_a_counter(7, by_numpy),
    "a default that grows": with_a_default_that_grows,
    "a tracer that was kept": with_what_was_kept,
}


#: For the quick tests.
QUICK = ("a mask", "a factor", "every fifth call, NumPy", "a tracer that was kept")


@pytest.mark.parametrize("name", QUICK)
def test_a_loss_that_is_no_function_makes_nobody_guilty(name: str) -> None:
    report = check_gradient(right, STATEFUL[name](), W, points=0)
    assert report.verdict == "undecidable", str(report)
    assert NO_FUNCTION in report.headline
    assert report.warnings == ()


@pytest.mark.slow
@pytest.mark.parametrize("factor", [2.0, 0.0, -30.0])
@pytest.mark.parametrize("name", STATEFUL)
def test_no_gradient_agrees_with_it(name: str, factor: float) -> None:
    for points in (0, 8):
        report = check_gradient(lambda w: factor * w, STATEFUL[name](), W, points=points)
        assert report.verdict == "undecidable", str(report)


def test_what_the_loss_and_the_gradient_both_draw_makes_nobody_guilty() -> None:
    rng = np.random.default_rng(0)

    def loss(w: Any) -> Any:
        return jnp.mean((X[rng.permutation(5)[:3]] @ w) ** 2)

    def gradient(w: Any) -> Any:
        x = X[rng.permutation(5)[:3]]
        return 2 / 3 * x.T @ (x @ w)

    assert NO_FUNCTION in check_gradient(gradient, loss, W, points=0).headline

    def scaled(w: Any) -> Any:
        return right(w) * rng.random()

    by_both = check_gradient(scaled, with_a_fresh_factor_in_numpy(rng), W, points=0)
    assert NO_FUNCTION in by_both.headline
    # Of a loss that draws nothing, such a gradient is wrong.
    by_one = check_gradient(scaled, by_numpy, W, points=0)
    assert (by_one.verdict, by_one.observed[0].kind) == ("disagree", "not-repeatable")


def test_another_order_of_terms_that_compares_what_is_no_number_is_a_function() -> None:
    rng = np.random.default_rng(0)

    def shuffled(w: Any) -> Any:
        return traced(jnp.where(jnp.log(w) > 0, w, w)[rng.permutation(3)])

    assert check_gradient(right, shuffled, W, points=0).verdict == "agree"


@pytest.mark.slow
@pytest.mark.parametrize("loss_of", [traced, by_numpy])
def test_what_is_drawn_with_a_seed_or_in_another_order_is_a_function(loss_of: Any) -> None:
    rng = np.random.default_rng(0)

    def shuffled(w: Any) -> Any:
        return loss_of(w[rng.permutation(3)])

    def seeded(w: Any) -> Any:
        return loss_of(w * np.where(np.random.default_rng(5).random(3) > 0.6, 1.0, 0.0))

    mask = np.where(np.random.default_rng(5).random(3) > 0.6, 1.0, 0.0)
    assert check_gradient(right, shuffled, W, points=1).verdict == "agree"
    assert check_gradient(lambda w: 2 * w * mask, seeded, W, points=1).verdict == "agree"
    assert check_gradient(lambda w: 3 * w, shuffled, W, points=0).verdict == "disagree"
    assert check_gradient(right, seeded, W, points=0).verdict == "disagree"


def test_a_loss_may_write_to_its_inputs() -> None:
    """Each call gets its own copies; else it would be another loss at every call."""
    y = np.array([0, 1, 2, 0, 1])

    def loss(w: Any, y: Any, more: list[float]) -> Any:
        y += 1
        more.append(1.0)
        return jnp.sum((X @ w - y.astype(float)) ** 2) * len(more)

    report = check_gradient(
        lambda w, y, _: 4 * X.T @ (X @ w - (y + 1)), loss, W, y, [1.0], points=1
    )
    assert report.verdict == "agree", str(report)
    assert y.tolist() == [0, 1, 2, 0, 1]


@pytest.mark.slow
def test_parts_and_exact_values_of_what_is_no_function() -> None:
    rng = np.random.default_rng(1)

    def forward(x: Any) -> Any:
        mask = np.where(rng.random(3) > 0.5, 1.0, 0.0)
        return jnp.sin(x) * mask, (x, mask)

    def backward(d: Any, cache: Any) -> Any:
        return d * cache[1] * jnp.cos(cache[0])

    report = check_backward(forward, backward, W, points=0)
    assert report.headline.startswith(f"undecidable: forward {NO_FUNCTION}")
    (step,) = check_steps([("drop", forward, backward)], W, points=0).steps
    assert step.report.verdict == "undecidable"

    @jax.custom_vjp
    def f(x: Any) -> Any:
        return jnp.sin(x) * rng.random()

    f.defvjp(lambda x: (f(x), x), lambda x, d: (d * jnp.cos(x),))
    assert check_custom(f, W, points=0).headline.startswith(f"undecidable: f {NO_FUNCTION}")
    for loss in (with_a_fresh_factor(rng), with_a_fresh_factor_in_numpy(rng)):
        with pytest.raises(ArithmeticError, match=NO_FUNCTION):
            exact_gradient(loss, W)


def off_at_every(k: int, factor: float) -> Callable[[Any], Any]:
    calls = itertools.count(1)
    return lambda w: right(w) * (factor if next(calls) % k == 0 else 1)


@pytest.mark.parametrize("k", one_of_each([2, 3, 7, CALLS], [3, CALLS]))
@pytest.mark.parametrize("factor", [1.5, 0.0, 1 + 1e-9])
def test_a_gradient_that_is_off_in_some_calls(k: int, factor: float) -> None:
    report = check_gradient(off_at_every(k, factor), traced, W, points=0)
    assert (report.verdict, report.observed[0].kind) == ("disagree", "not-repeatable")


@pytest.mark.parametrize("k", one_of_each([2, CALLS], [CALLS]))
def test_calls_may_differ_by_rounding(k: int) -> None:
    """Threads, a device's atomic operations and sets add in another order at each call."""
    x, calls = np.random.default_rng(0).normal(size=(9, 2)), itertools.count(1)

    def loss(w: Any) -> Any:
        return ((x @ w - 1.0) ** 2).sum()

    def gradient(w: Any) -> Any:
        rows = 2 * (x @ w - 1.0)[:, None] * x
        return sum(rows if next(calls) % k else rows[::-1], np.zeros(2))

    report = check_gradient(gradient, loss, np.array([0.3, 0.7]), points=2)
    assert report.verdict == "agree"
    assert any("where rounding explains" in warning for warning in report.warnings)


ROWS = np.random.default_rng(0).normal(size=(9, 2))


def in_any_order(factor: float = 1.0, race: float = 0.0) -> Callable[[Any], Any]:
    """The gradient of the loss below with its terms in another order at each call."""
    rng = np.random.default_rng(0)

    def gradient(w: Any) -> Any:
        rows = 2 * (ROWS @ w - 1.0)[:, None] * ROWS
        raced = race * (rng.random() > 0.5) * np.array([0.0, 1.0])
        return factor * sum(rows[rng.permutation(len(rows))], np.zeros(2)) + raced

    return gradient


def of_rows(w: Any) -> Any:
    return ((ROWS @ w - 1.0) ** 2).sum()


def test_a_wrong_gradient_that_varies_is_told_as_what_it_is() -> None:
    report = check_gradient(in_any_order(2.0), of_rows, np.array([0.3, 0.7]), points=2)
    assert [d.kind for d in report.diagnoses] == ["factor"]
    said = re.sub(r"\d[\d.]*", "1", report.warnings[-1])
    assert said == (
        "the gradient varies at the same point: 1 calls differ by up to 1 ulps in w[1], where "
        "rounding explains up to 1 ulps"
    )


@pytest.mark.parametrize("race", [1e-9, 1e-12])
def test_more_than_rounding_explains_is_a_race(race: float) -> None:
    report = check_gradient(in_any_order(race=race), of_rows, np.array([0.3, 0.7]), points=0)
    (finding,) = report.observed
    assert (finding.kind, finding.leaf, finding.index) == ("not-repeatable", "w", (1,))
    first, other = map(float, re.findall(r"[\d.]*\d\.\d+", finding.detail)[:2])
    assert abs(first - other) == pytest.approx(race, rel=0.1)
    assert "where rounding explains up to" in finding.detail


@pytest.mark.parametrize("loss", [traced, by_numpy])
def test_calls_that_are_all_right_may_vary(loss: Any) -> None:
    for factor, verdict in ((1 + 1e-15, "agree"), (1 + 1e-9, "disagree")):
        report = check_gradient(off_at_every(2, factor), loss, W, points=0)
        assert report.verdict == verdict
        said = report.warnings if report else [report.observed[0].detail]
        assert "where rounding explains up to" in said[-1]


def test_a_loss_beside_the_gradient_may_vary_by_its_order() -> None:
    rng = np.random.default_rng(0)

    def both(w: Any) -> Any:
        terms = ((ROWS @ w - 1.0) ** 2)[rng.permutation(len(ROWS))]
        return np.float64(sum(terms)), 2 * ROWS.T @ (ROWS @ w - 1.0)

    report = check_gradient(both, of_rows, np.array([0.3, 0.7]), has_value=True, points=0)
    assert report.verdict == "agree"
    assert " in the loss beside it, where rounding explains" in report.warnings[-1]


def test_a_gradient_that_is_off_in_the_calls_that_are_judged_alone() -> None:
    calls = itertools.count(1)

    def gradient(w: Any) -> Any:
        return right(w) * (1 + 1e-9 * (next(calls) in (CALLS + 1, CALLS + 2)))

    report = check_gradient(gradient, traced, W, points=0)
    assert (report.verdict, report.observed[0].kind) == ("disagree", "not-repeatable")


@pytest.mark.parametrize(
    ("value", "gap", "again"), [(1.0, 0.5, False), (2.0, 0.5, True), (1.0, 2.0, True)]
)
def test_a_traced_loss_is_called_again_where_its_floats_are_off(
    value: float, gap: float, again: bool
) -> None:
    """An element that is not known says nothing."""
    ruling: Any = SimpleNamespace(
        sufficed=None,
        explains_value=lambda value: value <= 1.5,
        reference=SimpleNamespace(loss=arb(1), known=np.array([True, False])),
        tolerance=SimpleNamespace(sharp=np.ones(2), loose=np.zeros(2)),
        autodiff=SimpleNamespace(gap=np.array([gap, 9.0])),
    )
    called: list[Any] = []
    loss: Any = SimpleNamespace(traced_once=True, check_repeatable=lambda *_: called.append(1))
    given = point_at(W, ())
    check_repeatable(loss, Outcome(given, ruling), value)
    assert bool(called) == again
    check_repeatable(loss, Outcome(given), value)
    assert bool(called) == again


@pytest.mark.parametrize(
    ("value", "slope", "says"),
    [(2.02, 0.6, ""), (2.5, 0.6, "its value was 2.5"), (2.02, 0.7, "its slope was 0.7")],
)
def test_what_a_traced_loss_was_in_floats_is_what_it_is(
    value: float, slope: float, says: str
) -> None:
    given = point_at(W, ())
    loss = JaxLoss(Case(right, traced))
    tolerance = SimpleNamespace(of_loss=1e-9, sharp=np.full(3, 1e-9), loose=np.zeros(3))
    theirs = SimpleNamespace(answer=np.array([slope, *2 * W[1:]]))
    ruling: Any = SimpleNamespace(tolerance=tolerance, autodiff=theirs)
    with pytest.raises(NotAFunctionError, match=says) if says else nullcontext():
        loss.check_repeatable(given, value, ruling)


@pytest.mark.parametrize(("factor", "says"), [(1 + 1e-15, ""), (1 + 1e-13, "its slope was")])
def test_autodiff_that_is_off_rounds_at_its_own_size(factor: float, says: str) -> None:
    """At -9.7 JAX gives -2.6e16 for digamma', compiled and one by one to 15 digits, not 12.4."""
    given, loss = point_at(W, ()), JaxLoss(Case(right, lambda w: 1e16 * traced(w)))
    tolerance = SimpleNamespace(of_loss=1e9, sharp=np.full(3, 1e-9), loose=np.zeros(3))
    theirs = SimpleNamespace(answer=2e16 * W * factor)
    ruling: Any = SimpleNamespace(tolerance=tolerance, autodiff=theirs)
    with pytest.raises(NotAFunctionError, match=says) if says else nullcontext():
        loss.check_repeatable(given, float(1e16 * traced(W)), ruling)


def test_what_a_loss_in_numpy_was_on_series_is_what_it_is() -> None:
    given, loss = point_at(W, ()), NumpyLoss(Case(right, by_numpy))
    reference, tolerances = loss.measured(given)
    unit, sharp = tolerances.full.unit * [1.5, 1, 1], np.array([1e-3, 0.0, 0.0])

    def again(level: int, ball: arb, sharp: Any) -> None:
        ruling: Any = SimpleNamespace(
            yours=SimpleNamespace(worst=level),
            reference=replace(reference, loss=ball),
            sufficed=None,
            tolerance=SimpleNamespace(unit=unit, sharp=sharp),
        )
        loss.check_repeatable(given, None, ruling)

    again(RIGHT, reference.loss, 0 * sharp)
    again(WRONG, reference.loss, 0 * sharp)
    with pytest.raises(NotAFunctionError, match="its value was"):
        again(WRONG, reference.loss + 1, 0 * sharp)
    # A tolerance that would excuse much is measured again.
    with pytest.raises(NotAFunctionError, match="change with half an ulp of the data"):
        again(RIGHT, reference.loss, sharp)


def test_a_loss_in_numpy_that_is_random_at_other_points_alone() -> None:
    rng = np.random.default_rng(0)

    def loss(w: Any) -> Any:
        return by_numpy(w) * (1 + rng.random() if w[0] > 0.31 else 1)

    assert NO_FUNCTION in check_gradient(right, loss, W, points=4).headline


@pytest.mark.slow
@pytest.mark.parametrize("loss", [traced, by_numpy])
@pytest.mark.parametrize("k", [2, 3, 5, 7, 11, 13, 17, 19, 23])
def test_a_gradient_that_is_seldom_off_is_found_at_other_points(k: int, loss: Any) -> None:
    for factor in (1.5, 1 + 1e-9):
        report = check_gradient(off_at_every(k, factor), loss, W)
        assert (report.verdict, report.observed[0].kind) == ("disagree", "not-repeatable")


def test_a_gradient_that_is_random_at_other_points_alone() -> None:
    rng = np.random.default_rng(0)

    def gradient(w: Any) -> Any:
        return right(w) * (1 if np.array_equal(w, W) else 1 + 1e-9 * rng.integers(9))

    report = check_gradient(gradient, traced, W, points=2)
    assert (report.verdict, report.point) == ("disagree", 1)
    assert report.observed[0].kind == "not-repeatable"


def test_the_loss_beside_a_gradient_is_repeated_too() -> None:
    rng = np.random.default_rng(0)
    report = check_gradient(
        lambda w: (float(traced(w)) + rng.random(), 2 * w), traced, W, has_value=True, points=0
    )
    assert report.observed[0].kind == "not-repeatable"
    assert "gave the loss" in report.headline


def test_a_loss_that_is_no_number_twice_is_the_same() -> None:
    report = check_gradient(lambda w: (math.nan, 2 * w), traced, W, has_value=True, points=0)
    assert report.headline.startswith("disagree: the loss beside the gradient is nan, exactly")


def test_slow_functions_are_called_no_more_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeatability, "SECONDS", -1.0)
    made: list[int] = []

    def raises() -> Any:
        made.append(1)
        raise ValueError

    assert repeatability.raises_always(raises)
    assert len(made) == 1
    for least in (1, 2, 5):
        assert len(list(repeatability.calls(lambda: 0, CALLS, least))) == least


@pytest.mark.parametrize("factor", [1 - NOTHING_LEFT, 1.5, 3.0, -1.0])
def test_a_formula_that_is_right_in_other_numbers_alone_is_not_called_right(factor: float) -> None:
    """Where no digit is left, nothing shows that rounding has taken them."""

    def gradient(w: Any) -> Any:
        return factor * 2 * w if w.dtype == np.float64 else 2 * w

    report = check_gradient(gradient, traced, W, points=0)
    assert report.verdict == "undecidable", str(report)
    assert -math.log10(NOTHING_LEFT) == 0.5


def test_what_raises_in_some_calls_alone() -> None:
    def sometimes(function: Callable[[Any], Any], first: int) -> Callable[[Any], Any]:
        calls = itertools.count(1)
        return lambda w: function(w[: 4 if next(calls) != first else 0].reshape(3))

    # The loss is traced twice, called at three points, and then traced again, to compare.
    report = check_gradient(right, sometimes(traced, 7), W, points=1)
    assert NO_FUNCTION in report.headline
    report = check_gradient(sometimes(right, CALLS + 3), traced, W, points=1)
    assert (report.verdict, report.point) == ("disagree", 1)
    assert "it raised ValueError in one call and not in another" in report.headline
