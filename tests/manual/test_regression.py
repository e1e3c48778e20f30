import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual.regression import Coefficients, gradient, least_squares, line, loss, predict
from tests.tiers import fewer

#: 11 rows, 3 features: prime and different, so that a transposition cannot hide.
X = np.random.default_rng(0).normal(size=(11, 3)) * [1.0, 10.0, 0.1] + [5.0, -50.0, 0.0]
Y = np.random.default_rng(1).normal(size=11)


def test_a_line_through_points_on_a_line() -> None:
    assert line([0.0, 1.0, 3.0], [1.0, 3.0, 7.0]) == (2.0, 1.0)


def test_the_line_is_the_multiple_regression_of_one_feature() -> None:
    slope, intercept = line(X[:, 1], Y)
    many = least_squares(X[:, 1:2], Y)
    np.testing.assert_allclose([slope, intercept], [*many.slopes, many.intercept], rtol=1e-13)


def test_the_line_keeps_its_digits_far_from_the_origin() -> None:
    """n Σxy - Σx Σy would have none left here; the points' differences are exact."""
    slope, _ = line(1e9 + np.arange(5.0), 3 * np.arange(5.0))
    assert slope == 3.0


def test_slope_and_correlation_are_not_the_same() -> None:
    """The article calls m the correlation coefficient; the two differ by the factor s_y / s_x."""
    slope, _ = line(X[:, 1], Y)
    r = np.corrcoef(X[:, 1], Y)[0, 1]
    np.testing.assert_allclose(r, slope * X[:, 1].std() / Y.std(), rtol=1e-12)


def test_the_closed_form_is_the_minimum() -> None:
    """The derivative vanishes there, up to the rounding of a sum of n terms of that size."""
    best = least_squares(X, Y)
    size = np.abs(X).T @ (np.abs(Y - predict(best, X)) + np.abs(X) @ np.abs(best.slopes))
    assert np.all(np.abs(gradient(best, X, Y).slopes) <= 100 * np.finfo(float).eps * size)
    reference, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(11)]), Y, rcond=None)
    np.testing.assert_allclose([*best.slopes, best.intercept], reference, rtol=1e-9)


@fewer(4)
@given(st.integers(0, 2**32 - 1))
def test_the_loss_grows_away_from_the_minimum(seed: int) -> None:
    best = least_squares(X, Y)
    step = np.random.default_rng(seed).normal(size=4)
    away = Coefficients(best.slopes + step[:3], best.intercept + step[3])
    assert loss(away, X, Y) > loss(best, X, Y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((4, 1)), np.arange(4.0), "feature 0"),
        (np.column_stack([X[:, 0], 2 * X[:, 0] + 3]), Y, "combination"),
        (np.column_stack([X, X.sum(axis=1)]), Y, "combination"),
        (X[:3], Y[:3], "3 rows for 3 features, expected at least 4"),
        (X, Y[:-1], "expected"),
        (X[:, 0], Y, "expected"),
    ],
)
def test_no_single_best_fit(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        least_squares(x, y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [([1.0, 1.0], [0.0, 1.0], "all 2 values of x"), ([1.0], [1.0], "n >= 2")],
)
def test_no_line(x: list, y: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        line(x, y)
