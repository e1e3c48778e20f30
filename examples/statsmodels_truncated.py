"""A wrong score in statsmodels: a truncated model with a parameter p that is not the default.

`TruncatedLFNegativeBinomialP(y, x, p=1)` is the NB1 model of counts that cannot be 0. Its
`loglike` is right. Its `score_obs` builds the part for the truncation from models of the default
p = 2, whatever p was given (seen in statsmodels 0.15.0). With p = 2 the score is right; with p = 1
it is not, and `fit`, which follows it, ends where `loglike` is not at its maximum.
"""

import warnings
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from scipy.optimize import minimize
from statsmodels.discrete.truncated_model import TruncatedLFNegativeBinomialP

from handgrad import check_gradient
from handgrad.report import GradientReport

X = np.column_stack([np.ones(8), np.linspace(-1, 1, 8)])
Y = np.array([1.0, 3.0, 1.0, 2.0, 5.0, 2.0, 7.0, 4.0])

#: Two coefficients and the dispersion.
PARAMS = np.array([0.5, 0.4, 0.6])


def log_likelihood(params: jax.Array, x: jax.Array, y: jax.Array, p: int) -> jax.Array:
    """Σ log P(y) - log(1 - P(0)) of the negative binomial with variance μ + αμᵖ."""
    mu, alpha = jnp.exp(x @ params[:-1]), params[-1]
    size = mu ** (2 - p) / alpha
    prob = size / (size + mu)
    log_p = gammaln(size + y) - gammaln(y + 1) - gammaln(size)
    log_p += size * jnp.log(prob) + y * jnp.log1p(-prob)
    return jnp.sum(log_p - jnp.log1p(-(prob**size)))


def score(params: np.ndarray, x: np.ndarray, y: np.ndarray, p: int) -> np.ndarray:
    """Compute its gradient with statsmodels."""
    return TruncatedLFNegativeBinomialP(y, x, p=p).score(params)


def report(p: int = 1) -> GradientReport:
    """Check the score of the model with this p."""
    loss, gradient = partial(log_likelihood, p=p), partial(score, p=p)
    return check_gradient(gradient, loss, PARAMS, X, Y, points=0)


def missed() -> tuple[float, float]:
    """Return the log-likelihood where `fit` ends, and where Nelder-Mead ends, without a gradient.

    The data are 400 counts drawn from the model at (0.3, 0.5, 0.8), without the zeros.
    """
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = rng.negative_binomial(np.exp(x @ [0.3, 0.5]) / 0.8, 1 / 1.8).astype(float)
    model = TruncatedLFNegativeBinomialP(y[y > 0], x[y > 0], p=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has not converged
        found = model.fit(disp=0, maxiter=200)
    better = minimize(lambda params: -model.loglike(params), found.params, method="Nelder-Mead")
    return float(found.llf), float(-better.fun)


if __name__ == "__main__":
    for p in (2, 1):
        print(
            f"statsmodels, TruncatedLFNegativeBinomialP(..., p={p}).score:", report(p), sep="\n\n"
        )
        print()
    print("log-likelihood where fit ends: {:.3f}; without a gradient: {:.3f}".format(*missed()))
