"""The estimate of the sharp tolerance of a large gradient, in floats."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.oracle.certify import certify
from handgrad.tolerance import first_order, measuring
from handgrad.tolerance.measuring import measure
from handgrad.tolerance.runs import SHARP_DRAWS
from tests.handgrad.oracle.problems import problem
from tests.handgrad.test_times import network


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_order, "LARGE", 0)


def estimated(loss: Any, params: Any, *inputs: Any, seed: int = 0) -> np.ndarray | None:
    case = problem(loss, params, *inputs)
    return first_order.estimate(case, certify(case, "program"), seed)


def test_of_an_element_that_is_a_number_it_is_half_an_ulp_of_it() -> None:
    """0 and ±1 are exact."""
    x = np.array([0.3, -1.7e9, 1e-300, 1.0, 0.0, -1.0])
    found = estimated(lambda w, x: jnp.sum(w * x), np.full(6, 3.0), x)
    assert found is not None
    np.testing.assert_allclose(found[1:4], np.spacing(np.abs(x[:3])) / 2, rtol=1e-15)
    assert found[4:].tolist() == [0, 0, 0]


def test_it_is_what_runs_in_balls_show(monkeypatch: pytest.MonkeyPatch) -> None:
    _, loss, *point = network((16, 32, 12, 4), 3)
    case = problem(loss, *point)
    found, reference = estimated(loss, *point), certify(case)
    monkeypatch.setattr(first_order, "LARGE", np.inf)
    measured = measure(case, reference, seed=0)
    without = next(measured.estimated()).unit
    *_, last = (tolerance.unit for tolerance in measured.drawn())
    assert found is not None
    ratio = found[1:] / (last - without)
    assert SHARP_DRAWS == 4
    assert 0.55 < np.median(ratio) < 0.75  # 1 / E max |N| of four
    assert ratio.min() > 0.3


@pytest.mark.slow
def test_a_right_gradient_is_judged_without_a_draw_in_balls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def drawn(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(measuring, "_changes_by_program", drawn)
    gradient, *rest = network((16, 32, 12, 4), 3)
    assert check_gradient(gradient, *rest, points=0).verdict == "agree"
    monkeypatch.setattr(first_order, "LARGE", np.inf)
    with pytest.raises(AssertionError):
        check_gradient(gradient, *rest, points=0)


def test_lost_digits_are_not_excused_by_an_estimate_that_has_lost_them() -> None:
    """σ(1 - σ) at z = 32: of the estimate, too, few digits are left."""

    def loss(w: Any, x: Any, y: Any) -> Any:
        return jnp.sum((jax.nn.sigmoid(w @ x) - y) ** 2)

    def literal(w: Any, x: Any, y: Any) -> Any:
        s = 1 / (1 + np.exp(-(w @ x)))
        return 2 * (s - y) * s * (1 - s) * x

    w, x, y = np.ones(32), np.linspace(0.9, 1.1, 32), np.float64(0.0)
    found = estimated(loss, w, x, y)
    assert found is not None
    assert check_gradient(literal, loss, w, x, y, points=0).verdict == "imprecise"


def test_no_more_of_it_counts_than_a_fraction_of_the_element(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    huge = np.full(1 + 32, 1e300)
    monkeypatch.setattr(first_order, "estimate", lambda *_: huge)
    loss, w = (lambda w: jnp.sum(jnp.sin(w))), np.linspace(0.1, 1.2, 32)
    slightly = check_gradient(lambda w: np.cos(w) * (1 + 3e-9), loss, w, points=0)
    more = check_gradient(lambda w: np.cos(w) * (1 + 1e-8), loss, w, points=0)
    assert (slightly.verdict, more.verdict) == ("agree", "disagree")


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        (lambda w: jnp.sum(w**2), np.linspace(0.1, 1.2, 32, dtype=np.float32)),
        (lambda w: jnp.sum(w**1.5), np.linspace(0.0, 1.2, 32)),  # the second derivative is infinite
    ],
)
def test_there_is_none(loss: Any, params: Any) -> None:
    assert estimated(loss, params) is None


@pytest.mark.slow
def test_it_is_part_of_the_limit_of_what_is_caught() -> None:
    """s has two data; at this seed all draws in balls move them alike."""

    def loss(p: Any, a: Any, b: Any) -> Any:
        return p["s"] * (a - b) + jnp.sum(jnp.sin(p["w"]))

    params = {"s": np.float64(0.3), "w": np.linspace(0.1, 1.2, 120)}

    def judged(error: float) -> Any:
        def gradient(p: Any, a: Any, b: Any) -> Any:
            return {"s": (a - b) * (1 + error), "w": np.cos(p["w"])}

        return check_gradient(gradient, loss, params, *data, points=0, seed=12)

    data = np.float64(0.7), np.float64(0.69999)
    limit = judged(0.0).leaves[0].detection_limit
    assert judged(0.5 * limit).verdict == "agree"
    assert judged(2 * limit).verdict == "disagree"


def test_a_custom_rule_of_the_caller_does_not_excuse_an_error() -> None:
    """The derivative, w, is right; what it says its own is, is ten million times too large."""

    @jax.custom_jvp
    def derivative(w: Any) -> Any:
        return w * 1.0

    @jax.custom_jvp
    def half_of_square(w: Any) -> Any:
        return w**2 / 2

    derivative.defjvp(lambda w, moved: (derivative(*w), 1e7 * moved[0]))
    half_of_square.defjvp(lambda w, moved: (half_of_square(*w), derivative(*w) * moved[0]))
    w = np.linspace(0.1, 1.2, 120)
    report = check_gradient(
        lambda w: w * (1 + 3e-9), lambda w: jnp.sum(half_of_square(w)), w, points=0
    )
    assert report.verdict == "disagree"


def test_data_that_half_an_ulp_times_the_scale_is_beyond_the_range_of() -> None:
    x = (np.linspace(0.1, 1.2, 120) * 1e35).astype(np.float32)
    assert estimated(lambda w, x: jnp.sum(w * x.astype(w.dtype)), np.full(120, 3.0), x) is None


def test_there_is_none_where_jax_raises_for_nan() -> None:
    with jax.debug_nans(True):
        assert estimated(lambda w: jnp.sum(w**1.5), np.linspace(0.0, 1.2, 32)) is None
