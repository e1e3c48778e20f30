"""Likelihoods along an axis: hazards, broken sticks, and lifetimes."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import one_element_off, one_element_zeroed
from models.model import Model
from models.numerics import binomial_delta, size


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


def draw_hazard(rng: np.random.Generator) -> Any:
    a = size(rng, large=4.0) * rng.normal(size=5)
    return {"a": a}, rng.integers(0, 5, 7), rng.random(7) < 0.6


HAZARD = Model(
    *("survival-hazards", hazard_loss, hazard_gradient, draw_hazard),
    {
        "off-by-one-in-time": ("np.where(died, t,", "np.where(died, t + 1,"),
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
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    # L = Σ_died (log Σ e^z - z_i), dw = Σ_died Σ_j p_ij (x_j - x_i)
    rows = p[:, :, None] * (x[None, :, :] - x[:, None, :])
    return rows[died].sum(axis=(0, 1))


def draw_cox(rng: np.random.Generator) -> Any:
    died = rng.permutation([True, True, True, False, False])
    return size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=(5, 3)), died


COX = Model(
    *("cox-regression", cox_loss, cox_gradient, draw_cox),
    {
        "risk-set-reversed": ("np.triu(", "np.tril("),
        "risk-set-everybody": ("np.triu(", "np.abs("),
        "double-mean": ("sum(axis=(0, 1))", "sum(axis=(0, 1)) / float(died.sum())"),
        "one-element-zeroed": one_element_zeroed,
    },
)


class Sticks(NamedTuple):
    """Logits of the fraction that each break takes of the rest, and a leaf that is not used."""

    v: Any
    unused: Any


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


STICKS = Model(
    *("stick-breaking", sticks_loss, sticks_gradient, draw_sticks),
    {
        "off-by-one": ("after[1:]", "after[:-1]"),
        "own-term-dropped": ("after[1:], counts[:-1]", "after[1:], 0"),
        "log-likelihood-sign": ("Sticks(dv,", "Sticks(-dv,"),
        "one-element-off": one_element_off,
    },
)


def weibull_loss(params: Any, t: Any, died: Any) -> Any:
    """Weibull with censoring: Σ (t/s)^k - died (log k - k log s + (k - 1) log t), logs of k, s."""
    log_k, log_s = params
    k = jnp.exp(log_k)
    density = log_k - k * log_s + (k - 1) * jnp.log(t)
    return jnp.sum(jnp.power(t / jnp.exp(log_s), k) - jnp.where(died, density, 0.0))


def weibull_gradient(params: Any, t: Any, died: Any) -> Any:
    log_k, log_s = params
    k, d = np.exp(log_k), died.astype(t.dtype)
    # u = log(t / s), L = Σ e^(k u) - d (log k + k u - log t)
    u = np.log(t) - log_s
    power = np.exp(k * u)
    dk = (u * power - d * u - d / k).sum()
    return [k * dk, -k * (power - d).sum()]


def draw_weibull(rng: np.random.Generator) -> Any:
    log_k, log_s = rng.normal(size=2) / 2
    t = np.exp(log_s) * rng.weibull(1.5, size=5) * size(rng, large=3.0, small=0.1)
    return [log_k, log_s], t, rng.permutation([True, True, True, False, False])


WEIBULL = Model(
    *("weibull-lifetimes", weibull_loss, weibull_gradient, draw_weibull),
    {
        "censoring-forgotten": ("died.astype(t.dtype)", "np.ones_like(t)"),
        "log-chain-forgotten": ("[k * dk,", "[dk,"),
        "power-dropped": ("u * power -", "u -"),
        "exchanged": ("[k * dk, -k * (power - d).sum()]", "[-k * (power - d).sum(), k * dk]"),
    },
)

MODELS = [HAZARD, COX, STICKS, WEIBULL]
