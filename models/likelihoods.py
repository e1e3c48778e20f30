"""Negative log likelihoods: of counts, those with gamma functions, and of a mixture."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, logsumexp
from scipy.special import digamma

from models.answers import one_element_off, sign_of_one_element
from models.model import Model
from models.numerics import size, softmax


def poisson_loss(params: Any, x: Any, log_exposure: Any, counts: Any) -> Any:
    """Poisson regression: mean of e^z - k z, z = x w + b + log exposure; the counts are ints."""
    z = x @ params["w"] + params["b"] + log_exposure
    return jnp.mean(jnp.exp(z) - counts.astype(z.dtype) * z)


def poisson_gradient(params: Any, x: Any, log_exposure: Any, counts: Any) -> Any:
    # z = x @ w + b + log exposure
    rate = np.exp(x @ params["w"] + params["b"] + log_exposure)
    k = counts.astype(rate.dtype)
    # L = mean(e^z - k z)
    dz = (rate - k) / len(x)
    return {"w": x.T @ dz, "b": dz.sum()}


def draw_poisson(rng: np.random.Generator) -> Any:
    params = {"w": size(rng, large=3.0) * rng.normal(size=2), "b": rng.normal()}
    return params, rng.normal(size=(7, 2)), rng.normal(size=7), rng.integers(0, 9, size=7)


POISSON = Model(
    *("poisson-regression", poisson_loss, poisson_gradient, draw_poisson),
    {
        "exposure-forgotten": (" + log_exposure)", ")"),
        "link-forgotten": ("(rate - k)", "(1 - k / rate)"),
        "bias-forgotten-in-forward": (' + params["b"] +', " +"),
        "residual-sign": ("(rate - k)", "(k - rate)"),
        "missing-mean": (" / len(x)", ""),
    },
)


def student_loss(params: Any, x: Any) -> Any:
    """Student's t: location, log scale and log degrees of freedom; -Σ log density."""
    location, log_scale, log_nu = params
    nu, z = jnp.exp(log_nu), (x - location) * jnp.exp(-log_scale)
    constant = gammaln(nu / 2) - gammaln((nu + 1) / 2) + jnp.log(nu * math.pi) / 2 + log_scale
    return jnp.sum(constant + (nu + 1) / 2 * jnp.log1p(z * z / nu))


def student_gradient(params: Any, x: Any) -> Any:
    location, log_scale, log_nu = params
    nu, s = np.exp(log_nu), np.exp(log_scale)
    # z = (x - location) / s, q = z² / ν
    z = (x - location) / s
    q = z * z / nu
    # L = Σ lgamma(ν/2) - lgamma((ν+1)/2) + log(ν π)/2 + log s + (ν+1)/2 log1p(q)
    dz = (nu + 1) * z / nu / (1 + q)
    dconstant = (digamma(nu / 2) - digamma((nu + 1) / 2) + 1 / nu) / 2
    dlog = np.log1p(q) / 2 - (nu + 1) / 2 * q / nu / (1 + q)
    dnu = (dconstant + dlog).sum()
    # ν = exp(log ν), s = exp(log s)
    dlog_scale = (1 - dz * z).sum()
    return -dz.sum() / s, dlog_scale, dnu * nu


def draw_student(rng: np.random.Generator) -> Any:
    params = (rng.normal(), rng.normal() / 2, rng.uniform(-0.5, 1.5))
    return params, size(rng) * rng.standard_t(2.5, size=7)


STUDENT = Model(
    *("student-t", student_loss, student_gradient, draw_student),
    {
        "gamma-terms-dropped": ("digamma(nu / 2) - digamma((nu + 1) / 2) + 1", "1"),
        "inner-derivative-dropped": (" - (nu + 1) / 2 * q / nu / (1 + q)", ""),
        "scale-term-dropped": ("(1 - dz * z)", "(-dz * z)"),
        "log-chain-forgotten": ("dnu * nu", "dnu"),
        "residual-sign": ("return -dz", "return dz"),
    },
)


def beta_loss(params: Any, x: Any) -> Any:
    """Beta distribution: -mean log density, given log a and log b."""
    a, b = jnp.exp(params["log_a"]), jnp.exp(params["log_b"])
    constant = gammaln(a) + gammaln(b) - gammaln(a + b)
    return constant - jnp.mean((a - 1) * jnp.log(x) + (b - 1) * jnp.log1p(-x))


def beta_gradient(params: Any, x: Any) -> Any:
    a, b = np.exp(params["log_a"]), np.exp(params["log_b"])
    # L = lgamma(a) + lgamma(b) - lgamma(a + b) - mean((a-1) log x + (b-1) log(1-x))
    both = digamma(a + b)
    da = digamma(a) - both - np.log(x).mean()
    db = digamma(b) - both - np.log1p(-x).mean()
    # a = exp(log a), b = exp(log b)
    return {"log_a": a * da, "log_b": b * db}


def draw_beta(rng: np.random.Generator) -> Any:
    log_a, log_b = rng.uniform(-1, 2, size=2)
    x = rng.beta(np.exp(log_a), np.exp(log_b), size=5)
    return {"log_a": log_a, "log_b": log_b}, np.clip(x, 1e-4, 0.999)


BETA = Model(
    *("beta-likelihood", beta_loss, beta_gradient, draw_beta),
    {
        "normaliser-dropped": ("both = digamma(a + b)", "both = 0"),
        "complement-forgotten": ("np.log1p(-x)", "np.log(x)"),
        "log-chain-forgotten": ('a * da, "log_b": b * db', 'da, "log_b": db'),
        "exchanged": ('a * da, "log_b": b * db', 'b * db, "log_b": a * da'),
    },
)


def dirichlet_loss(alpha: Any, p: Any) -> Any:
    """Dirichlet distribution: -Σ_i log density of the rows of p, given α itself."""
    constant = jnp.sum(gammaln(alpha)) - gammaln(jnp.sum(alpha))
    return len(p) * constant - jnp.sum((alpha - 1)[None, :] * jnp.log(p))


def dirichlet_gradient(alpha: Any, p: Any) -> Any:
    # L = n (Σ lgamma(α) - lgamma(Σ α)) - Σ (α - 1) log p
    constant = digamma(alpha) - digamma(alpha.sum())
    return len(p) * constant - np.log(p).sum(axis=0)


def draw_dirichlet(rng: np.random.Generator) -> Any:
    alpha = rng.uniform(0.5, 3.0, size=4) * (1 if rng.random() < 0.8 else 4)
    p = np.clip(rng.dirichlet(alpha, size=5), 1e-4, 1)
    return alpha, p / p.sum(axis=1, keepdims=True)


DIRICHLET = Model(
    *("dirichlet-likelihood", dirichlet_loss, dirichlet_gradient, draw_dirichlet),
    {
        "total-dropped": (" - digamma(alpha.sum())", ""),
        "digamma-dropped": ("digamma(alpha) - digamma", "-digamma"),
        "rows-forgotten": ("len(p) * constant", "constant"),
        "sign-of-one-element": sign_of_one_element,
    },
)


def mixture_loss(params: Any, x: Any) -> Any:
    """Mixture of Gaussians: -mean logsumexp_k(log π_k - z²/2 - log s_k), z = (x - μ_k) / s_k."""
    z = (x[:, None] - params["mean"][None, :]) * jnp.exp(-params["log_scale"])[None, :]
    log_weights = params["logit"] - logsumexp(params["logit"])
    return -jnp.mean(
        logsumexp(log_weights[None, :] - z * z / 2 - params["log_scale"][None, :], axis=1)
    )


def mixture_gradient(params: Any, x: Any) -> Any:
    logit, log_s, s = params["logit"], params["log_scale"], np.exp(params["log_scale"])
    z = (x[:, None] - params["mean"][None, :]) / s[None, :]
    # L = -mean(logsumexp(l)), l = log softmax(logit) - z² / 2 - log s
    scores = logit[None, :] - z * z / 2 - log_s[None, :]
    p = softmax(scores)
    dl = -p / len(x)
    # z = (x - μ) e^-log s
    dmean = (dl * z).sum(axis=0) / s
    dlog_scale = (dl * (z * z - 1)).sum(axis=0)
    # log softmax(logit): the rows of dl sum to -1/n
    dlogit = dl.sum(axis=0) + softmax(logit)
    return {"logit": dlogit, "mean": dmean, "log_scale": dlog_scale}


def draw_mixture(rng: np.random.Generator) -> Any:
    mean, logit = size(rng, large=5.0) * rng.normal(size=3), rng.normal(size=3)
    params = {"logit": logit, "mean": mean, "log_scale": rng.normal(size=3) / 2}
    return params, rng.normal(size=7) * 2


MIXTURE = Model(
    *("gaussian-mixture", mixture_loss, mixture_gradient, draw_mixture),
    {
        "weights-unnormalised": (" + softmax(logit)", ""),
        "log-scale-term-dropped": ("(z * z - 1)", "(z * z)"),
        "hard-assignment": (
            "p = softmax(scores)",
            "p = (scores == scores.max(axis=1, keepdims=True)).astype(scores.dtype)",
        ),
        "prior-for-posterior": ("softmax(scores)", "softmax(0 * scores + logit[None, :])"),
        "one-element-off": one_element_off,
    },
)

MODELS = [POISSON, STUDENT, BETA, DIRICHLET, MIXTURE]
