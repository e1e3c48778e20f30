"""Wrong second derivatives in statsmodels, and a wrong score beside one.

Seen in statsmodels 0.15.0, each judged by the package's own function, whose own lines run on power
series, so that the values are exact:

- `OLS.hessian`: of the log-likelihood in which the variance is profiled out, -n/2 log SSR. Its
  first term, the second derivative of SSR, is XᵀX in place of 2 XᵀX. With `scale=`, it is right.
  Known there as issue 9469.
- `NegativeBinomialP.hessian`, and `hessian_factor`: where the variance is μ + αμᵖ, one term in what
  the coefficients and α share has (2 - p)·a₁ in place of a₁, which is right for p = 1 and, since it
  has the factor 2 - p a second time, for p = 2; not between.
- `AutoReg.score` and `AutoReg.hessian`: the score is Xᵀr, and not divided by the variance; the
  Hessian lacks the derivative of the variance, as where that is known, and `loglike` profiles it
  out. At the maximum the score is 0 either way, and the Hessian right.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from statsmodels.discrete.discrete_model import NegativeBinomialP
from statsmodels.regression.linear_model import OLS
from statsmodels.tools.numdiff import approx_hess
from statsmodels.tsa.ar_model import AutoReg

from handgrad import check_gradient, check_hessian
from handgrad.report import GradientReport

X = np.column_stack([np.ones(6), [-2.1, -1.3, -1.0, 0.9, 1.4, 2.2]])
COUNTS = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 4.0])
SERIES = np.array([0.1, 0.5, 0.3, 0.8, 0.2, 0.9, 0.4, 0.6, 0.1, 0.7])
BETA = np.array([0.3, 0.2])


def of_linear(scale: float | None = None) -> GradientReport:
    """Check the Hessian of a linear model, where the variance is profiled out, or given."""
    model = OLS(COUNTS, X)

    def hessian(beta: np.ndarray) -> np.ndarray:
        return model.hessian(beta, scale=scale)

    def loss(beta: np.ndarray) -> np.ndarray:
        return model.loglike(beta, scale=scale)

    return check_hessian(hessian, loss, BETA, points=2)


def of_counts(p: float = 1.5) -> GradientReport:
    """Check the Hessian of negative binomial counts, by two coefficients and α."""
    options: dict[str, Any] = {"p": p}
    model = NegativeBinomialP(COUNTS, X, **options)
    return check_hessian(model.hessian, model.loglike, np.append(BETA, 0.6), points=2)


def of_series(order: int = 1) -> GradientReport:
    """Check the score of an autoregression, or its Hessian: `order=2`."""
    model, x, y = AutoReg(SERIES, 1), np.column_stack([np.ones(9), SERIES[:-1]]), SERIES[1:]

    def loss(beta: Any) -> Any:
        """The formula of `loglike`, which turns its argument into floats."""
        r = y - x @ beta
        return -len(y) / 2 * (jnp.log(2 * np.pi) + jnp.log(r @ r / len(y)) + 1)

    if order == 1:
        return check_gradient(model.score, loss, BETA, points=2)
    return check_hessian(model.hessian, loss, BETA, points=2)


def standard_errors(p: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return those of a fit to 400 counts, and those of a Hessian by differences of `loglike`."""
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(400), rng.normal(size=400)])
    options: dict[str, Any] = {"p": p}
    model = NegativeBinomialP(rng.negative_binomial(2, 0.4, size=400).astype(float), x, **options)
    fit = model.fit(disp=0, maxiter=500)
    right = np.linalg.inv(-approx_hess(fit.params, model.loglike))
    return fit.bse, np.sqrt(np.diag(right))


if __name__ == "__main__":
    for about, report in (
        ("OLS.hessian", of_linear()),
        ("NegativeBinomialP(p=1.5).hessian", of_counts()),
        ("AutoReg.score", of_series()),
        ("AutoReg.hessian", of_series(2)),
    ):
        print(f"statsmodels, {about}:", report, sep="\n\n", end="\n\n")
    print("standard errors for p = 1.5: {}; by differences: {}".format(*standard_errors()))
