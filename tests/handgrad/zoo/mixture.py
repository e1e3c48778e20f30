"""A mixture of Gaussians."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from models.numerics import rounded, size, softmax
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def mixture_loss(params: Any, x: Any) -> Any:
    """Mixture of Gaussians: -mean logsumexp_k(log π_k - z²/2 - log s_k), z = (x - μ_k) / s_k."""
    z = (x[:, None] - params["mean"][None, :]) * jnp.exp(-params["log_scale"])[None, :]
    log_weights = params["logit"] - logsumexp(params["logit"])
    return -jnp.mean(
        logsumexp(log_weights[None, :] - z * z / 2 - params["log_scale"][None, :], axis=1)
    )


def mixture_gradient(
    weights: bool = True, scale: bool = True, hard: bool = False, prior: bool = False
) -> Gradient:
    def gradient(params: Any, x: Any) -> Any:
        s, log_s = np.exp(params["log_scale"]), params["log_scale"]
        z = (x[:, None] - params["mean"][None, :]) / s[None, :]
        # L = -mean(logsumexp(l)), l = log softmax(logit) - z² / 2 - log s
        scores = params["logit"][None, :] - z * z / 2 - log_s[None, :]
        p = softmax(0 * scores + params["logit"][None, :] if prior else scores)
        if hard:
            p = (scores == scores.max(axis=1, keepdims=True)).astype(p.dtype)
        dl = -p / len(x)
        # z = (x - μ) e^-log s
        dmean = (dl * z).sum(axis=0) / s
        dlog_scale = (dl * (z * z - (1 if scale else 0))).sum(axis=0)
        # log softmax(logit): the rows of dl sum to -1/n
        dlogit = dl.sum(axis=0) + (softmax(params["logit"]) if weights else 0)
        return {"logit": dlogit, "mean": dmean, "log_scale": dlog_scale}

    return gradient


def draw_mixture(rng: np.random.Generator) -> Any:
    mean, logit = size(rng, large=5.0) * rng.normal(size=3), rng.normal(size=3)
    params = {"logit": logit, "mean": mean, "log_scale": rng.normal(size=3) / 2}
    return params, rng.normal(size=7) * 2


MIXTURE = Model(
    name="gaussian-mixture",
    loss=mixture_loss,
    gradient=mixture_gradient(),
    draw=rounded(draw_mixture),
    mistakes={
        "weights-unnormalised": mixture_gradient(weights=False),
        "log-scale-term-dropped": mixture_gradient(scale=False),
        "hard-assignment": mixture_gradient(hard=True),
        "prior-for-posterior": mixture_gradient(prior=True),
        "one-element-off": m.one_element_off(mixture_gradient()),
    },
)

MODELS = [MIXTURE]
