"""Negative log likelihoods of counts, and those with gamma functions."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from scipy.special import digamma

from models.numerics import rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def poisson_loss(params: Any, x: Any, log_exposure: Any, counts: Any) -> Any:
    """Poisson regression: mean of e^z - k z, z = x w + b + log exposure; the counts are ints."""
    z = x @ params["w"] + params["b"] + log_exposure
    return jnp.mean(jnp.exp(z) - counts.astype(z.dtype) * z)


def poisson_gradient(
    exposure: bool = True, link: bool = True, intercept: bool = True, sign: float = 1.0
) -> Gradient:
    def gradient(params: Any, x: Any, log_exposure: Any, counts: Any) -> Any:
        # z = x @ w + b + log exposure
        z = x @ params["w"] + (params["b"] if intercept else 0)
        rate = np.exp(z + (log_exposure if exposure else 0))
        k = counts.astype(z.dtype)
        # L = mean(e^z - k z)
        dz = sign * (rate - k if link else 1 - k / rate) / len(x)
        return {"w": x.T @ dz, "b": dz.sum()}

    return gradient


def draw_poisson(rng: np.random.Generator) -> Any:
    params = {"w": size(rng, large=3.0) * rng.normal(size=2), "b": rng.normal()}
    return params, rng.normal(size=(7, 2)), rng.normal(size=7), rng.integers(0, 9, size=7)


POISSON = Model(
    name="poisson-regression",
    loss=poisson_loss,
    gradient=poisson_gradient(),
    draw=rounded(draw_poisson),
    mistakes={
        "exposure-forgotten": poisson_gradient(exposure=False),
        "link-forgotten": poisson_gradient(link=False),
        "bias-forgotten-in-forward": poisson_gradient(intercept=False),
        "residual-sign": poisson_gradient(sign=-1.0),
        "missing-mean": m.scaled_by_batch(poisson_gradient()),
    },
)


def student_loss(params: Any, x: Any) -> Any:
    """Student's t: location, log scale and log degrees of freedom; -Σ log density."""
    location, log_scale, log_nu = params
    nu, z = jnp.exp(log_nu), (x - location) * jnp.exp(-log_scale)
    constant = gammaln(nu / 2) - gammaln((nu + 1) / 2) + jnp.log(nu * math.pi) / 2 + log_scale
    return jnp.sum(constant + (nu + 1) / 2 * jnp.log1p(z * z / nu))


def student_gradient(
    gamma: bool = True, inner: bool = True, scale: bool = True, chain: bool = True
) -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        location, log_scale, log_nu = params
        nu, s = np.exp(log_nu), np.exp(log_scale)
        # z = (x - location) / s, q = z² / ν
        z = (x - location) / s
        q = z * z / nu
        # L = Σ lgamma(ν/2) - lgamma((ν+1)/2) + log(ν π)/2 + log s + (ν+1)/2 log1p(q)
        dz = (nu + 1) * z / nu / (1 + q)
        dconstant = (digamma(nu / 2) - digamma((nu + 1) / 2) + 1 / nu) / 2 if gamma else 0.5 / nu
        dlog = np.log1p(q) / 2 - ((nu + 1) / 2 * q / nu / (1 + q) if inner else 0)
        dnu = (dconstant + dlog).sum()
        # ν = exp(log ν), s = exp(log s)
        dlog_scale = (1 - dz * z).sum() if scale else -(dz * z).sum()
        return -dz.sum() / s, dlog_scale, (dnu * nu if chain else dnu)

    return gradient


def draw_student(rng: np.random.Generator) -> Any:
    params = (rng.normal(), rng.normal() / 2, rng.uniform(-0.5, 1.5))
    return params, size(rng) * rng.standard_t(2.5, size=7)


STUDENT = Model(
    name="student-t",
    loss=student_loss,
    gradient=student_gradient(),
    draw=rounded(draw_student),
    mistakes={
        "gamma-terms-dropped": student_gradient(gamma=False),
        "inner-derivative-dropped": student_gradient(inner=False),
        "scale-term-dropped": student_gradient(scale=False),
        "log-chain-forgotten": student_gradient(chain=False),
        "residual-sign": m.scaled(student_gradient(), -1.0, leaf=0),
    },
)


def beta_loss(params: Any, x: Any) -> Any:
    """Beta distribution: -mean log density, given log a and log b."""
    a, b = jnp.exp(params["log_a"]), jnp.exp(params["log_b"])
    constant = gammaln(a) + gammaln(b) - gammaln(a + b)
    return constant - jnp.mean((a - 1) * jnp.log(x) + (b - 1) * jnp.log1p(-x))


def beta_gradient(together: bool = True, mirror: bool = True, chain: bool = True) -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        a, b = np.exp(params["log_a"]), np.exp(params["log_b"])
        # L = lgamma(a) + lgamma(b) - lgamma(a + b) - mean((a-1) log x + (b-1) log(1-x))
        both = digamma(a + b) if together else 0
        da = digamma(a) - both - np.log(x).mean()
        db = digamma(b) - both - (np.log1p(-x) if mirror else np.log(x)).mean()
        # a = exp(log a), b = exp(log b)
        return {"log_a": a * da if chain else da, "log_b": b * db if chain else db}

    return gradient


def draw_beta(rng: np.random.Generator) -> Any:
    log_a, log_b = rng.uniform(-1, 2, size=2)
    x = rng.beta(np.exp(log_a), np.exp(log_b), size=5)
    return {"log_a": log_a, "log_b": log_b}, np.clip(x, 1e-4, 0.999)


BETA = Model(
    name="beta-likelihood",
    loss=beta_loss,
    gradient=beta_gradient(),
    draw=rounded(draw_beta),
    mistakes={
        "normaliser-dropped": beta_gradient(together=False),
        "complement-forgotten": beta_gradient(mirror=False),
        "log-chain-forgotten": beta_gradient(chain=False),
        "exchanged": m.exchanged(beta_gradient()),
    },
)


def dirichlet_loss(alpha: Any, p: Any) -> Any:
    """Dirichlet distribution: -Σ_i log density of the rows of p, given α itself."""
    constant = jnp.sum(gammaln(alpha)) - gammaln(jnp.sum(alpha))
    return len(p) * constant - jnp.sum((alpha - 1)[None, :] * jnp.log(p))


def dirichlet_gradient(total: bool = True, each: bool = True, rows: bool = True) -> Gradient:
    def gradient(alpha: Any, p: Any) -> Any:
        n = len(p) if rows else 1
        # L = n (Σ lgamma(α) - lgamma(Σ α)) - Σ (α - 1) log p
        constant = (digamma(alpha) if each else 0) - (digamma(alpha.sum()) if total else 0)
        return n * constant - np.log(p).sum(axis=0)

    return gradient


def draw_dirichlet(rng: np.random.Generator) -> Any:
    alpha = rng.uniform(0.5, 3.0, size=4) * (1 if rng.random() < 0.8 else 4)
    p = np.clip(rng.dirichlet(alpha, size=5), 1e-4, 1)
    return alpha, p / p.sum(axis=1, keepdims=True)


DIRICHLET = Model(
    name="dirichlet-likelihood",
    loss=dirichlet_loss,
    gradient=dirichlet_gradient(),
    draw=rounded(draw_dirichlet),
    mistakes={
        "total-dropped": dirichlet_gradient(total=False),
        "digamma-dropped": dirichlet_gradient(each=False),
        "rows-forgotten": dirichlet_gradient(rows=False),
        "sign-of-one-element": m.sign_of_one_element(dirichlet_gradient()),
    },
)


MODELS = [POISSON, STUDENT, BETA, DIRICHLET]
