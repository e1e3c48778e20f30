"""Recurrent networks, by backpropagation through time."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import (
    rounded,
    sigmoid,
    sigmoid_derivative,
    size,
    tanh_derivative,
)
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def rnn_loss(params: Any, x: Any, y: Any) -> Any:
    """Recurrent network: h_t = tanh(x_t w + h_t-1 u + b), Σ (h_T - y)²."""

    def step(h: Any, x_t: Any) -> Any:
        return jnp.tanh(x_t @ params["w"] + h @ params["u"] + params["b"]), None

    last, _ = jax.lax.scan(step, jnp.zeros_like(y), x)
    return jnp.sum(jnp.square(last - y))


def rnn_gradient(
    derivative: Callable[[Any, Any], Any] = lambda z, h: tanh_derivative(z),
    back: Callable[[Any, Any], Any] = lambda dz, u: dz @ u.T,
    late: int = 0,
) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
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
            dz = dh * derivative(zs[t], hs[t + 1])
            # z_t = x_t @ w + h_t-1 @ u + b
            dw, du, db = dw + np.outer(x[t], dz), du + np.outer(hs[t + late], dz), db + dz
            dh = back(dz, u)
        return {"w": dw, "u": du, "b": db}

    return gradient


def draw_rnn(rng: np.random.Generator) -> Any:
    factor = size(rng, large=2.5)
    w, u, b = rng.normal(size=(2, 3)), factor * rng.normal(size=(3, 3)), rng.normal(size=3)
    return {"w": w, "u": u, "b": b}, rng.normal(size=(5, 2)), rng.normal(size=3)


RNN = Model(
    name="tanh-rnn",
    loss=rnn_loss,
    gradient=rnn_gradient(),
    draw=rounded(draw_rnn),
    mistakes={
        "u-untransposed": rnn_gradient(back=lambda dz, u: dz @ u),
        "truncated": rnn_gradient(back=lambda dz, u: 0 * dz),
        "off-by-one-in-time": rnn_gradient(late=1),
        "tanh-of-h": rnn_gradient(lambda z, h: tanh_derivative(h)),
        "tanh-linear": rnn_gradient(lambda z, h: 1 - h),
        "no-activation-derivative": rnn_gradient(lambda z, h: 1 + 0 * z),
        "dw-transposed": m.transposed_leaf(rnn_gradient(), 1),
        "accumulates": m.accumulates(rnn_gradient()),
        "one-element-off": m.one_element_off(rnn_gradient()),
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


def gru_gradient(skip: bool = True, reset: bool = True, reset_state: bool = True) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
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
        grads = [np.zeros_like(w) for w in params]
        # L = Σ (h_T - y)²
        dh = 2 * (h - y)
        for h, xh, xrh, zr, zs, zc in reversed(steps):
            # h' = σ(-z_s) h + σ(z_s) tanh(z_c)
            dzs = dh * (np.tanh(zc) - h) * sigmoid_derivative(zs)
            dzc = dh * sigmoid(zs) * tanh_derivative(zc)
            # z_c = [x, σ(z_r) h] @ wc
            drh = (wc @ dzc)[n:]
            dzr = drh * h * sigmoid_derivative(zr) if reset else 0 * zr
            new = [np.outer(xh, dzr), np.outer(xh, dzs)]
            new.append(np.outer(xrh if reset_state else xh, dzc))
            grads = [old + term for old, term in zip(grads, new, strict=True)]
            # z_r = [x, h] @ wr, z_s = [x, h] @ ws
            dh = (dh * sigmoid(-zs) if skip else 0) + drh * sigmoid(zr) + (wr @ dzr + ws @ dzs)[n:]
        return tuple(grads)

    return gradient


def draw_gru(rng: np.random.Generator) -> Any:
    weights = size(rng, large=4.0) * rng.normal(size=(3, 5, 2))
    return tuple(weights), rng.normal(size=(4, 3)), rng.normal(size=2)


GRU = Model(
    name="gru",
    loss=gru_loss,
    gradient=gru_gradient(),
    draw=rounded(draw_gru),
    mistakes={
        "skip-forgotten": gru_gradient(skip=False),
        "reset-forgotten": gru_gradient(reset=False),
        "state-not-reset": gru_gradient(reset_state=False),
        "exchanged": m.exchanged(gru_gradient(), 0, 1),
        "half-mse": m.scaled(gru_gradient(), 0.5),
    },
)


MODELS = [RNN, GRU]
