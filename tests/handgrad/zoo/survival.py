"""Likelihoods along an axis: hazards, broken sticks, and lifetimes."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import binomial_delta, rounded, size
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def hazard_loss(params: Any, t: Any, died: Any) -> Any:
    """Discrete hazards: -Σ log of S(t) h(t) or of S(t + 1), S = cumprod(1 - σ(a)), by interval."""
    h = jax.nn.sigmoid(params["a"])
    s = jnp.concatenate([jnp.ones_like(h[:1]), jnp.cumprod(1 - h)])
    return -jnp.sum(jnp.log(jnp.where(died, s[t] * h[t], s[t + 1])))


def hazard_gradient(
    survived: int = 0, censored: int = 1, events: bool = True, flipped: bool = False
) -> Gradient:
    def gradient(params: Any, t: Any, died: Any) -> Any:
        a = params["a"]
        k = np.arange(a.size)[None, :]
        # log S(t) h(t) = Σ_k<t log σ(-a_k) + log σ(a_t); the censored survive interval t too
        end = np.where(died, t + survived, t + censored)[:, None]
        at_risk = (k < end).sum(axis=0).astype(a.dtype)
        deaths = ((k == t[:, None]) & died[:, None]).sum(axis=0).astype(a.dtype)
        # d log σ(-a) = -σ(a) da, d log σ(a) = σ(-a) da
        return {"a": binomial_delta(-a if flipped else a, at_risk, deaths if events else 0)}

    return gradient


def draw_hazard(rng: np.random.Generator) -> Any:
    return (
        {"a": size(rng, large=4.0) * rng.normal(size=5)},
        rng.integers(0, 5, 7),
        rng.random(7) < 0.6,
    )


HAZARD = Model(
    name="survival-hazards",
    loss=hazard_loss,
    gradient=hazard_gradient(),
    draw=rounded(draw_hazard),
    mistakes={
        "off-by-one-in-time": hazard_gradient(survived=1),
        "censored-as-died-later": hazard_gradient(censored=0),
        "deaths-dropped": hazard_gradient(events=False),
        "sigmoid-sign": hazard_gradient(flipped=True),
    },
)


def cox_loss(w: Any, x: Any, died: Any) -> Any:
    """Cox regression: Σ over deaths of logsumexp of z over those at risk, minus z; rows by time."""
    z = x @ w
    at_risk = jax.lax.cumlogsumexp(z, reverse=True)
    return jnp.sum(jnp.where(died, at_risk - z, 0.0))


def cox_gradient(forward: bool = False, everybody: bool = False, mean: bool = False) -> Gradient:
    def gradient(w: Any, x: Any, died: Any) -> Any:
        # z = x @ w
        z = x @ w
        n = len(z)
        # log Σ_j≥i e^z_j: row i of p is the softmax over those at risk
        at_risk = np.tril(np.ones((n, n))) if forward else np.triu(np.ones((n, n)))
        at_risk = np.ones((n, n)) if everybody else at_risk
        scores = np.where(at_risk == 1, z[None, :], -np.inf)
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = p / p.sum(axis=1, keepdims=True)
        # L = Σ_died (log Σ e^z - z_i), dw = Σ_died Σ_j p_ij (x_j - x_i)
        rows = p[:, :, None] * (x[None, :, :] - x[:, None, :])
        total = rows[died].sum(axis=(0, 1))
        return total / float(died.sum()) if mean else total

    return gradient


def draw_cox(rng: np.random.Generator) -> Any:
    died = rng.permutation([True, True, True, False, False])
    return size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=(5, 3)), died


COX = Model(
    name="cox-regression",
    loss=cox_loss,
    gradient=cox_gradient(),
    draw=rounded(draw_cox),
    mistakes={
        "risk-set-reversed": cox_gradient(forward=True),
        "risk-set-everybody": cox_gradient(everybody=True),
        "double-mean": cox_gradient(mean=True),
        "one-element-zeroed": m.one_element_zeroed(cox_gradient()),
    },
)


class Sticks(NamedTuple):
    """Logits of what each break takes of the rest, and a leaf that this model has no use for."""

    v: Any
    unused: Any


def sticks_loss(params: Sticks, counts: Any) -> Any:
    """Stick breaking: -Σ n_k log π_k, π_k = σ(v_k) Π_j<k (1 - σ(v_j)), the rest is the last."""
    rest = jnp.cumsum(jax.nn.log_sigmoid(-params.v))
    zero = jnp.zeros_like(rest[:1])
    taken = jnp.concatenate([jax.nn.log_sigmoid(params.v), zero])
    return -jnp.sum(counts * (taken + jnp.concatenate([zero, rest]))) + jnp.sum(params.unused)


def sticks_gradient(later: int = 1, taken: bool = True, sign: float = 1.0) -> Gradient:
    def gradient(params: Sticks, counts: Any) -> Sticks:
        # log π_k = log σ(v_k) + Σ_j<k log σ(-v_j)
        after = np.cumsum(counts[::-1])[::-1]
        after = after[1:] if later else after[:-1]
        d = binomial_delta(params.v, after, counts[:-1] if taken else 0)
        return Sticks(sign * d, params.unused)

    return gradient


def draw_sticks(rng: np.random.Generator) -> Any:
    counts = rng.integers(1, 9, size=6) * 1.0
    return Sticks(size(rng, large=5.0) * rng.normal(size=5), np.zeros(0)), counts


STICKS = Model(
    name="stick-breaking",
    loss=sticks_loss,
    gradient=sticks_gradient(),
    draw=rounded(draw_sticks),
    mistakes={
        "off-by-one": sticks_gradient(later=0),
        "own-term-dropped": sticks_gradient(taken=False),
        "log-likelihood-sign": sticks_gradient(sign=-1.0),
        "one-element-off": m.one_element_off(sticks_gradient()),
    },
)


def weibull_loss(params: Any, t: Any, died: Any) -> Any:
    """Weibull with censoring: Σ (t/s)^k - died (log k - k log s + (k - 1) log t), logs of k, s."""
    log_k, log_s = params
    k = jnp.exp(log_k)
    density = log_k - k * log_s + (k - 1) * jnp.log(t)
    return jnp.sum(jnp.power(t / jnp.exp(log_s), k) - jnp.where(died, density, 0.0))


def weibull_gradient(censoring: bool = True, chain: bool = True, inner: bool = True) -> Gradient:
    def gradient(params: Any, t: Any, died: Any) -> Any:
        log_k, log_s = params
        k, d = np.exp(log_k), died.astype(t.dtype) if censoring else np.ones_like(t)
        # u = log(t / s), L = Σ e^(k u) - d (log k + k u - log t)
        u = np.log(t) - log_s
        power = np.exp(k * u)
        dk = (u * (power if inner else 1) - d * u - d / k).sum()
        return [k * dk if chain else dk, -k * (power - d).sum()]

    return gradient


def draw_weibull(rng: np.random.Generator) -> Any:
    log_k, log_s = rng.normal(size=2) / 2
    t = np.exp(log_s) * rng.weibull(1.5, size=5) * size(rng, large=3.0, small=0.1)
    return [log_k, log_s], t, rng.permutation([True, True, True, False, False])


WEIBULL = Model(
    name="weibull-lifetimes",
    loss=weibull_loss,
    gradient=weibull_gradient(),
    draw=rounded(draw_weibull),
    mistakes={
        "censoring-forgotten": weibull_gradient(censoring=False),
        "log-chain-forgotten": weibull_gradient(chain=False),
        "power-dropped": weibull_gradient(inner=False),
        "exchanged": m.exchanged(weibull_gradient()),
    },
)

MODELS = [HAZARD, COX, STICKS, WEIBULL]
