"""Least squares: a line by the article's formula, several features at once, and by descent.

Source: the article, section "Linear Regression". What it calls the correlation coefficient is the
slope m; the two are related by r = m s_x / s_y. It says that several features make the closed form
too complex and descends for that reason; a closed form exists all the same (`least_squares`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from manual.arrays import Array, namespace
from manual.losses import mse


class TooFewRowsError(ValueError):
    """Fewer rows than coefficients: some line passes through all points, and many do."""


class DependentFeatureError(ValueError):
    """A feature is constant, or a combination of those before it."""

    def __init__(self, feature: int):
        super().__init__(
            f"feature {feature} (counted from 0) is constant or a combination of those before it, "
            "expected independent features"
        )
        self.feature = feature  #: its column, counted from 0


class Coefficients(NamedTuple):
    """ypred = x @ slopes + intercept, or two values that belong to them (their derivatives)."""

    slopes: Array  #: shape (n_features,), target units per feature unit
    intercept: Array  #: a scalar, target units


def predict(coefficients: Coefficients, x: Array) -> Array:
    """Predictions of shape (n,) for x of shape (n, n_features)."""
    return x @ coefficients.slopes + coefficients.intercept


def loss(coefficients: Coefficients, x: Array, y: Array) -> Array:
    """Mean squared error of the predictions; x of shape (n, n_features), y of shape (n,)."""
    return mse(y, predict(coefficients, x))


def gradient(coefficients: Coefficients, x: Array, y: Array) -> Coefficients:
    """The derivative of `loss` by the coefficients.

    Args:
        coefficients: where to differentiate.
        x: features, shape (n, n_features).
        y: targets, shape (n,).

    Returns:
        ∂L/∂slopes of shape (n_features,) and ∂L/∂intercept, a scalar.

    Raises:
        ValueError: the shapes do not fit (broadcasting would give derivatives of another shape).
    """
    if len(x.shape) != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"gradient: x has shape {x.shape} and y has shape {y.shape}, "
            "expected (n, n_features) and (n,)"
        )
    xp = namespace(y)
    ypred = predict(coefficients, x)
    # L = sum((y - ypred)**2) / n
    dypred = -2 * (y - ypred) / y.shape[0]
    # ypred = x @ slopes + intercept
    dslopes = x.T @ dypred
    dintercept = xp.sum(dypred)
    return Coefficients(dslopes, dintercept)


def line(x: ArrayLike, y: ArrayLike) -> tuple[float, float]:
    """The least-squares line through points: m = Σ(x - x̄)(y - ȳ) / Σ(x - x̄)², intercept ȳ - m x̄.

    The equal form (n Σxy - Σx Σy) / (n Σx² - (Σx)²) subtracts large numbers and loses digits
    when the points lie far from the origin; deviations from the mean do not.

    Args:
        x, y: shape (n,), n >= 2.

    Returns:
        Slope m (unit of y per unit of x) and intercept (unit of y).

    Raises:
        ValueError: fewer than two points, or all x equal (the line would be vertical).
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.size < 2:
        raise ValueError(
            f"line: x has shape {x.shape} and y has shape {y.shape}, "
            "expected one and the same (n,) with n >= 2"
        )
    if np.all(x == x[0]):
        raise ValueError(f"line: all {x.size} values of x are {x[0]}, expected at least two")
    dx = x - x.mean()
    slope = (dx @ (y - y.mean())) / (dx @ dx)
    return float(slope), float(y.mean() - slope * x.mean())


def least_squares(x: ArrayLike, y: ArrayLike) -> Coefficients:
    """Multiple linear regression in closed form: the coefficients that minimise `loss`.

    The columns are centred, which decouples the intercept, and the normal equations
    xᵀx slopes = xᵀy are solved through x = QR as R slopes = Qᵀy, which does not square the
    condition number (Golub & Van Loan, Matrix Computations, section 5.3).

    Args:
        x: features, shape (n, n_features), n > n_features >= 1.
        y: targets, shape (n,).

    Returns:
        The coefficients, float64.

    Raises:
        ValueError: the shapes do not fit.
        TooFewRowsError, DependentFeatureError: infinitely many coefficients are equally good.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1] or x.shape[1] == 0:
        raise ValueError(
            f"least_squares: x has shape {x.shape} and y has shape {y.shape}, "
            "expected (n, n_features) and (n,)"
        )
    n, n_features = x.shape
    if n <= n_features:
        raise TooFewRowsError(
            f"{n} rows for {n_features} features, expected at least {n_features + 1}"
        )
    centred = x - x.mean(axis=0)
    q, r = np.linalg.qr(centred)
    # |r_jj| is what remains of column j after the columns before it are projected out. Centring and
    # projecting leave rounding of at most about max(n, p) ε of the column's size behind.
    rounding = n * np.finfo(np.float64).eps * np.linalg.norm(x, axis=0)
    dependent = np.flatnonzero(np.abs(np.diag(r)) <= rounding)
    if dependent.size:
        raise DependentFeatureError(int(dependent[0]))
    slopes = np.linalg.solve(r, q.T @ (y - y.mean()))
    return Coefficients(slopes, y.mean() - x.mean(axis=0) @ slopes)
