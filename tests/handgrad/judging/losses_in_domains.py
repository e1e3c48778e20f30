"""Losses of parameters in a domain, with gradients that are right in it, and wrong ones."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(0)
ROOT = RNG.standard_normal((3, 3))
SPD = ROOT @ ROOT.T + np.eye(3)
SPD = (SPD + SPD.T) / 2
FACTOR = np.linalg.cholesky(SPD)
Q, _ = np.linalg.qr(RNG.standard_normal((4, 4)))
P = np.array([0.2, 0.5, 0.3])
UNIT = np.array([0.48, -0.6, 0.64])
DATA = RNG.standard_normal((5, 3))
COUNTS = np.array([3.0, 1.0, 4.5])


def log_det(a: Any) -> Any:
    return jnp.linalg.slogdet(a)[1]


def for_log_det(a: Any) -> Any:
    return np.linalg.inv(a)


def twice_off_the_diagonal(a: Any) -> Any:
    return np.linalg.inv(a) * np.where(np.eye(len(a)), 1.0, 2.0)


def likelihood(low: Any, x: Any) -> Any:
    """Return -log of the Gaussian density of rows, by the Cholesky factor of the covariance."""
    white = jax.scipy.linalg.solve_triangular(low, x.T, lower=True)
    return 0.5 * jnp.sum(white**2) + len(x) * jnp.sum(jnp.log(jnp.diag(low)))


def for_likelihood(low: Any, x: Any) -> Any:
    """∂/∂L of ½·Σ|L⁻¹x|² is -L⁻ᵀ·z·zᵀ for z = L⁻¹x; its upper triangle is that of a full L."""
    z = np.linalg.solve(low, x.T)
    return -np.linalg.solve(low.T, z @ z.T) + len(x) * np.diag(1 / np.diag(low))


def zeros_above(low: Any, x: Any) -> Any:
    return np.tril(for_likelihood(low, x))


def diagonal_forgotten(low: Any, x: Any) -> Any:
    return np.tril(for_likelihood(low, x)) - len(x) * np.diag(1 / np.diag(low))


def dirichlet(p: Any, alpha: Any) -> Any:
    normal = jax.scipy.special.gammaln(alpha.sum()) - jax.scipy.special.gammaln(alpha).sum()
    return normal + jnp.sum((alpha - 1) * jnp.log(p))


def entropy(p: Any) -> Any:
    return -jnp.sum(p * jnp.log(p))


def tangential(of: Callable[..., Any]) -> Callable[..., Any]:
    """Return a gradient on the simplex with its mean taken off."""
    return lambda p, *inputs: of(p, *inputs) - of(p, *inputs).mean()


def by_logits(p: Any, alpha: Any) -> Any:
    """The softmax Jacobian p·(g - p·g), left out of a gradient by logits or put in by mistake."""
    g = (alpha - 1) / p
    return p * (g - (p * g).sum())


def von_mises_fisher(mu: Any, x: Any, kappa: float) -> Any:
    return kappa * jnp.sum(x @ mu)


def for_mean(_: Any, x: Any, kappa: float) -> Any:
    return kappa * x.sum(axis=0)


def tangential_only(mu: Any, x: Any, kappa: float) -> Any:
    g = for_mean(mu, x, kappa)
    return g - mu * (mu @ g)


def radial_only(mu: Any, x: Any, kappa: float) -> Any:
    g = for_mean(mu, x, kappa)
    return mu * (mu @ g)


M = RNG.standard_normal((4, 4))
C = M + M.T


def pca(q: Any, c: Any, weights: Any) -> Any:
    return jnp.sum(weights * jnp.diag(q.T @ c @ q))


def for_pca(q: Any, c: Any, weights: Any) -> Any:
    return 2 * c @ q * weights


def riemannian(q: Any, c: Any, weights: Any) -> Any:
    g = for_pca(q, c, weights)
    return g - q @ (q.T @ g + g.T @ q) / 2


def transposed(q: Any, c: Any, weights: Any) -> Any:
    return for_pca(q, c, weights).T


def gamma(p: Any, x: Any) -> Any:
    shape, rate = p
    logs = shape * jnp.log(rate) - jax.scipy.special.gammaln(shape) + (shape - 1) * jnp.log(x)
    return jnp.sum(logs - rate * x)


def for_gamma(p: Any, x: Any) -> Any:
    shape, rate = p
    by_shape = np.log(rate) - float(jax.scipy.special.digamma(shape)) + np.log(x)
    return np.array([by_shape.sum(), (shape / rate - x).sum()])


def of_logs(p: Any, x: Any) -> Any:
    """The gradient by log(p), which has a factor p, handed over as that by p."""
    return p * for_gamma(p, x)


TIMES = np.array([0.5, 1.5, 2.0, 0.7])
WEIGHTS = np.array([4.0, 3.0, 2.0, 1.0])


class InDomain(NamedTuple):
    """A loss in a domain, gradients that are right in it, and wrong ones."""

    domain: Any
    loss: Callable[..., Any]
    at: tuple[Any, ...]
    right: tuple[Callable[..., Any], ...]
    wrong: tuple[Callable[..., Any], ...]


IN_DOMAINS = {
    "log det": InDomain(
        "symmetric",
        log_det,
        (SPD,),
        (for_log_det, lambda a: np.tril(twice_off_the_diagonal(a))),
        (twice_off_the_diagonal, lambda a: np.tril(for_log_det(a))),
    ),
    "log det by a factor": InDomain(
        "positive definite",
        lambda a: 2 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky(a)))),
        (SPD,),
        (for_log_det,),
        (twice_off_the_diagonal, lambda a: -for_log_det(a)),
    ),
    "likelihood": InDomain(
        "lower triangular",
        likelihood,
        (FACTOR, DATA),
        (for_likelihood, zeros_above),
        (diagonal_forgotten, lambda low, x: for_likelihood(low, x).T),
    ),
    "Dirichlet": InDomain(
        "simplex",
        dirichlet,
        (P, COUNTS),
        (lambda p, alpha: (alpha - 1) / p, tangential(lambda p, alpha: (alpha - 1) / p)),
        (by_logits, lambda p, alpha: alpha / p),
    ),
    "entropy": InDomain(
        "simplex",
        entropy,
        (P,),
        (lambda p: -np.log(p) - 1, lambda p: -np.log(p)),
        (lambda p: np.log(p), lambda p: -np.log(p) - p),
    ),
    "von Mises-Fisher": InDomain(
        "unit sphere",
        von_mises_fisher,
        (UNIT, DATA, 2.5),
        (for_mean, tangential_only),
        (radial_only, lambda mu, x, kappa: for_mean(mu, x, 1.0)),
    ),
    "principal components": InDomain(
        "orthogonal",
        pca,
        (Q, C, WEIGHTS),
        (for_pca, riemannian),
        (transposed, lambda q, c, weights: for_pca(q, c, weights) / 2),
    ),
    "gamma": InDomain("positive", gamma, (np.array([2.5, 0.8]), TIMES), (for_gamma,), (of_logs,)),
    "Bernoulli": InDomain(
        ("interval", 0, 1),
        lambda p, k: -jnp.sum(k * jnp.log(p) + (1 - k) * jnp.log1p(-p)),
        (P, np.array([1.0, 0.0, 1.0])),
        (lambda p, k: (p - k) / (p * (1 - p)),),
        (lambda p, k: p - k,),
    ),
    "a mask": InDomain(
        np.array([True, False, True]),
        lambda w, x: jnp.sum((x @ w) ** 2),
        (UNIT, DATA),
        (lambda w, x: 2 * x.T @ (x @ w), lambda w, x: 2 * x.T @ (x @ w) * [1.0, 0.0, 1.0]),
        (lambda w, x: 2 * x.T @ (x @ w) * [1.0, 0.0, 0.0],),
    ),
}

#: Losses whose gradient is mostly normal, by a factor k, and their gradients.
LARGE = {
    "unit sphere": (
        lambda x, a, k: k / 2 * (x * x).sum() + (a * x).sum(),
        lambda x, a, k: k * x + a,
        (UNIT, np.eye(3)[1], np.array([0.6, 0.0, 0.8])),
    ),
    "orthogonal": (
        lambda q, a, k: k / 2 * (q * q).sum() + (a * q).sum(),
        lambda q, a, k: k * q + a,
        (Q[:3, :3] @ np.eye(3), np.eye(3), np.eye(3)[[1, 0, 2]]),
    ),
    "symmetric": (
        lambda s, a, k: k * (s[0, 1] - s[1, 0]) + (a * s).sum(),
        lambda s, a, k: a + k * (np.eye(3)[[1, 0, 2]] * [[0, 1, 0], [-1, 0, 0], [0, 0, 0]]),
        (SPD, np.eye(3)),
    ),
    "simplex": (
        lambda p, a, k: k * p.sum() + (a * p).sum(),
        lambda p, a, k: k + a + 0 * p,
        (P, np.array([0.25, 0.5, 0.25])),
    ),
}
