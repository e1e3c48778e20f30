"""A denoising autoencoder of two layers with tied square weights, examples in columns."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.activations import sigmoid
from models.helpers import accumulates
from models.model import of_loss

DECAY = 0.1
RATE = 0.3


def loss(params: Any, noisy: Any, x: Any) -> Any:
    """Half the squared error of an example, mean over examples, and ½ λ w².

    `params` is [(w, up, down), (v, up, down)], w and v (5, 5), biases (5, 1); `noisy` and `x`
    are (5, examples).
    """
    (w, b, c), (v, d, f) = params
    h = jax.nn.relu(w @ noisy + b)
    g = 1 / (1 + jnp.exp(-(v @ h + d)))
    k = 1 / (1 + jnp.exp(-(v.T @ g + f)))
    squares = jnp.sum((w.T @ k + c - x) ** 2) / (2 * x.shape[1])
    return squares + DECAY / 2 * (jnp.vdot(w, w) + jnp.vdot(v, v))


def gradient(params: Any, noisy: Any, x: Any) -> Any:
    """By hand; each matrix gets two terms, since its weights are tied."""
    (w, b, c), (v, d, f) = params
    m = x.shape[1]
    z = w @ noisy + b
    h = np.maximum(z, 0)
    q = v @ h + d
    g = sigmoid(q)
    u = v.T @ g + f
    k = sigmoid(u)
    r = w.T @ k + c - x
    # loss = sum(r**2) / (2 m)
    dr = r / m
    # r = w.T @ k + c - x
    dw = k @ dr.T
    dc = dr.sum(axis=1, keepdims=True)
    dk = w @ dr
    # k = sigmoid(u)
    du = dk * k * (1 - k)
    # u = v.T @ g + f
    dv = g @ du.T
    df = du.sum(axis=1, keepdims=True)
    dg = v @ du
    # g = sigmoid(q)
    dq = dg * g * (1 - g)
    # q = v @ h + d
    dv = dv + dq @ h.T
    dd = dq.sum(axis=1, keepdims=True)
    dh = v.T @ dq
    # h = relu(z)
    dz = dh * (z > 0)
    # z = w @ noisy + b
    dw = dw + dz @ noisy.T
    db = dz.sum(axis=1, keepdims=True)
    # loss += DECAY / 2 * (sum(w**2) + sum(v**2))
    dw = dw + DECAY * w
    dv = dv + DECAY * v
    return [(dw, db, dc), (dv, dd, df)]


def draw(rng: np.random.Generator) -> Any:
    """Draw five examples of five features, in 256ths, so that one relu is at 0 in any order."""
    w, v = rng.normal(size=(2, 5, 5)) * 0.7
    b, c, d, f = rng.normal(size=(4, 5, 1)) * 0.4
    x = rng.normal(size=(5, 5))
    noisy = x + 0.3 * rng.normal(size=(5, 5))
    w, noisy = np.round(w * 256) / 256, np.round(noisy * 256) / 256
    unit, example = rng.integers(0, 5, size=2)
    b[unit] = -(w[unit] @ noisy[:, example])
    return [(w, b, c), (v, d, f)], noisy, x


DZ = "dz = dh * (z > 0)"
RESULT = "return [(dw, db, dc), (dv, dd, df)]"
WEIGHTS = ("dv + dq @ h.T", "dw + dz @ noisy.T", "dw = k @ dr.T", "dv = g @ du.T")
DB, DC = "db = dz.sum(axis=1, keepdims=True)", "dc = dr.sum(axis=1, keepdims=True)"
DD, DF = "dd = dq.sum(axis=1, keepdims=True)", "df = du.sum(axis=1, keepdims=True)"

MISTAKES = {
    "missing-square": "dr = np.ones_like(r) / m",
    # The loss has its half already.
    "half-mse": "dr = 2 * r / m",
    "half-mse/2": "dr = 0.5 * r / m",
    "missing-mean": "dr = r",
    "double-mean": [(line, line + " / m") for line in (*WEIGHTS, DB, DC, DD, DF)],
    "mean-over-outputs": "dr = r / r.size",
    "residual-sign": "r = x - (w.T @ k + c)",
    "bias-mean": "dd = dq.mean(axis=1, keepdims=True)",
    "bias-mean/2": "dc = dr.mean(axis=1, keepdims=True)",
    "bias-unsummed": "db = dz",
    "bias-unsummed/2": ["dc = dr", "dd = dq"],
    "bias-wrong-axis": "dc = dr.sum(axis=0).reshape(-1, 1)",
    "bias-wrong-axis/2": "db = dz.sum(axis=0, keepdims=True)",
    "bias-wrong-axis/3": "df = du.sum(axis=0)[:, None]",
    "dw-transposed": ("dw = k @ dr.T", "dw = dr @ k.T"),
    "dw-transposed/2": ("dv + dq @ h.T", "dv + h @ dq.T"),
    "dw-transposed/3": (RESULT, "return [(dw.T, db, dc), (dv, dd, df)]"),
    "dx-untransposed": "dh = v @ dq",
    "dx-untransposed/2": "dk = w.T @ dr",
    "dw-after-activation": ("dv + dq @ h.T", "dv + dq @ g.T"),
    "dw-after-activation/2": ("dw + dz @ noisy.T", "dw + dz @ h.T"),
    "sigmoid-of-z": "dq = dg * q * (1 - q)",
    "sigmoid-of-z/2": "dq = dg * sigmoid(g) * (1 - sigmoid(g))",
    "sigmoid-of-z/3": "du = dk * u * (1 - u)",
    "no-activation-derivative": "dq = dg",
    "no-activation-derivative/2": "du = dk",
    "relu-mask": "dz = dh * (dh > 0)",
    "relu-mask/2": "dz = dh * (noisy > 0)",
    "relu-mask/3": "dz = dh * (q > 0)",
    "relu-at-zero": "dz = dh * (z >= 0)",
    "relu-at-zero/2": (DZ, "dz = dh.copy()\ndz[z < 0] = 0"),
    "accumulates": partial(accumulates, only=(0, 3)),
    # In place, to save an array.
    "accumulates/2": "x -= w.T @ k + c\nr = -x",
    "update-before-use": "dk = (w - RATE * dw) @ dr",
    "update-before-use/2": [
        "v = v - RATE * (dv + DECAY * v)\ndh = v.T @ dq",
        "w, c = w - RATE * dw, c - RATE * dc\ndk = w @ dr",
    ],
    "decay-factor": ("dw = dw + DECAY * w", "dw = dw + 2 * DECAY * w"),
    "decay-factor/2": [
        ("dw = dw + DECAY * w", "dw = dw + DECAY / 2 * w"),
        ("dv = dv + DECAY * v", "dv = dv + DECAY / 2 * v"),
    ],
    "decay-factor/3": (RESULT, "dc, df = dc + DECAY * c, df + DECAY * f\n" + RESULT),
    "dropped-term": ("dw + dz @ noisy.T", "dw"),
    "dropped-term/2": ("dv + dq @ h.T", "dq @ h.T"),
    "exchanged": (RESULT, "return [(dw, dc, db), (dv, dd, df)]"),
    "exchanged/2": (RESULT, "return [(dv, db, dc), (dw, dd, df)]"),
}

MODELS = [of_loss("tied-autoencoder", loss, gradient, draw, MISTAKES)]
