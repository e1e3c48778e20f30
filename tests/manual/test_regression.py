import numpy as np
import pytest

from manual.regression import Coefficients, gradient, least_squares, line, loss, predict

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


def test_the_closed_form_is_the_minimum() -> None:
    """The derivative vanishes there, up to the rounding of a sum of n terms of that size."""
    best = least_squares(X, Y)
    size = np.abs(X).T @ (np.abs(Y - predict(best, X)) + np.abs(X) @ np.abs(best.slopes))
    assert np.all(np.abs(gradient(best, X, Y).slopes) <= 100 * np.finfo(float).eps * size)
    reference, *_ = np.linalg.lstsq(np.column_stack([X, np.ones(11)]), Y, rcond=None)
    np.testing.assert_allclose([*best.slopes, best.intercept], reference, rtol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((4, 1)), np.arange(4.0), "feature 0"),
        (np.column_stack([X, X.sum(axis=1)]), Y, "combination"),
        (X[:3], Y[:3], "3 rows for 3 features, expected at least 4"),
        (X, Y[:-1], "expected"),
    ],
)
def test_no_single_best_fit(x: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        least_squares(x, y)


def test_single_precision_is_computed_with_in_double() -> None:
    """The means of such numbers would be rounded to single precision, too."""
    x, y = X.astype(np.float32), Y.astype(np.float32)
    wide = x.astype(np.float64), y.astype(np.float64)
    assert line(x[:, 1], y) == line(wide[0][:, 1], wide[1])
    assert line(wide[0][:, 1], y) == line(x[:, 1], wide[1]) == line(x[:, 1], y)
    for data in ((x, y), (x, wide[1]), (wide[0], y)):
        assert least_squares(*data).slopes.tolist() == least_squares(*wide).slopes.tolist()


def test_the_derivative_is_the_difference_quotient_of_the_loss() -> None:
    """Of a parabola they are equal; halves and eighths are exact."""
    x, y = np.array([[1.0, -0.5], [2.0, 0.25], [0.0, 4.0], [-1.5, 1.0]]), np.arange(4.0)
    at, h = np.array([0.5, -2.0, 1.0]), 0.125

    def value(p: np.ndarray) -> float:
        return float(loss(Coefficients(p[:2], p[2]), x, y))

    quotients = [(value(at + e) - value(at - e)) / (2 * h) for e in h * np.eye(3)]
    found = gradient(Coefficients(at[:2], at[2]), x, y)
    assert [*found.slopes, found.intercept] == quotients


@pytest.mark.parametrize(("x", "y"), [(X, Y[:, None]), (X[:, 0], Y), (X[:-1], Y)])
def test_shapes_that_would_broadcast_are_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^gradient: x has shape"):
        gradient(Coefficients(np.zeros(x.shape[1:]), 0.0), x, y)
    with pytest.raises(ValueError, match=r"^line: x has shape"):
        line(x[1:], y)


def test_no_line() -> None:
    with pytest.raises(ValueError, match="all 2 values of x"):
        line([1.0, 1.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="n >= 2"):
        line([1.0], [1.0])
