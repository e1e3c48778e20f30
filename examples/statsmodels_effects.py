"""Wrong marginal effects in statsmodels: of truncated counts, and of a kernel regression.

Seen in statsmodels 0.15.0. A marginal effect is the derivative of a prediction.

- `TruncatedLFPoisson`: `predict` returns the mean of counts that cannot be 0, μ / (1 - exp(-μ)).
  Its derivatives by the coefficients, `_deriv_mean_dparams`, and those by the variables, which
  `get_margeff` averages, are inherited, and those of μ.
- `KernelReg(reg_type="lc")`: `fit` returns the local constant estimate, a ratio, and "marginal
  effects". Their kernel `d_gaussian` is twice the derivative of `gaussian`, and the quotient rule
  mixes means with sums, so that for one variable they are 2/n of the derivative. For several, the
  kernel of every variable is differentiated at once, and all have one number.
"""

import warnings
from typing import Any

import numpy as np
from statsmodels.discrete.truncated_model import TruncatedLFPoisson
from statsmodels.nonparametric import kernels
from statsmodels.nonparametric.kernel_regression import KernelReg

from handgrad import check_gradient, check_jacobian
from handgrad.report import GradientReport

X = np.column_stack([np.ones(6), [-2.1, -1.3, -1.0, 0.9, 1.4, 2.2]])
COUNTS = np.array([1.0, 2.0, 1.0, 3.0, 2.0, 5.0])
PLACES = np.array([-3.1, -0.7, 0.2, 0.9, 2.3])
VALUES = np.array([0.1, 0.5, 0.3, 0.8, 0.2])


def of_truncated() -> GradientReport:
    """Check the Jacobian of six means by two coefficients."""
    model = TruncatedLFPoisson(COUNTS, X)
    start = np.array([0.3, 0.2])
    return check_jacobian(model._deriv_mean_dparams, model.predict, start, points=2)


def of_kernel() -> GradientReport:
    """Check the derivative of a Gaussian kernel, by where it is evaluated."""

    def slopes(x: np.ndarray) -> np.ndarray:
        return kernels.d_gaussian(0.7, PLACES, x)[:, None]

    def kernel(x: np.ndarray) -> np.ndarray:
        return kernels.gaussian(0.7, PLACES, x)

    return check_jacobian(slopes, kernel, np.array([0.3]), points=2)


def of_regression() -> GradientReport:
    """Check the marginal effect of a regression on five points, as five over two of it."""
    rng = np.random.default_rng(0)  # which it does not use: the bandwidth is given
    options: dict[str, Any] = {"bw": [0.6], "rng": rng}
    model = KernelReg(VALUES, PLACES, "c", reg_type="lc", **options)

    def effect(x: np.ndarray) -> np.ndarray:
        return model.fit(x[None])[1].ravel()

    def estimate(x: np.ndarray) -> np.ndarray:
        """The formula of the estimate, whose code is not all in NumPy's functions of arrays."""
        weights = np.exp(-((PLACES - x[0]) ** 2) / (2 * 0.6**2))
        return weights @ VALUES / np.sum(weights)

    return check_gradient(effect, estimate, np.array([0.3]), points=2)


def effects() -> tuple[float, float]:
    """Return the average effect of a variable on 400 counts without their zeros, and the right one.

    The right one is a difference of what `predict` returns.
    """
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = rng.poisson(np.exp(x @ [0.1, 0.5])).astype(float)
    model = TruncatedLFPoisson(y[y > 0], x[y > 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has not converged in 35 steps
        fit = model.fit(disp=0)
    step = np.array([0.0, 1e-5])
    above, below = (model.predict(fit.params, x[y > 0] + sign * step) for sign in (1, -1))
    return float(fit.get_margeff().margeff[0]), float(np.mean(above - below) / 2e-5)


if __name__ == "__main__":
    for about, report in (
        ("TruncatedLFPoisson, the means", of_truncated()),
        ("d_gaussian", of_kernel()),
        ("KernelReg, the marginal effect", of_regression()),
    ):
        print(f"statsmodels, {about}:", report, sep="\n\n", end="\n\n")
    print("average effect by get_margeff: {:.3f}; of predict: {:.3f}".format(*effects()))
