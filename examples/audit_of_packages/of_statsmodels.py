"""What statsmodels differentiates: likelihoods, links, norms, penalties, kernels."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from statsmodels.base._penalties import SCADSmoothed
from statsmodels.discrete.conditional_models import ConditionalLogit
from statsmodels.discrete.discrete_model import (
    GeneralizedPoisson,
    Logit,
    MNLogit,
    NegativeBinomialP,
    Poisson,
    Probit,
)
from statsmodels.discrete.truncated_model import TruncatedLFPoisson
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.genmod import families
from statsmodels.genmod.families import links
from statsmodels.genmod.generalized_estimating_equations import NominalGEE
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.multivariate.factor_rotation import _gpa_rotation as rotation
from statsmodels.nonparametric import kernels
from statsmodels.nonparametric.kernel_regression import KernelReg
from statsmodels.othermod.betareg import BetaModel
from statsmodels.regression.linear_model import OLS
from statsmodels.robust import norms
from statsmodels.tsa.ar_model import AutoReg

from handgrad import check_gradient, check_hessian, check_jacobian

#: A constant and a variable; counts, whether there is any, and shares.
X = np.array([[1, -2.1], [1, -1.3], [1, -1.0], [1, 0.9], [1, 1.4], [1, 2.2]])
COUNTS = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 4.0])
ANY = np.minimum(COUNTS, 1.0)
SHARES = np.array([0.1, 0.3, 0.2, 0.6, 0.7, 0.9])
BETA = np.array([0.3, 0.2])

#: Residuals and probabilities, none of which lies where two formulas of one function meet.
Z = np.array([-3.1, -0.7, 0.2, 0.9, 2.3])
P = np.array([0.07, 0.31, 0.5, 0.83, 0.96])
SERIES = np.array([0.1, 0.5, 0.3, 0.8, 0.2, 0.9, 0.4, 0.6, 0.1, 0.7])
LOADINGS = np.array([[0.7, 0.2], [0.5, -0.3], [0.1, 0.8], [0.4, 0.6]])

#: Options that statsmodels takes and has annotated otherwise.
P_BETWEEN: dict[str, Any] = {"p": 1.5}
BANDWIDTH: dict[str, Any] = {"bw": [0.6]}

#: What is wrong in statsmodels 0.15.0, in a few words.
WRONG = {
    "statsmodels:OLS.hessian": "one of its terms lacks a factor of 2",
    "statsmodels:AutoReg.score": "not divided by the variance of the residuals",
    "statsmodels:NegativeBinomialP.hessian, p=1.5": "right for p = 1 and 2 only",
    "statsmodels:TruncatedLFPoisson dμ/dβ": "that of the model that is not truncated",
    "statsmodels:NominalGEE.mean_deriv": "without the other categories' terms of the denominator",
    "statsmodels:d_gaussian": "twice the derivative",
    "statsmodels:KernelReg.fit": "2/n of the derivative",
}


def checks() -> dict[str, Callable[..., Any]]:
    """Return the checks by their names."""
    found = {**_likelihoods(), **_links_and_norms(), **_others()}
    return {f"statsmodels:{name}": check for name, check in found.items()}


def _likelihoods() -> dict[str, Callable[..., Any]]:
    """Scores, Jacobians of the contributions, and Hessians of log-likelihoods."""
    logit, probit, poisson = Logit(ANY, X), Probit(ANY, X), Poisson(COUNTS, X)
    multinomial = MNLogit(np.array([0, 1, 2, 0, 1, 2]), X)
    truncated = TruncatedLFPoisson(COUNTS + 1, X)
    general, autoregressive = GeneralizedPoisson(COUNTS, X, p=2), AutoReg(SERIES, 1)
    negative, between = NegativeBinomialP(COUNTS, X), NegativeBinomialP(COUNTS, X, **P_BETWEEN)
    beta, gamma = BetaModel(SHARES, X), GLM(COUNTS + 0.5, X, families.Gamma(links.Log()))
    times, variable = np.array([1.0, 2.0, 2.0, 3.0, 3.0, 4.0]), X[:, 1:]
    hazards = PHReg(times, variable, status=np.array([1, 1, 1, 0, 1, 1]), ties="efron")
    conditional = ConditionalLogit(ANY, variable, groups=np.array([0, 0, 1, 1, 1, 0]))
    nominal = NominalGEE(np.array([0, 1, 2, 0, 1, 2]), X, groups=np.arange(6))
    linear, with_shape = OLS(COUNTS, X), np.append(BETA, 0.6)
    return {
        "Logit.score": partial(check_gradient, logit.score, logit.loglike, BETA),
        "Logit.hessian": partial(check_hessian, logit.hessian, logit.loglike, BETA),
        "Probit.score_obs": partial(check_jacobian, probit.score_obs, probit.loglikeobs, BETA),
        "Probit.hessian": partial(check_hessian, probit.hessian, probit.loglike, BETA),
        "Poisson.score": partial(check_gradient, poisson.score, poisson.loglike, BETA),
        "Poisson.hessian": partial(check_hessian, poisson.hessian, poisson.loglike, BETA),
        "MNLogit.hessian": partial(
            check_hessian, multinomial.hessian, multinomial.loglike, np.array([0.1, 0.2, 0.3, -0.1])
        ),
        "GeneralizedPoisson.score_obs": partial(
            check_jacobian, general.score_obs, general.loglikeobs, np.append(BETA, 0.2)
        ),
        "NegativeBinomialP.hessian": partial(
            check_hessian, negative.hessian, negative.loglike, with_shape
        ),
        "NegativeBinomialP.hessian, p=1.5": partial(
            check_hessian, between.hessian, between.loglike, with_shape
        ),
        "TruncatedLFPoisson.score_obs": partial(
            check_jacobian, truncated.score_obs, truncated.loglikeobs, BETA
        ),
        "TruncatedLFPoisson dμ/dβ": partial(
            check_jacobian, truncated._deriv_mean_dparams, truncated.predict, BETA
        ),
        "NominalGEE.mean_deriv": partial(
            check_jacobian,
            lambda b: nominal.mean_deriv(nominal.exog, nominal.exog @ b),
            lambda b: nominal.family.link.inverse(nominal.exog @ b),
            np.array([0.1, 0.2, 0.3, -0.1]),
        ),
        "BetaModel.hessian": partial(
            check_hessian, beta.hessian, beta.loglike, np.array([0.1, 0.4, 1.2])
        ),
        "GLM(Gamma).hessian": partial(
            check_hessian,
            lambda b: gamma.hessian(b, scale=1.0, observed=True),
            lambda b: gamma.loglike(b, scale=1.0),
            BETA,
        ),
        "PHReg.score": partial(check_gradient, hazards.score, hazards.loglike, BETA[:1]),
        "PHReg.hessian": partial(check_hessian, hazards.hessian, hazards.loglike, BETA[:1]),
        "ConditionalLogit.score": partial(
            check_gradient, conditional.score, conditional.loglike, BETA[:1]
        ),
        "OLS.score": partial(check_gradient, linear.score, linear.loglike, BETA),
        "OLS.hessian": partial(check_hessian, linear.hessian, linear.loglike, BETA),
        "AutoReg.score": partial(
            check_gradient, autoregressive.score, autoregressive.loglike, BETA
        ),
    }


def _links_and_norms() -> dict[str, Callable[..., Any]]:
    """Slopes of links of generalised linear models, and of norms of robust regression."""
    found: dict[str, Callable[..., Any]] = {}
    for link in (links.Logit(), links.CLogLog(), links.LogLog(), links.Log()):
        found[f"{type(link).__name__}.deriv"] = partial(
            check_gradient,
            link.deriv,
            lambda p, link=link: np.sum(link(p)),
            P,
            domain=("interval", 0, 1),
        )
        found[f"{type(link).__name__}.inverse_deriv2"] = partial(
            check_jacobian,
            lambda z, link=link: np.diag(link.inverse_deriv2(z)),
            link.inverse_deriv,
            Z / 4,
        )
    for norm in (norms.HuberT(), norms.TukeyBiweight(), norms.AndrewWave(), norms.RamsayE()):
        found[f"{type(norm).__name__}.psi"] = partial(
            check_gradient, norm.psi, lambda z, norm=norm: np.sum(norm.rho(z)), Z
        )
        found[f"{type(norm).__name__}.psi_deriv"] = partial(
            check_jacobian, lambda z, norm=norm: np.diag(norm.psi_deriv(z)), norm.psi, Z
        )
    return found


def _others() -> dict[str, Callable[..., Any]]:
    """Rotations of factors, a penalty, and kernels of nonparametric regression."""
    penalty = SCADSmoothed(0.5, 3.7)
    rng = np.random.default_rng(0)  # which it does not use: the bandwidth is given
    local = KernelReg(SERIES[:5], Z, "c", reg_type="lc", rng=rng, **BANDWIDTH)
    oblimin = partial(rotation.oblimin_objective, gamma=1)
    return {
        "oblimin_objective": partial(
            check_gradient,
            lambda loadings: oblimin(loadings)[1],
            lambda loadings: oblimin(loadings)[0],
            LOADINGS,
        ),
        "SCADSmoothed.deriv": partial(check_gradient, penalty.deriv, penalty.func, Z / 3),
        "d_gaussian": partial(
            check_jacobian,
            lambda x: kernels.d_gaussian(0.7, Z, x)[:, None],
            lambda x: kernels.gaussian(0.7, Z, x),
            BETA[:1],
        ),
        "KernelReg.fit": partial(
            check_gradient,
            lambda x: local.fit(x[None])[1].ravel(),
            lambda x: local.fit(x[None])[0][0],
            BETA[:1],
        ),
    }
