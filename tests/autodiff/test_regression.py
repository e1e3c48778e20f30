import numpy as np

from autodiff import regression
from manual.regression import least_squares

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(11, 3)), RNG.normal(size=11)


def test_descent_arrives_at_the_closed_form() -> None:
    start = regression.Coefficients(np.zeros(3), 0.0)
    path = regression.descend(start, X[None], Y[None], 0.1, np.zeros(2000, dtype=int))
    best = least_squares(X, Y)
    # The remaining distance shrinks by a constant factor per step; after 2000 rounding is left.
    np.testing.assert_allclose(path.slopes[-1], best.slopes, rtol=1e-12)
    np.testing.assert_allclose(path.intercept[-1], best.intercept, rtol=1e-12)
