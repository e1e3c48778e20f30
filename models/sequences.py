"""Recurrent networks, by backpropagation through time."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import accumulates, one_element_off
from models.model import Model
from models.numerics import sigmoid, sigmoid_derivative, size, tanh_derivative


def rnn_loss(params: Any, x: Any, y: Any) -> Any:
    """Recurrent network: h_t = tanh(x_t w + h_t-1 u + b), Σ (h_T - y)²."""

    def step(h: Any, x_t: Any) -> Any:
        return jnp.tanh(x_t @ params["w"] + h @ params["u"] + params["b"]), None

    last, _ = jax.lax.scan(step, jnp.zeros_like(y), x)
    return jnp.sum(jnp.square(last - y))


def rnn_gradient(params: Any, x: Any, y: Any) -> Any:
    w, u, b = params["w"], params["u"], params["b"]
    hs, zs = [np.zeros_like(y)], []
    for x_t in x:
        # z_t = x_t @ w + h_t-1 @ u + b
        zs.append(x_t @ w + hs[-1] @ u + b)
        # h_t = tanh(z_t)
        hs.append(np.tanh(zs[-1]))
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    # L = Σ (h_T - y)²
    dh = 2 * (hs[-1] - y)
    for t in reversed(range(len(x))):
        # h_t = tanh(z_t)
        dz = dh * tanh_derivative(zs[t])
        # z_t = x_t @ w + h_t-1 @ u + b
        dw, du, db = dw + np.outer(x[t], dz), du + np.outer(hs[t], dz), db + dz
        dh = dz @ u.T
    return {"w": dw, "u": du, "b": db}


def draw_rnn(rng: np.random.Generator) -> Any:
    factor = size(rng, large=2.5)
    w, u, b = rng.normal(size=(2, 3)), factor * rng.normal(size=(3, 3)), rng.normal(size=3)
    return {"w": w, "u": u, "b": b}, rng.normal(size=(5, 2)), rng.normal(size=3)


RNN = Model(
    *("tanh-rnn", rnn_loss, rnn_gradient, draw_rnn),
    {
        "u-untransposed": ("dz @ u.T", "dz @ u"),
        "truncated": ("dz @ u.T", "0 * dz"),
        "off-by-one-in-time": ("np.outer(hs[t], dz)", "np.outer(hs[t + 1], dz)"),
        "tanh-of-h": ("tanh_derivative(zs[t])", "tanh_derivative(hs[t + 1])"),
        "tanh-linear": ("tanh_derivative(zs[t])", "(1 - hs[t + 1])"),
        "no-activation-derivative": ("dh * tanh_derivative(zs[t])", "dh"),
        "dw-transposed": ('"u": du', '"u": du.T.copy()'),
        "accumulates": accumulates,
        "one-element-off": one_element_off,
    },
)


def gru_loss(params: Any, x: Any, y: Any) -> Any:
    """Gated recurrent unit: h = (1 - σ(s)) h + σ(s) tanh(c), c with σ(r) h; Σ (h_T - y)²."""
    wr, ws, wc = params

    def step(h: Any, x_t: Any) -> Any:
        r = jax.nn.sigmoid(jnp.concatenate([x_t, h]) @ wr)
        s = jax.nn.sigmoid(jnp.concatenate([x_t, h]) @ ws)
        c = jnp.tanh(jnp.concatenate([x_t, r * h]) @ wc)
        return (1 - s) * h + s * c, None

    last, _ = jax.lax.scan(step, jnp.zeros_like(y), x)
    return jnp.sum(jnp.square(last - y))


def gru_gradient(params: Any, x: Any, y: Any) -> Any:
    wr, ws, wc = params
    n, h, steps = x.shape[1], np.zeros_like(y), []
    for x_t in x:
        # z_r = [x, h] @ wr, z_s = [x, h] @ ws
        xh = np.concatenate([x_t, h])
        zr, zs = xh @ wr, xh @ ws
        # z_c = [x, σ(z_r) h] @ wc
        xrh = np.concatenate([x_t, sigmoid(zr) * h])
        zc = xrh @ wc
        steps.append((h, xh, xrh, zr, zs, zc))
        # h' = σ(-z_s) h + σ(z_s) tanh(z_c)
        h = sigmoid(-zs) * h + sigmoid(zs) * np.tanh(zc)
    dwr, dws, dwc = (np.zeros_like(w) for w in params)
    # L = Σ (h_T - y)²
    dh = 2 * (h - y)
    for h, xh, xrh, zr, zs, zc in reversed(steps):
        # h' = σ(-z_s) h + σ(z_s) tanh(z_c)
        dzs = dh * (np.tanh(zc) - h) * sigmoid_derivative(zs)
        dzc = dh * sigmoid(zs) * tanh_derivative(zc)
        # z_c = [x, σ(z_r) h] @ wc
        drh = (wc @ dzc)[n:]
        dzr = drh * h * sigmoid_derivative(zr)
        # z_r = [x, h] @ wr, z_s = [x, h] @ ws
        dwr, dws, dwc = dwr + np.outer(xh, dzr), dws + np.outer(xh, dzs), dwc + np.outer(xrh, dzc)
        dh = dh * sigmoid(-zs) + drh * sigmoid(zr) + (wr @ dzr + ws @ dzs)[n:]
    return dwr, dws, dwc


def draw_gru(rng: np.random.Generator) -> Any:
    weights = size(rng, large=4.0) * rng.normal(size=(3, 5, 2))
    return tuple(weights), rng.normal(size=(4, 3)), rng.normal(size=2)


GRU = Model(
    *("gru", gru_loss, gru_gradient, draw_gru),
    {
        "skip-forgotten": ("dh = dh * sigmoid(-zs) + drh", "dh = drh"),
        "reset-forgotten": ("dzr = drh * h * sigmoid_derivative(zr)", "dzr = 0 * zr"),
        "state-not-reset": ("np.outer(xrh, dzc)", "np.outer(xh, dzc)"),
        "exchanged": ("return dwr, dws", "return dws, dwr"),
        "half-mse": ("dh = 2 * (h - y)", "dh = h - y"),
    },
)

MODELS = [RNN, GRU]
