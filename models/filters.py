"""The likelihood of a time series, with its derivatives carried forward."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import size
from models.model import of_loss


def loss(params: Any, y: Any) -> Any:
    """Kalman filter of a random walk: the negative log likelihood, given log q and log r."""
    q, r = jnp.exp(params[0]), jnp.exp(params[1])

    def step(state: Any, y_t: Any) -> Any:
        mean, variance = state
        s, e = variance + q + r, y_t - mean
        gain = (variance + q) / s
        return (mean + gain * e, gain * r), (jnp.log(s) + e * e / s) / 2

    _, terms = jax.lax.scan(step, (jnp.zeros_like(q), jnp.ones_like(q)), y)
    return jnp.sum(terms)


def gradient(params: Any, y: Any) -> Any:
    q, r = np.exp(params[0]), np.exp(params[1])
    mean, p, grads, dmean, dp = 0 * q, 1 + 0 * q, [], (0 * q, 0 * q), (0 * q, 0 * q)
    for y_t in y:
        # v = p + q, s = v + r, e = y - mean, k = v / s; tangents in (log q, log r)
        v, e = p + q, y_t - mean
        s = v + r
        dv = (dp[0] + q, dp[1])
        ds = (dv[0], dv[1] + r)
        # l = (log s + e² / s) / 2
        pairs = list(zip(ds, dmean, strict=True))
        grads.append([(a - e * e * a / s) / s / 2 - e * b / s for a, b in pairs])
        # k = v / s, r / s = 1 - k
        dk = [(r * dv[0]) / s**2, (r * dv[1] - v * r) / s**2]
        dmean = [b * (r / s) + c * e for b, c in zip(dmean, dk, strict=True)]
        # mean' = mean + k e, p' = k r
        mean, p = mean + v / s * e, v / s * r
        dp = (dk[0] * r, dk[1] * r + p)
    return list(np.sum(grads, axis=0))


def draw(rng: np.random.Generator) -> Any:
    walk = np.cumsum(rng.normal(size=7))
    params = rng.normal(size=2) * rng.choice([1.0, 1.0, 1.0, 5.0])
    return list(params), walk + size(rng, large=5.0) * rng.normal(size=7)


MODELS = [
    of_loss(
        *("kalman-filter", loss, gradient, draw),
        {
            "gain-held-fixed": ("b * (r / s) + c * e", "b * (r / s)"),
            "variance-term-dropped": "dp = (dk[0] * r, dk[1] * r)",
            "noise-forgotten": "ds = (dv[0], dv[1])",
            "half-forgotten": ("/ s / 2 -", "/ s -"),
            "exchanged": "return list(np.sum(grads, axis=0))[::-1]",
        },
    )
]
