"""Negative log likelihoods: a time series, Gaussians, counts, a mixture, lifetimes."""

import math
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import gammaln, logsumexp
from scipy.special import digamma

from manual.losses import softmax
from models.helpers import binomial_delta, one_element_off, one_element_zeroed, size
from models.model import of_loss


def kalman_loss(params: Any, y: Any) -> Any:
    """Kalman filter of a random walk, given log q and log r; derivatives are carried forward."""
    q, r = jnp.exp(params[0]), jnp.exp(params[1])

    def step(state: Any, y_t: Any) -> Any:
        mean, variance = state
        s, e = variance + q + r, y_t - mean
        gain = (variance + q) / s
        return (mean + gain * e, gain * r), (jnp.log(s) + e * e / s) / 2

    _, terms = jax.lax.scan(step, (jnp.zeros_like(q), jnp.ones_like(q)), y)
    return jnp.sum(terms)


def kalman_gradient(params: Any, y: Any) -> Any:
    q, r = np.exp(params[0]), np.exp(params[1])
    # Tangents are along log q and log r.
    dq, dr = np.stack([q, 0 * q]), np.stack([0 * r, r])
    mean, p, grads, dmean, dp = 0 * q, 1 + 0 * q, [], 0 * dq, 0 * dq
    for y_t in y:
        # v = p + q, s = v + r, e = y - mean, k = v / s
        v, e = p + q, y_t - mean
        s = v + r
        dv = dp + dq
        ds = dv + dr
        # l = (log s + e² / s) / 2
        grads.append((ds - e * e * ds / s) / s / 2 - e * dmean / s)
        # k = v / s, r / s = 1 - k
        dk = (r * dv - v * dr) / s**2
        dmean = dmean * (r / s) + dk * e
        # mean' = mean + k e, p' = k r
        mean, p = mean + v / s * e, v / s * r
        dp = dk * r + v / s * dr
    return list(np.sum(grads, axis=0))


def draw_kalman(rng: np.random.Generator) -> Any:
    walk = np.cumsum(rng.normal(size=7))
    params = rng.normal(size=2) * rng.choice([1.0, 1.0, 1.0, 5.0])
    return list(params), walk + size(rng, large=5.0) * rng.normal(size=7)


KALMAN = of_loss(
    *("kalman-filter", kalman_loss, kalman_gradient, draw_kalman),
    {
        "gain-held-fixed": "dmean = dmean * (r / s)",
        "variance-term-dropped": "dp = dk * r",
        "noise-forgotten": "ds = dv",
        "half-forgotten": ("/ s / 2 -", "/ s -"),
        "exchanged": "return list(np.sum(grads, axis=0))[::-1]",
    },
)


def cholesky_loss(params: Any, x: Any) -> Any:
    """Gaussian by its factor: Σ_i |L⁻¹ (x_i - μ)|² / 2 + n log det L, L = tril, e^ on diagonal."""
    raw = params["raw"]
    factor = jnp.tril(raw, -1) + jnp.diag(jnp.exp(jnp.diagonal(raw)))
    white = solve_triangular(factor, (x - params["mean"][None, :]).T, lower=True)
    return jnp.sum(jnp.square(white)) / 2 + len(x) * jnp.sum(jnp.diagonal(raw))


def cholesky_gradient(params: Any, x: Any) -> Any:
    raw = params["raw"]
    diagonal = np.exp(np.diagonal(raw))
    factor = np.tril(raw, -1) + np.diag(diagonal)
    # white = L⁻¹ (x - μ)ᵀ
    white = np.linalg.solve(factor, (x - params["mean"][None, :]).T)
    # loss = Σ white² / 2 + n Σ log diag L
    dcentred = np.linalg.solve(factor.T, white)
    # L white = (x - μ)ᵀ
    dfactor = -dcentred @ white.T
    # L = tril(raw, -1) + diag(exp(diag(raw)))
    below = np.tril(dfactor, -1)
    own = np.diag(np.diagonal(dfactor) * diagonal + len(x))
    return {"mean": -dcentred.sum(axis=1), "raw": below + own}


def draw_cholesky(rng: np.random.Generator) -> Any:
    raw = rng.normal(size=(3, 3)) * np.where(np.eye(3) == 1, size(rng, large=2.0, small=0.1), 1.0)
    return {"mean": rng.normal(size=3), "raw": raw}, rng.normal(size=(5, 3))


CHOLESKY = of_loss(
    *("gaussian-cholesky", cholesky_loss, cholesky_gradient, draw_cholesky),
    {
        "exponential-forgotten": "own = np.diag(np.diagonal(dfactor) + len(x))",
        "determinant-forgotten": ("diagonal + len(x)", "diagonal"),
        "adjoint-untransposed": ("solve(factor.T,", "solve(factor,"),
        "upper-triangle-kept": "below = dfactor - np.diag(np.diagonal(dfactor))",
        "one-element-off": one_element_off,
    },
)


def covariance_loss(params: Any, x: Any) -> Any:
    """Gaussian by its covariance: Σ_i (x_i - μ)ᵀ S⁻¹ (x_i - μ) / 2 + n log det S / 2."""
    mean, covariance = params
    white = solve_triangular(jnp.linalg.cholesky(covariance), (x - mean[None, :]).T, lower=True)
    return jnp.sum(jnp.square(white)) / 2 + len(x) * jnp.linalg.slogdet(covariance)[1] / 2


def covariance_gradient(params: Any, x: Any) -> Any:
    mean, covariance = params
    # cholesky reads (S + Sᵀ) / 2, the determinant reads S as it stands
    s = (covariance + covariance.T) / 2
    # loss = Σ c · S⁻¹ c / 2 + n log det S / 2, c = x - μ
    c = (x - mean[None, :]).T
    a = np.linalg.solve(s, c)
    inverse = np.linalg.inv(covariance).T
    # d(S⁻¹) = -S⁻¹ dS S⁻¹, d log det S = tr(S⁻¹ dS)
    ds = (len(x) * inverse - a @ a.T) / 2
    return -a.sum(axis=1), ds


def draw_covariance(rng: np.random.Generator, examples: int = 5, dimensions: int = 3) -> Any:
    rows, n = np.ones(dimensions), 2 * dimensions + 1
    rows[1] = size(rng, large=30.0, small=0.1)
    root = rows[:, None] * rng.normal(size=(dimensions, n))
    params = rng.normal(size=dimensions), root @ root.T / n
    return params, rng.normal(size=(examples, dimensions))


COVARIANCE = of_loss(
    *("gaussian-covariance", covariance_loss, covariance_gradient, draw_covariance),
    {
        "one-inverse": ("- a @ a.T", "- c @ a.T"),
        "determinant-forgotten": "ds = (-a @ a.T) / 2",
        "symmetric-parameters": "return -a.sum(axis=1), 2 * ds - np.diag(np.diagonal(ds))",
        "lower-only": "return -a.sum(axis=1), np.tril(2 * ds) - np.diag(np.diagonal(ds))",
        "residual-sign": "return a.sum(axis=1), ds",
    },
)


@dataclass(frozen=True)
class Kernel:
    """Logarithms of the length scale, the signal's and the noise's standard deviation."""

    length: Any
    signal: Any
    noise: Any


jax.tree_util.register_dataclass(Kernel, data_fields=["length", "signal", "noise"], meta_fields=[])


def process_loss(params: Kernel, x: Any, y: Any) -> Any:
    """Gaussian process: yᵀ K⁻¹ y / 2 + log det K / 2 + n log 2π / 2, K = s² e^(-d²/2l²) + e² I."""
    squares = jnp.square(x[:, None] - x[None, :])
    k = jnp.exp(2 * params.signal - squares * jnp.exp(-2 * params.length) / 2)
    k = k + jnp.exp(2 * params.noise) * jnp.eye(len(x), dtype=x.dtype)
    factor = jnp.linalg.cholesky(k)
    white = solve_triangular(factor, y, lower=True)
    constant = len(x) * math.log(2 * math.pi) / 2
    return jnp.sum(jnp.square(white)) / 2 + jnp.sum(jnp.log(jnp.diagonal(factor))) + constant


def process_gradient(params: Kernel, x: Any, y: Any) -> Kernel:
    d = np.square(x[:, None] - x[None, :]) * np.exp(-2 * params.length)
    signal, e2 = np.exp(2 * params.signal - d / 2), np.exp(2 * params.noise)
    k = signal + e2 * np.eye(len(x), dtype=x.dtype)
    # loss = y · K⁻¹ y / 2 + log det K / 2
    a = np.linalg.solve(k, y)
    dk = (np.linalg.inv(k) - np.outer(a, a)) / 2
    # K = signal + e² I, signal = s² exp(-d / 2), d ∝ l⁻²
    dlength, dsignal = (dk * signal * d).sum(), 2 * (dk * signal).sum()
    dnoise = 2 * np.trace(dk) * e2
    return Kernel(dlength, dsignal, dnoise)


def draw_process(rng: np.random.Generator) -> Any:
    noise = rng.choice([0.2, 0.0, -0.4]) + 0.1 * rng.normal()
    return Kernel(rng.normal() / 2, rng.normal() / 2, noise), rng.normal(size=5), rng.normal(size=5)


PROCESS = of_loss(
    *("gaussian-process", process_loss, process_gradient, draw_process),
    {
        "log-scale-forgotten": (
            "Kernel(dlength, dsignal,",
            "Kernel(dlength / np.exp(params.length), dsignal / np.exp(params.signal),",
        ),
        "data-term-dropped": (" - np.outer(a, a)", ""),
        "determinant-dropped": "dk = (-np.outer(a, a)) / 2",
        "noise-square-forgotten": "dnoise = np.trace(dk) * e2",
        "exchanged": "return Kernel(dsignal, dlength, dnoise)",
    },
)


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


POISSON = of_loss(
    *("poisson-regression", poisson_loss, poisson_gradient, draw_poisson),
    {
        "exposure-forgotten": (" + log_exposure)", ")"),
        "link-forgotten": "dz = (1 - k / rate) / len(x)",
        "bias-forgotten-in-forward": (' + params["b"] +', " +"),
        "residual-sign": "dz = (k - rate) / len(x)",
        "missing-mean": "dz = (rate - k)",
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


STUDENT = of_loss(
    *("student-t", student_loss, student_gradient, draw_student),
    {
        "gamma-terms-dropped": "dconstant = (1 / nu) / 2",
        "inner-derivative-dropped": "dlog = np.log1p(q) / 2",
        "scale-term-dropped": ("(1 - dz * z)", "(-dz * z)"),
        "log-chain-forgotten": ("dnu * nu", "dnu"),
        "residual-sign": ("return -dz", "return dz"),
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


MIXTURE = of_loss(
    *("gaussian-mixture", mixture_loss, mixture_gradient, draw_mixture),
    {
        "weights-unnormalised": "dlogit = dl.sum(axis=0)",
        "log-scale-term-dropped": ("(z * z - 1)", "(z * z)"),
        "hard-assignment": "p = (scores == scores.max(axis=1, keepdims=True)).astype(scores.dtype)",
        "prior-for-posterior": "p = softmax(0 * scores + logit[None, :])",
        "one-element-off": one_element_off,
    },
)


def hazard_loss(params: Any, t: Any, died: Any) -> Any:
    """Discrete hazards: -Σ log of S(t) h(t) or of S(t + 1), S = cumprod(1 - σ(a)), by interval."""
    h = jax.nn.sigmoid(params["a"])
    s = jnp.concatenate([jnp.ones_like(h[:1]), jnp.cumprod(1 - h)])
    return -jnp.sum(jnp.log(jnp.where(died, s[t] * h[t], s[t + 1])))


def hazard_gradient(params: Any, t: Any, died: Any) -> Any:
    a = params["a"]
    k = np.arange(a.size)[None, :]
    # log S(t) h(t) = Σ_k<t log σ(-a_k) + log σ(a_t); the censored survive interval t too
    end = np.where(died, t, t + 1)[:, None]
    at_risk = (k < end).sum(axis=0).astype(a.dtype)
    deaths = ((k == t[:, None]) & died[:, None]).sum(axis=0).astype(a.dtype)
    # d log σ(-a) = -σ(a) da, d log σ(a) = σ(-a) da
    return {"a": binomial_delta(a, at_risk, deaths)}


HAZARD = of_loss(
    *("survival-hazards", hazard_loss, hazard_gradient),
    lambda rng: (
        {"a": size(rng, large=4.0) * rng.normal(size=5)},
        *(rng.integers(0, 5, 7), rng.random(7) < 0.6),
    ),
    {
        "off-by-one-in-time": "end = np.where(died, t + 1, t + 1)[:, None]",
        "censored-as-died-later": ("t, t + 1)", "t, t)"),
        "deaths-dropped": ("at_risk, deaths)", "at_risk, 0)"),
        "sigmoid-sign": ("binomial_delta(a,", "binomial_delta(-a,"),
    },
)


def cox_loss(w: Any, x: Any, died: Any) -> Any:
    """Cox regression: Σ over deaths of logsumexp of z over those at risk, minus z; rows by time."""
    z = x @ w
    at_risk = jax.lax.cumlogsumexp(z, reverse=True)
    return jnp.sum(jnp.where(died, at_risk - z, 0.0))


def cox_gradient(w: Any, x: Any, died: Any) -> Any:
    # z = x @ w
    z = x @ w
    # log Σ_j≥i e^z_j: row i of p is the softmax over those at risk
    at_risk = np.triu(np.ones((len(z), len(z))))
    scores = np.where(at_risk == 1, z[None, :], -np.inf)
    p = softmax(scores)
    # L = Σ_died (log Σ e^z - z_i), dw = Σ_died Σ_j p_ij (x_j - x_i)
    rows = p[:, :, None] * (x[None, :, :] - x[:, None, :])
    return rows[died].sum(axis=(0, 1))


def draw_cox(rng: np.random.Generator) -> Any:
    died = rng.permutation([True, True, True, False, False])
    return size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=(5, 3)), died


COX = of_loss(
    *("cox-regression", cox_loss, cox_gradient, draw_cox),
    {
        "risk-set-reversed": ("np.triu(", "np.tril("),
        "risk-set-everybody": ("np.triu(", "np.abs("),
        "double-mean": ("sum(axis=(0, 1))", "sum(axis=(0, 1)) / float(died.sum())"),
        "one-element-zeroed": one_element_zeroed,
    },
)


#: Logits of the fraction that each break takes of the rest, and a leaf that is not used.
Sticks = namedtuple("Sticks", "v unused")


def sticks_loss(params: Sticks, counts: Any) -> Any:
    """Stick breaking: -Σ n_k log π_k, π_k = σ(v_k) Π_j<k (1 - σ(v_j)), the rest is the last."""
    rest = jnp.cumsum(jax.nn.log_sigmoid(-params.v))
    zero = jnp.zeros_like(rest[:1])
    taken = jnp.concatenate([jax.nn.log_sigmoid(params.v), zero])
    return -jnp.sum(counts * (taken + jnp.concatenate([zero, rest]))) + jnp.sum(params.unused)


def sticks_gradient(params: Sticks, counts: Any) -> Sticks:
    # log π_k = log σ(v_k) + Σ_j<k log σ(-v_j)
    after = np.cumsum(counts[::-1])[::-1]
    dv = binomial_delta(params.v, after[1:], counts[:-1])
    return Sticks(dv, params.unused)


def draw_sticks(rng: np.random.Generator) -> Any:
    counts = rng.integers(1, 9, size=6) * 1.0
    return Sticks(size(rng, large=5.0) * rng.normal(size=5), np.zeros(0)), counts


STICKS = of_loss(
    *("stick-breaking", sticks_loss, sticks_gradient, draw_sticks),
    {
        "off-by-one": ("after[1:]", "after[:-1]"),
        "own-term-dropped": ("after[1:], counts[:-1]", "after[1:], 0"),
        "log-likelihood-sign": ("Sticks(dv,", "Sticks(-dv,"),
        "one-element-off": one_element_off,
    },
)


MODELS = [KALMAN, CHOLESKY, COVARIANCE, PROCESS, POISSON, STUDENT, MIXTURE, HAZARD, COX, STICKS]
