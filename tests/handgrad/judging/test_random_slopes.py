"""The quick look along random directions: what it says, what it catches, and what goes unseen."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import assert_gradient, check_gradient
from handgrad.data.point import point_at
from handgrad.judging import random_slopes
from handgrad.judging.case import Case, RandomDirections
from handgrad.tolerance import first_order
from handgrad.tolerance.runs import SHARP_DRAWS
from tests.handgrad.test_times import network
from tests.tiers import one_of_each


def loss(params: Any, x: Any, y: Any) -> Any:
    return jnp.mean((x @ params["w"] + params["b"] - y) ** 2)


def gradient(params: Any, x: Any, y: Any) -> Any:
    residual = x @ params["w"] + params["b"] - y
    return {"w": 2 * x.T @ residual / len(y), "b": np.float64(2 * residual.mean())}


X, Y = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([1.0, 0.0, 2.0])
POINT = {"w": np.array([0.5, -1.0]), "b": np.float64(0.25)}, X, Y


@pytest.mark.parametrize("directions", [1, 2, 5])
def test_a_right_gradient(directions: int) -> None:
    report = check_gradient(gradient, loss, *POINT, directions=directions)
    assert (report.verdict, report.blame, report.points) == ("agree", None, 9)
    count = "1 random direction" if directions == 1 else f"{directions} random directions"
    assert report.headline == (
        f"agree: the slope along {count} is right, where an error of 0.001 times one element "
        "shows, at the given point, 9 points judged"
    )
    assert f"the slope of the loss along {count} by power series" in report.certificate
    chance = float(report.certificate.split("probability below ")[1])
    assert 1e-14**directions < chance < 1e-9**directions
    assert f"directions={directions}" in report.reproduce
    assert report.params == POINT[0] | {"w": report.params["w"]}
    assert report.params["w"].tolist() == POINT[0]["w"].tolist()
    assert len(report.leaves) == directions


@pytest.mark.parametrize("factor", one_of_each([2.0, -1.0, 0.0, 1 + 1e-9], [1 + 1e-9]))
@pytest.mark.parametrize("where", [("w", 0), ("w", 1), ("b", ())])
def test_a_mistake_in_any_one_element_shows(where: Any, factor: float) -> None:
    def wrong(*point: Any) -> Any:
        grads = gradient(*point)
        name, index = where
        grads[name] = np.array(grads[name])
        grads[name][index] *= factor
        return grads

    report = check_gradient(wrong, loss, *POINT, directions=1, points=1)
    assert (report.verdict, report.blame) == ("disagree", "yours")
    assert report.findings[0].leaf == "random direction 1"
    assert "a check without directions= says." in str(report)
    assert report.diagnoses == ()
    assert report.counterexample is None
    with pytest.raises(ValueError, match="power: got a report with directions"):
        report.power()
    with pytest.raises(AssertionError, match="random direction"):
        assert_gradient(wrong, loss, *POINT, directions=1, points=0)


def test_lost_digits_are_no_mistake() -> None:
    def lossy(*point: Any) -> Any:
        return jax.tree_util.tree_map(lambda g: (g + 1e7) - 1e7, gradient(*point))

    assert check_gradient(lossy, loss, *POINT, directions=2).verdict == "imprecise"


def test_of_both_dtypes_each_has_slopes_of_its_own() -> None:
    params = {"w": POINT[0]["w"].astype(np.float32), "b": POINT[0]["b"]}

    def mixed(params: Any, x: Any, y: Any) -> Any:
        grads = gradient(params, x, y)
        return {"w": grads["w"].astype(np.float32), "b": grads["b"]}

    def in_double(params: Any, x: Any, y: Any) -> Any:
        return loss({"w": params["w"].astype(jnp.float64), "b": params["b"]}, x, y)

    report = check_gradient(mixed, in_double, params, X, Y, directions=2)
    assert report.verdict == "agree"
    assert [leaf.path for leaf in report.leaves] == [
        f"random direction {i} of {dtype}" for dtype in ("float32", "float64") for i in (1, 2)
    ]

    def wrong(*point: Any) -> Any:
        grads = mixed(*point)
        return {"w": grads["w"] * np.float32(1 + 1e-3), "b": grads["b"]}

    report = check_gradient(wrong, in_double, params, X, Y, directions=1)
    assert [finding.leaf for finding in report.findings] == ["random direction 1 of float32"]


def test_a_loss_in_numpy_and_one_that_comes_with_the_gradient() -> None:
    def in_numpy(params: Any, x: Any, y: Any) -> Any:
        residual = x @ params["w"] + params["b"] - y
        return float(np.mean(residual**2)) if residual.dtype == float else np.mean(residual**2)

    def both(*point: Any) -> Any:
        return in_numpy(*point), gradient(*point)

    report = check_gradient(both, in_numpy, *POINT, directions=2, has_value=True)
    assert (report.verdict, report.points) == ("agree", 9)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda *point: gradient(*point)["w"], "structure"),
        (lambda *point: gradient(*point) | {"w": np.ones(3)}, "shape"),
        (lambda *point: gradient(*point) | {"w": np.array([np.nan, 1.0])}, "non-finite"),
        (lambda *point: None, "structure"),
    ],
)
def test_what_has_not_the_form_of_a_gradient_is_told_so(answer: Any, kind: str) -> None:
    report = check_gradient(answer, loss, *POINT, directions=2)
    assert report.verdict == "disagree"
    assert report.findings[0].kind == kind


@pytest.mark.parametrize(
    ("directions", "error"),
    [(0, ValueError), (25, ValueError), (1.5, TypeError), (True, TypeError)],
)
def test_directions_that_are_none(directions: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^directions: got .*, expected (1 to 24|a whole number)$"):
        check_gradient(gradient, loss, *POINT, directions=directions)


@pytest.mark.parametrize(
    ("dtype", "computed_in", "says"),
    [
        ("bfloat16", None, "parameters in bfloat16, in which .*; expected float64 or float32"),
        (
            "float64",
            "bfloat16",
            "computed_in='bfloat16' as well, whose .*; expected one of the two",
        ),
    ],
)
def test_short_formats_are_not_judged_along_directions(
    dtype: str, computed_in: str | None, says: str
) -> None:
    """Of a right gradient in one, a slope is off by more than an error of one element."""
    w = np.ones(3).astype(dtype)
    with pytest.raises(ValueError, match=f"^directions: got {says}$"):
        check_gradient(
            *(lambda w: 2 * w, lambda w: (w * w).sum(), w), directions=1, computed_in=computed_in
        )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("error", one_of_each([1e-3, -0.5, 30.0], [-0.5]))
def test_an_error_goes_unseen_no_more_often_than_is_said(dtype: Any, error: float) -> None:
    """Other errors are as large, and the tolerance so wide that some draws miss the first one."""
    sizes = np.geomspace(1e-3, 1e3, 7).astype(dtype)
    others = np.random.default_rng(1).standard_normal(6) * sizes[1:] * abs(error)
    errors = np.append(error * sizes[0], others)
    rng, draws = np.random.default_rng(0), 4000
    tolerance = abs(error) / 20
    missed = 0
    for _ in range(draws):
        (direction,) = random_slopes._drawn(rng, 1, sizes)
        missed += abs(float(direction.astype(float) @ errors)) <= tolerance
    bound = 2 * tolerance / abs(error)
    assert 0 < missed / draws <= bound + 3 * np.sqrt(bound / draws)


def test_the_stated_probability_is_that_bound() -> None:
    report = check_gradient(gradient, loss, *POINT, directions=2, points=0)
    ruling = report.trial.outcomes[0].ruling
    sharp = max((ruling.sufficed or ruling.tolerance).sharp)
    case, _ = random_slopes.directional_case(Case(gradient, loss), point_at(POINT[0], POINT[1:]), 2)
    assert isinstance(case.part, RandomDirections)
    assert random_slopes.unseen(case.part, ruling) == (1e-3, (2 * sharp / 1e-3) ** 2)
    stated = float(report.certificate.split("probability below ")[1])
    assert stated / 10 < (2 * sharp / 1e-3) ** 2 <= stated


def test_elements_of_any_size_have_a_weight() -> None:
    sizes = np.array([1e-300, 5e-324, 1.0, 1e300])
    (direction,) = random_slopes._drawn(np.random.default_rng(0), 1, sizes)
    assert np.isfinite(direction * sizes).all()
    assert ((np.abs(direction * sizes)[2:3] >= 0.5) & (np.abs(direction * sizes)[2:3] < 2)).all()


def test_of_a_large_loss_floats_estimate_what_draws_show(monkeypatch: pytest.MonkeyPatch) -> None:
    ruling = check_gradient(gradient, loss, *POINT, directions=2, points=0).trial.outcomes[0].ruling
    assert first_order.estimate(ruling.problem, ruling.reference, seed=0) is None
    monkeypatch.setattr(first_order, "LARGE", 0)
    estimated = first_order.estimate(ruling.problem, ruling.reference, seed=0)
    tolerances = list(ruling.tolerances.drawn())
    assert estimated is not None
    assert len(tolerances) == SHARP_DRAWS
    drawn = ruling.tolerances._changes
    assert ((estimated > drawn / 6) & (estimated < 2 * drawn)).all()


@pytest.mark.parametrize("directions", one_of_each([1, 2, 5], [2]))
@pytest.mark.parametrize("of", [jnp.abs, jax.nn.relu])
def test_at_a_kink_slopes_can_refute_and_not_confirm(directions: int, of: Any) -> None:
    """Along a direction every slope of an interval is right there, whatever the elements are."""

    def kinked(w: Any) -> Any:
        return jnp.sum(of(w)) + jnp.sum(w * w)

    def by_hand(w: Any, factor: float = 1.0) -> Any:
        sign = np.sign(w) if of is jnp.abs else (w > 0).astype(float)
        return factor * (sign + 2 * w)

    at = np.array([0.0, 0.7, -0.4])
    report = check_gradient(by_hand, kinked, at, directions=directions, points=0)
    assert report.verdict == "undecidable"
    assert "a kink at this point" in report.headline
    report = check_gradient(lambda w: by_hand(w, 50), kinked, at, directions=directions, points=0)
    assert report.verdict == "disagree"
    assert check_gradient(by_hand, kinked, at + 0.1, directions=directions).verdict == "agree"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("forgotten", ["small", "large"])
def test_a_leaf_that_is_forgotten_shows_beside_others_of_another_size(
    dtype: Any, forgotten: str
) -> None:
    scales = {"small": 1e-6, "large": 1e3}
    params = {name: np.linspace(1, 2, 50).astype(dtype) for name in scales}

    def squares(params: Any) -> Any:
        return sum(jnp.sum(params[name] ** 2 * dtype(scale)) for name, scale in scales.items())

    def by_hand(params: Any) -> Any:
        grads = {name: 2 * params[name] * dtype(scale) for name, scale in scales.items()}
        return grads | {forgotten: np.zeros_like(grads[forgotten])}

    report = check_gradient(by_hand, squares, params, directions=1, points=0)
    expected = "undecidable" if (forgotten, dtype) == ("small", np.float32) else "disagree"
    assert report.verdict == expected  # 1e-9 of the others is less than float32 can show


@pytest.mark.slow
def test_a_look_that_would_show_nothing_is_undecidable() -> None:
    """Of many numbers in float32 the slope along one direction is known to a tenth of one."""
    w = np.linspace(1, 2, 10_000, dtype=np.float32)
    report = check_gradient(lambda w: 2 * w, lambda w: jnp.sum(w * w), w, directions=1, points=0)
    assert report.verdict == "undecidable"
    assert "may hide an error of" in report.headline
    report = check_gradient(lambda w: 2 * w, lambda w: jnp.sum(w * w), w, directions=5, points=0)
    assert report.verdict == "agree"
    error = float(report.certificate.split("an error of ")[1].split()[0])
    assert 1e-3 <= error <= 0.1
    assert f"an error of {error:g} times one element shows" in report.headline
    wrong = check_gradient(lambda w: 3 * w, lambda w: jnp.sum(w * w), w, directions=1, points=0)
    assert wrong.verdict == "disagree"


def test_of_a_domain_that_was_left_it_is_said() -> None:
    def by_hand(w: Any) -> Any:
        return np.abs(3 * w) * w

    w = np.array([0.5, 1.5])
    report = check_gradient(by_hand, lambda w: jnp.sum(w**3), w, directions=1)
    assert report.verdict == "disagree"
    assert "is no longer positive" in report.headline


@pytest.mark.slow
def test_a_large_network() -> None:
    right, *problem = network((784, 16, 10), 4)

    def wrong(*point: Any) -> Any:
        grads = right(*point)
        grads[0]["w"][123, 4] *= 1.01
        return grads

    assert check_gradient(right, *problem, directions=1, points=1).verdict == "agree"
    assert check_gradient(wrong, *problem, directions=1, points=0).verdict == "disagree"
