"""A wrong Jacobian in statsmodels: the means of `NominalGEE`, by their coefficients.

The model estimates a logit for each category but the last. The probabilities of one observation
share a denominator, so that ∂pⱼ/∂βₖ = -pⱼ pₖ x for two categories. `mean_deriv` (seen in
statsmodels 0.15.0) takes from the denominator only the category's own term, and these are 0: with
two categories it is right, with three or more it is not. The estimating equations are weighted by
it, and so are the standard errors, which come out too small.
"""

import warnings
from typing import Any

import numpy as np
from statsmodels.discrete.discrete_model import MNLogit
from statsmodels.genmod.generalized_estimating_equations import NominalGEE

from handgrad import check_jacobian
from handgrad.report import GradientReport

X = np.column_stack([np.ones(6), [-2.1, -1.3, -1.0, 0.9, 1.4, 2.2]])
START = np.array([0.1, 0.2, 0.3, -0.1])


class WithTheDenominator(NominalGEE):
    """The same with the derivative of the whole denominator."""

    def mean_deriv(self, exog: np.ndarray, lin_pred: np.ndarray) -> np.ndarray:
        """Compute ∂p/∂β: pⱼ xⱼ - pⱼ Σ pₖ xₖ, a row for each category of each observation."""
        p = self.family.link.inverse(lin_pred)
        own = p[:, None] * exog
        of_all = own.reshape(-1, self.ncut, exog.shape[1]).sum(axis=1)
        return own - p[:, None] * np.repeat(of_all, self.ncut, axis=0)


def report(categories: int = 3, model: Any = NominalGEE) -> GradientReport:
    """Check the derivatives for so many categories."""
    gee = model(np.arange(6) % categories, X, groups=np.arange(6))
    start = START[: 2 * (categories - 1)]

    def means(beta: Any) -> Any:
        return gee.family.link.inverse(gee.exog @ beta)

    return check_jacobian(lambda beta: gee.mean_deriv(gee.exog, gee.exog @ beta), means, start)


def standard_errors(n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return those of `NominalGEE`, with the right derivative, and by maximum likelihood.

    Of n independent observations of three categories; all three estimate the same coefficients.
    """
    rng = np.random.default_rng(1)
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    odds = np.column_stack([np.exp(x @ [0.5, -0.5]), np.exp(x @ [1.0, -0.7]), np.ones(n)])
    below = np.cumsum(odds / odds.sum(axis=1, keepdims=True), axis=1)
    y = (rng.uniform(size=n)[:, None] > below).sum(axis=1)
    fit: Any = MNLogit(2 - y, x).fit
    models: tuple[Any, ...] = NominalGEE, WithTheDenominator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has not converged
        of_gee, of_right = (
            np.asarray(model(y, x, groups=np.arange(n)).fit(maxiter=100).bse) for model in models
        )
    return of_gee, of_right, np.ravel(np.asarray(fit(disp=0).bse)[:, ::-1], order="F")


if __name__ == "__main__":
    for categories in (2, 3):
        print(f"statsmodels, NominalGEE, {categories} categories:", report(categories), sep="\n\n")
        print()
    says = "standard errors: {}\nwith the right derivative: {}\nby maximum likelihood: {}"
    with np.printoptions(precision=3):
        print(says.format(*standard_errors()))
