"""Gaussian likelihoods, by a Cholesky factor, by a covariance, and by a kernel."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from models.numerics import rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def cholesky_loss(params: Any, x: Any) -> Any:
    """Gaussian by its factor: Σ_i |L⁻¹ (x_i - μ)|² / 2 + n log det L, L = tril, e^ on diagonal."""
    raw = params["raw"]
    factor = jnp.tril(raw, -1) + jnp.diag(jnp.exp(jnp.diagonal(raw)))
    white = solve_triangular(factor, (x - params["mean"][None, :]).T, lower=True)
    return jnp.sum(jnp.square(white)) / 2 + len(x) * jnp.sum(jnp.diagonal(raw))


def cholesky_gradient(
    exponential: bool = True, determinant: bool = True, adjoint: bool = True, lower: bool = True
) -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        raw = params["raw"]
        diagonal = np.exp(np.diagonal(raw))
        factor = np.tril(raw, -1) + np.diag(diagonal)
        # white = L⁻¹ (x - μ)ᵀ
        white = np.linalg.solve(factor, (x - params["mean"][None, :]).T)
        # loss = Σ white² / 2 + n Σ log diag L
        dcentred = np.linalg.solve(factor.T if adjoint else factor, white)
        # L white = (x - μ)ᵀ
        dfactor = -dcentred @ white.T
        # L = tril(raw, -1) + diag(exp(diag(raw)))
        ddiagonal = np.diagonal(dfactor) * (diagonal if exponential else 1)
        below = np.tril(dfactor, -1) if lower else dfactor - np.diag(np.diagonal(dfactor))
        own = np.diag(ddiagonal + (len(x) if determinant else 0))
        return {"mean": -dcentred.sum(axis=1), "raw": below + own}

    return gradient


def draw_cholesky(rng: np.random.Generator) -> Any:
    raw = rng.normal(size=(3, 3)) * np.where(np.eye(3) == 1, size(rng, large=2.0, small=0.1), 1.0)
    return {"mean": rng.normal(size=3), "raw": raw}, rng.normal(size=(5, 3))


CHOLESKY = Model(
    name="gaussian-cholesky",
    loss=cholesky_loss,
    gradient=cholesky_gradient(),
    draw=rounded(draw_cholesky),
    mistakes={
        "exponential-forgotten": cholesky_gradient(exponential=False),
        "determinant-forgotten": cholesky_gradient(determinant=False),
        "adjoint-untransposed": cholesky_gradient(adjoint=False),
        "upper-triangle-kept": cholesky_gradient(lower=False),
        "one-element-off": m.one_element_off(cholesky_gradient()),
    },
)


def covariance_loss(params: Any, x: Any) -> Any:
    """Gaussian by its covariance: Σ_i (x_i - μ)ᵀ S⁻¹ (x_i - μ) / 2 + n log det S / 2."""
    mean, covariance = params
    white = solve_triangular(jnp.linalg.cholesky(covariance), (x - mean[None, :]).T, lower=True)
    return jnp.sum(jnp.square(white)) / 2 + len(x) * jnp.linalg.slogdet(covariance)[1] / 2


def covariance_gradient(kind: str = "right") -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        mean, covariance = params
        # cholesky reads (S + Sᵀ) / 2, the determinant reads S as it stands
        s = (covariance + covariance.T) / 2
        # loss = Σ c · S⁻¹ c / 2 + n log det S / 2, c = x - μ
        c = (x - mean[None, :]).T
        a = np.linalg.solve(s, c)
        inverse = np.linalg.inv(covariance).T
        # d(S⁻¹) = -S⁻¹ dS S⁻¹, d log det S = tr(S⁻¹ dS)
        outer = (c if kind == "one-inverse" else a) @ a.T
        ds = (len(x) * inverse - outer) / 2
        if kind == "determinant-forgotten":
            ds = -outer / 2
        if kind == "symmetric-parameters":
            ds = 2 * ds - np.diag(np.diagonal(ds))
        if kind == "lower-only":
            ds = np.tril(2 * ds) - np.diag(np.diagonal(ds))
        return -a.sum(axis=1), ds

    return gradient


def draw_covariance(rng: np.random.Generator) -> Any:
    rows = np.array([1.0, size(rng, large=30.0, small=0.1), 1.0])
    root = rows[:, None] * rng.normal(size=(3, 7))
    return (rng.normal(size=3), root @ root.T / 7), rng.normal(size=(5, 3))


COVARIANCE = Model(
    name="gaussian-covariance",
    loss=covariance_loss,
    gradient=covariance_gradient(),
    draw=rounded(draw_covariance),
    mistakes={
        slug: covariance_gradient(slug)
        for slug in ("one-inverse", "determinant-forgotten", "symmetric-parameters", "lower-only")
    }
    | {"residual-sign": m.scaled(covariance_gradient(), -1.0, leaf=0)},
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


def process_gradient(
    log_scale: bool = True, data: float = 1.0, determinant: float = 1.0, noise: float = 2.0
) -> Gradient:
    def gradient(params: Kernel, x: Any, y: Any) -> Kernel:
        d = np.square(x[:, None] - x[None, :]) * np.exp(-2 * params.length)
        signal, e2 = np.exp(2 * params.signal - d / 2), np.exp(2 * params.noise)
        k = signal + e2 * np.eye(len(x), dtype=x.dtype)
        # loss = y · K⁻¹ y / 2 + log det K / 2
        a = np.linalg.solve(k, y)
        dk = (determinant * np.linalg.inv(k) - data * np.outer(a, a)) / 2
        # K = signal + e² I, signal = s² exp(-d / 2), d ∝ l⁻²
        dlength, dsignal = (dk * signal * d).sum(), 2 * (dk * signal).sum()
        dnoise = noise * np.trace(dk) * e2
        if not log_scale:
            dlength, dsignal = dlength / np.exp(params.length), dsignal / np.exp(params.signal)
        return Kernel(dlength, dsignal, dnoise)

    return gradient


def draw_process(rng: np.random.Generator) -> Any:
    noise = rng.choice([0.2, 0.0, -0.4]) + 0.1 * rng.normal()
    return Kernel(rng.normal() / 2, rng.normal() / 2, noise), rng.normal(size=5), rng.normal(size=5)


PROCESS = Model(
    name="gaussian-process",
    loss=process_loss,
    gradient=process_gradient(),
    draw=rounded(draw_process),
    mistakes={
        "log-scale-forgotten": process_gradient(log_scale=False),
        "data-term-dropped": process_gradient(data=0.0),
        "determinant-dropped": process_gradient(determinant=0.0),
        "noise-square-forgotten": process_gradient(noise=1.0),
        "exchanged": m.exchanged(process_gradient(), 0, 1),
    },
)

MODELS = [CHOLESKY, COVARIANCE, PROCESS]
