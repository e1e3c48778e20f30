"""Derivatives of SciPy, statsmodels and scikit-learn, in one audit.

Each check is a derivative as it is installed, beside its function: the package's own where that is
written in NumPy, or else the formula of its documentation. On the command line, with one page:

    handgrad check --all examples/audit_of_packages.py:checks --out audited
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax.scipy.special import logsumexp
from scipy import optimize, stats
from scipy.optimize._lsq.least_squares import IMPLEMENTED_LOSSES
from sklearn._loss import loss as _loss
from sklearn.gaussian_process import kernels
from sklearn.linear_model._huber import _huber_loss_and_gradient
from statsmodels.discrete.discrete_model import Poisson, Probit
from statsmodels.genmod.families import links
from statsmodels.robust import norms

from handgrad import AuditReport, audit, check_gradient

#: Points, none of which lies where two formulas of one function meet.
Z = np.array([-3.1, -0.7, 0.2, 0.9, 2.3])
P = np.array([0.07, 0.31, 0.5, 0.83, 0.96])
POSITIVE = np.array([0.08, 0.6, 1.7, 5.3])
X = np.array([[1, -2.1], [1, -1.3], [1, -1.0], [1, 0.9], [1, 1.4], [1, 2.2]])
COUNTS = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 4.0])
ANY = np.minimum(COUNTS, 1.0)
BETA = np.array([0.3, 0.2])


def checks() -> dict[str, Callable[..., Any]]:
    """Return the checks by their names."""
    return {**of_scipy(), **of_statsmodels(), **of_sklearn()}


def report(**options: Any) -> AuditReport:
    """Make them all."""
    return audit(checks(), **options)


def of_scipy() -> dict[str, Callable[..., Any]]:
    """`scipy.optimize`, its robust losses, and functions that are derivatives of others."""

    def by_rows(loss: Any) -> Callable[..., Any]:
        def slope(z: np.ndarray) -> np.ndarray:
            rho = np.empty((3, len(z)))
            loss(z, rho, cost_only=False)
            return rho[1]

        return slope

    point = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
    robust = {
        "soft_l1": lambda z: jnp.sum(2 * (jnp.sqrt(1 + z) - 1)),
        "cauchy": lambda z: jnp.sum(jnp.log1p(z)),
        "arctan": lambda z: jnp.sum(jnp.arctan(z)),
        "huber": lambda z: jnp.sum(jnp.where(z <= 1, z, 2 * jnp.sqrt(z) - 1)),
    }
    found: dict[str, tuple[Any, ...]] = {
        "scipy.optimize:rosen_der": (optimize.rosen_der, optimize.rosen, point),
        "scipy.special:softmax": (scipy.special.softmax, logsumexp, Z),
        "scipy.special:expit": (scipy.special.expit, lambda z: jnp.sum(jax.nn.softplus(z)), Z),
        "scipy.stats:norm.pdf": (stats.norm.pdf, lambda z: jnp.sum(jax.scipy.stats.norm.cdf(z)), Z),
    } | {
        f"scipy.optimize._lsq:{name}": (by_rows(IMPLEMENTED_LOSSES[name]), loss, POSITIVE)
        for name, loss in robust.items()
    }
    return {name: partial(check_gradient, *of_one) for name, of_one in found.items()}


def of_statsmodels() -> dict[str, Callable[..., Any]]:
    """Scores, links of generalised linear models, and norms of robust regression."""
    found: dict[str, tuple[Any, ...]] = {
        "statsmodels:Poisson.score": (
            lambda beta: Poisson(COUNTS, X).score(beta),
            lambda beta: jnp.sum(COUNTS * (X @ beta) - jnp.exp(X @ beta)),
            BETA,
        ),
        "statsmodels:Probit.score": (
            lambda beta: Probit(ANY, X).score(beta),
            lambda beta: jnp.sum(jax.scipy.stats.norm.logcdf((2 * ANY - 1) * (X @ beta))),
            BETA,
        ),
    }
    for norm in (norms.HuberT(), norms.TukeyBiweight(), norms.AndrewWave(), norms.RamsayE()):
        name = f"statsmodels.norms:{type(norm).__name__}.psi"
        found[name] = (norm.psi, lambda z, norm=norm: np.sum(norm.rho(z)), Z)
    made = {name: partial(check_gradient, *of_one) for name, of_one in found.items()}
    for link in (links.Logit(), links.CLogLog(), links.LogLog(), links.Log()):
        name = f"statsmodels.links:{type(link).__name__}.deriv"
        of_link = link.deriv, lambda p, link=link: np.sum(link(p)), P
        # Beyond 0 and 1, where drawn points may lie, a link clips p, and its slope does not.
        made[name] = partial(check_gradient, *of_link, points=0)
    return made


def of_sklearn() -> dict[str, Callable[..., Any]]:
    """Losses of one output, a kernel, and the loss of `HuberRegressor`."""
    true = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    losses = {
        "HalfBinomialLoss": lambda raw: jnp.sum(jax.nn.softplus(raw) - true * raw),
        "HalfPoissonLoss": lambda raw: jnp.sum(jnp.exp(raw) - true * raw),
        "HalfSquaredError": lambda raw: jnp.sum((raw - true) ** 2 / 2),
        "ExponentialLoss": lambda raw: jnp.sum(true * jnp.exp(-raw) + (1 - true) * jnp.exp(raw)),
    }
    found: dict[str, tuple[Any, ...]] = {
        f"sklearn._loss:{name}": (partial(getattr(_loss, name)().gradient, true), loss, Z)
        for name, loss in losses.items()
    }
    weights, apart = np.array([0.3, -1.2, 0.8]), np.sum((X[:3, None] - X[None, :3]) ** 2, axis=2)

    def of_kernel(theta: np.ndarray) -> np.ndarray:
        kernel: Any = kernels.RBF().clone_with_theta(theta)
        slopes = kernel(X[:3], eval_gradient=True)[1]
        return np.einsum("i,ijk,j->k", weights, slopes, weights)

    found["sklearn.kernels:RBF"] = (
        of_kernel,
        lambda theta: weights @ jnp.exp(-apart / 2 / jnp.exp(2 * theta[0])) @ weights,
        np.array([0.2]),
    )
    y, one = COUNTS, np.ones(len(COUNTS))

    def huber(w: Any) -> Any:
        """The loss of robust regression; w has two coefficients, the intercept and the scale."""
        r, scale = jnp.abs(y - X @ w[:2] - w[2]), w[3]
        far = 2 * 1.35 * r - scale * 1.35**2
        each = jnp.where(r > 1.35 * scale, far, r**2 / scale)
        return jnp.sum(scale + each) + 0.1 * jnp.sum(w[:2] ** 2)

    made = {name: partial(check_gradient, *of_one) for name, of_one in found.items()}
    made["sklearn:HuberRegressor"] = partial(
        check_gradient,
        lambda w: _huber_loss_and_gradient(w, X, y, 1.35, 0.1, one),
        huber,
        np.array([0.1, 0.2, 0.3, 0.7]),
        has_value=True,
    )
    return made


if __name__ == "__main__":
    print(report())
