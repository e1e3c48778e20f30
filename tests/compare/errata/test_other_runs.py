"""Errata on regression, data and matters of record: each claim, by the numbers of its run."""

import numpy as np
import pytest

from tests.compare.errata.runs import numbers


def test_the_slope_has_a_unit_and_the_correlation_has_none() -> None:
    found = numbers(11)
    imperial, metric = found["lb by in"], found["kg by cm"]
    assert imperial["slope"] == pytest.approx(291.25 / 86.75, rel=1e-14)
    assert metric["slope"] == pytest.approx(imperial["slope"] * 0.45359237 / 2.54, rel=1e-14)
    for units in (imperial, metric):
        assert units["r"] == pytest.approx(units["corrcoef"], rel=1e-14)
        assert units["r"] < 1 < abs(imperial["slope"])
    assert imperial["r"] == pytest.approx(metric["r"], rel=1e-14)


def test_a_line_turned_round_is_another_line() -> None:
    found = numbers(12)
    assert found["product"] == pytest.approx(found["r_squared"], rel=1e-12)
    assert 0.5 < found["product"] < 0.52
    # With r² explained, the line the other way round has 1/r² times the error.
    ratio = found["mse_wrong"] / found["mse_right"]
    assert ratio == pytest.approx(1 / found["r_squared"], rel=1e-12)


@pytest.mark.slow
def test_the_closed_form_is_where_descent_ends() -> None:
    found = numbers(13)
    assert found["agree"]
    assert found["remaining"] < 1e-8
    for way in ("by_hand", "autodiff"):
        np.testing.assert_allclose(found[way], found["closed_form"], rtol=1e-8)
    assert found["networks_apart"] > 1


def test_a_regression_through_all_points() -> None:
    found = numbers(14)
    assert found["through"] == [False, False, True, True, False]
    on_the_line, parabola = found["residuals"][2:4]
    assert max(on_the_line, parabola) < 1e-12
    assert min(found["residuals"][k] for k in (0, 1, 4)) > 0.1


def test_squares_weigh_the_long_line_more() -> None:
    found = numbers(15)
    slope = 291.25 / 86.75
    heights, weights = np.array([65, 72, 70, 60.0]), np.array([133, 160, 152, 120.0])
    errors = weights - (141.25 + slope * (heights - 66.75))
    assert found["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert found["mse"] == pytest.approx((errors**2).mean(), rel=1e-12)
    assert found["share_of_mse"] > found["share_of_mae"] > 0.4


def test_a_shift_leaves_the_spread() -> None:
    found = numbers(16)
    raw, shift, centred, standard = found.values()
    assert raw["means"] == [141.25, 66.75]
    assert shift["means"] == [6.25, 0.75]
    assert raw["deviations"] == shift["deviations"] == centred["deviations"]
    np.testing.assert_allclose([centred["means"], standard["means"]], 0, atol=1e-14)
    np.testing.assert_allclose(standard["deviations"], 1, rtol=1e-14)


def test_fifty_is_dinner() -> None:
    found = numbers(17)
    assert [found["step"][mark] for mark in ("49", "50", "51")] == [0, 1, 1]
    assert found["sigmoid"]["50"] == 0.5
    assert found["sigmoid"]["49"] + found["sigmoid"]["51"] == pytest.approx(1, rel=1e-15)


def test_logic_by_threshold_units() -> None:
    assert numbers(18) == {
        "and": [0, 0, 0, 1],
        "or": [0, 1, 1, 1],
        "not x1": [1, 1, 0, 0],
        "xor": [0, 1, 1, 0],
    }


def test_what_is_released_is_received() -> None:
    found = numbers(19)
    released = [0.9525741268224334, 0.9525741268224334, 0.7216325609518421]
    assert found["released"] == pytest.approx(released, rel=1e-15)  # exponentials differ in an ulp
    assert found["received_by_o1"] == found["released"][:2]


def test_a_sum_that_reaches_the_threshold_fires() -> None:
    found = numbers(20)
    assert found["fires_at"] == found["threshold"] == 3
    assert found["outputs"] == [0, 0, 1, 1, 1]
