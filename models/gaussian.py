"""Gaussian likelihoods, by a Cholesky factor, by a covariance, and by a kernel."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from models.answers import one_element_off
from models.model import Model
from models.numerics import size


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


CHOLESKY = Model(
    *("gaussian-cholesky", cholesky_loss, cholesky_gradient, draw_cholesky),
    {
        "exponential-forgotten": ("np.diagonal(dfactor) * diagonal", "np.diagonal(dfactor)"),
        "determinant-forgotten": ("diagonal + len(x)", "diagonal"),
        "adjoint-untransposed": ("solve(factor.T,", "solve(factor,"),
        "upper-triangle-kept": ("np.tril(dfactor, -1)", "dfactor - np.diag(np.diagonal(dfactor))"),
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


def draw_covariance(rng: np.random.Generator) -> Any:
    rows = np.array([1.0, size(rng, large=30.0, small=0.1), 1.0])
    root = rows[:, None] * rng.normal(size=(3, 7))
    return (rng.normal(size=3), root @ root.T / 7), rng.normal(size=(5, 3))


COVARIANCE = Model(
    *("gaussian-covariance", covariance_loss, covariance_gradient, draw_covariance),
    {
        "one-inverse": ("- a @ a.T", "- c @ a.T"),
        "determinant-forgotten": ("(len(x) * inverse - a", "(-a"),
        "symmetric-parameters": ("axis=1), ds", "axis=1), 2 * ds - np.diag(np.diagonal(ds))"),
        "lower-only": ("axis=1), ds", "axis=1), np.tril(2 * ds) - np.diag(np.diagonal(ds))"),
        "residual-sign": ("return -a.sum", "return a.sum"),
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


PROCESS = Model(
    *("gaussian-process", process_loss, process_gradient, draw_process),
    {
        "log-scale-forgotten": (
            "Kernel(dlength, dsignal,",
            "Kernel(dlength / np.exp(params.length), dsignal / np.exp(params.signal),",
        ),
        "data-term-dropped": (" - np.outer(a, a)", ""),
        "determinant-dropped": ("(np.linalg.inv(k) - np", "(-np"),
        "noise-square-forgotten": ("dnoise = 2 *", "dnoise ="),
        "exchanged": ("Kernel(dlength, dsignal,", "Kernel(dsignal, dlength,"),
    },
)

MODELS = [CHOLESKY, COVARIANCE, PROCESS]
