"""What a ruling says beside its verdict."""

import time
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from handgrad import check_gradient, clock
from handgrad.arithmetic import balls
from handgrad.judging import trial
from handgrad.judging.findings import differs_at_kink, worst_element
from handgrad.judging.repeatability import CALLS
from handgrad.judging.ruling import Ruling
from tests.corpus.rows.verdicts import ANGLES, BOB, lossy, neuron, of_doubled, squares, stable
from tests.tiers import slowly


def test_what_is_left_of_bob() -> None:
    """Four digits, on both sides, of a number that the referee knows to forty."""
    report = check_gradient(lossy, neuron, *BOB, points=0)
    (leaf,) = report.leaves
    with balls.precision(200):
        s = 1 / (1 + (-arb(31)).exp())
        assert leaf.exact.midpoint == (12 * s * s * (1 - s)).str(40, radius=False)
    assert "4 digits" in report.findings[0].detail
    assert 1e12 < leaf.ulps < 1e13
    assert leaf.ulps_autodiff > 1e12
    assert report.headline.endswith("4 digits of it are left; autodiff is off, too")
    right = check_gradient(stable, neuron, *BOB, points=0)
    assert right.headline.endswith("1 point judged; autodiff is off")
    assert not check_gradient(lossy, neuron, *BOB, strict=True).passes


def test_a_wrong_rule_is_named_and_trusted_by_a_list_alone() -> None:
    report = check_gradient(np.cos, of_doubled, *ANGLES, points=0)
    (found,) = report.observed
    assert found.detail.startswith("the custom derivative rule of doubled is not the derivative")
    name: Any = "doubled"
    with pytest.raises(TypeError, match="trust_rules: got 'doubled', expected a list"):
        check_gradient(np.cos, of_doubled, *ANGLES, points=0, trust_rules=name)


def test_a_number_has_no_index() -> None:
    report = check_gradient(lambda p: 3 * p, lambda p: p**2, np.float64(0.5), points=0)
    assert report.headline == "disagree: p: yours is 1.5, exactly it is 1"


def test_leaves_of_zeros_and_without_elements() -> None:
    params = {"e": np.zeros((0, 2)), "w": np.array([0.3, 0.0]), "z": np.ones(2)}
    began = time.perf_counter()
    report = check_gradient(
        lambda p: {"e": p["e"], "w": 2 * p["w"], "z": 0 * p["z"]},
        lambda p: jnp.sum(p["w"] ** 2) + jnp.sum(p["e"]) + 0 * jnp.sum(p["z"]),
        params,
        points=0,
    )
    assert 0 < report.seconds <= time.perf_counter() - began
    assert [leaf.verdict for leaf in report.leaves] == ["agree"] * 3
    assert [leaf.judged for leaf in report.leaves] == [0, 2, 2]
    limits = [leaf.detection_limit for leaf in report.leaves]
    assert limits[0] == limits[2] == 0.0 < limits[1] < 1e-12


def test_the_worst_element_is_one_that_was_judged() -> None:
    known, none = np.array([True, True, False]), np.zeros(3, dtype=int)
    for gap, sharp in (([0.1, 0.5, 0.0], 1.0), ([0.1, np.inf, 0.0], np.inf)):
        ruling: Any = SimpleNamespace(
            yours=SimpleNamespace(gap=np.array(gap), level=none),
            tolerance=SimpleNamespace(sharp=np.full(3, sharp)),
            reference=SimpleNamespace(known=known),
        )
        assert worst_element(ruling, slice(0, 3)) == 1
        assert worst_element(ruling, slice(2, 3)) == 2


def test_subgradients_within_the_tolerance_are_the_same() -> None:
    for yours, differ in (([1.0, 3.0], False), ([1.5, 3.0], True), ([np.nan, 3.0], True)):
        ruling: Any = SimpleNamespace(
            yours=SimpleNamespace(answer=np.array(yours)),
            autodiff=SimpleNamespace(answer=np.array([0.0, 3.0])),
            tolerance=SimpleNamespace(sharp=np.ones(2)),
        )
        assert differs_at_kink(ruling) == differ


def test_the_largest_float_is_a_gradient_and_more_is_none() -> None:
    largest, p = np.finfo(np.float32).max, np.array([1e-3, 2e-3], np.float32)

    report = check_gradient(
        lambda p: np.full_like(p, largest), lambda p: jnp.sum(largest * p), p, points=0
    )
    assert (report.points, report.passes) == (1, True)

    def overflowing(p: Any) -> Any:
        return jnp.sum(p * 1e30) * 1e30

    report = check_gradient(lambda p: p + np.inf, overflowing, p * np.float32(1e-25), points=0)
    assert report.headline == "undecidable: the exact gradient is beyond the largest float"


def test_a_wrong_formula_that_only_other_points_show() -> None:
    """At the given point the two branches agree; elsewhere they do not, and the point is named."""
    report = check_gradient(lambda p: np.abs(2 * p), squares, np.array([0.1]), seed=3)
    assert report.verdict == "disagree"
    assert report.point > 0
    assert f"at point {report.point}" in report.headline
    assert np.asarray(report.params)[0] < 0


def test_what_is_not_finite_is_dropped_and_counted() -> None:
    report = check_gradient(lambda p: 1 / p, lambda p: jnp.sum(jnp.log(p)), np.array([0.01, 0.02]))
    assert report.verdict == "agree"
    assert report.dropped > 0
    assert report.points + report.dropped == 9
    assert any("not finite" in warning for warning in report.warnings)
    outside = check_gradient(lambda p: 1 / p, lambda p: jnp.sum(jnp.log(p)), np.array([-1.0]))
    assert outside.verdict == "undecidable"
    table = np.array([[1.0, 2.0], [np.nan, np.nan]])
    given = check_gradient(lambda p, x: x.sum(0), lambda p, x: jnp.sum(x @ p), np.ones(2), table)
    assert "the loss is nan at this point, where x[1, 0] is nan" in str(given)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report() -> None:
    first, second = (check_gradient(stable, neuron, *BOB, seed=5).to_dict() for _ in range(2))
    for report in (first, second):
        del report["seconds"]
    assert first == second


@pytest.mark.parametrize("most", [0, slowly(1)], ids=["parameter", "input"])
def test_numbers_next_to_the_largest_float_overflow_nowhere(most: int) -> None:
    """NumPy's warnings are errors here."""
    point = np.full((2, 3), [3.0, 0.75, -1.5])
    point[most, 1] = 1e308
    w, x = point
    for gradient, kind in (
        (lambda w, x: x, None),
        (lambda w, x: 0.8 * x, "factor"),
        (lambda w, x: x + 0.1 * w, "weight-decay"),
    ):
        report = check_gradient(gradient, lambda w, x: jnp.sum(w * x), w, x, points=1)
        assert report.verdict == ("disagree" if kind else "agree")
        assert [diagnosis.kind for diagnosis in report.diagnoses] == ([kind] if kind else [])


@pytest.mark.slow
def test_the_detection_limit_is_the_best_of_all_points() -> None:
    """A saturated neuron hides what it shows elsewhere; a planted error of that size is caught."""
    one = check_gradient(stable, neuron, *BOB, points=0).leaves[0].detection_limit
    several = check_gradient(stable, neuron, *BOB).leaves[0].detection_limit
    assert several < 1e-6 < one
    slightly_off = check_gradient(lambda *p: stable(*p) * (1 + 2 * several), neuron, *BOB)
    assert slightly_off.verdict == "disagree"


def test_a_detection_limit_takes_no_more_points_than_show_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tolerances in full take longer than the judgement, and of two digits it is known here."""
    report = check_gradient(lambda p: 2 * p, lambda p: (p**2).sum(), np.array([0.5, -1.0]))
    measured, limits = [], vars(Ruling)["limits"].fget
    counted = property(lambda ruling: (measured.append(ruling), limits(ruling))[1])
    monkeypatch.setattr(Ruling, "limits", counted)
    assert 0 < report.leaves[0].detection_limit < 1e-12
    assert (report.points, len(measured)) == (9, 1)


def test_no_point_is_started_that_would_end_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The given point and two others of 6 s each end in 20 s, a further one would not."""
    now, judged = [0.0], []
    monkeypatch.setattr(trial, "limited", clock.limited)
    for name in ("perf_counter", "process_time"):
        monkeypatch.setattr(clock.time, name, lambda: now[0])

    def gradient(p: Any) -> Any:
        if judged[-1:] != [p.tobytes()]:
            judged.append(p.tobytes())
            now[0] += 6
        return 2 * p

    report = check_gradient(gradient, lambda p: (p**2).sum(), np.array([0.5, -1.0]), points=8)
    assert "time ran out after 2 of 8 other points" in report.warnings


def test_that_time_ran_out_is_said_where_there_was_something_to_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "limited", clock.limited)
    params, now, called = np.array([0.5, -1.0]), [0.0], []
    for name in ("perf_counter", "process_time"):
        monkeypatch.setattr(clock.time, name, lambda: now[0])

    def gradient(p: Any) -> Any:
        called.append(p)
        now[0] += 6 * (len(called) == CALLS + 1)  # after those that show that it repeats itself
        return 2 * p

    report = check_gradient(gradient, lambda p: (p**2).sum(), params, points=3, seconds=10)
    assert (report.verdict, report.points) == ("agree", 1)
    assert "time ran out after 0 of 3 other points" in report.warnings
    long = params.astype(np.longdouble)
    report = check_gradient(lambda p: 2 * p, lambda p: (p**2).sum(), long, points=3)
    assert (report.verdict, report.warnings) == ("undecidable", ())
