"""Networks with structure: softmax on labels, convolution, embedding, skips, gates."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import one_element_off, one_element_zeroed, sign_of_one_element
from models.model import Model
from models.numerics import (
    sigmoid,
    sigmoid_derivative,
    size,
    softmax_delta,
    tanh_derivative,
)


def softmax_loss(params: Any, x: Any, labels: Any) -> Any:
    """Softmax regression: mean of -log softmax(x w + b) at the labels."""
    w, b = params
    logs = jax.nn.log_softmax(x @ w + b[None, :], axis=-1)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def softmax_gradient(params: Any, x: Any, labels: Any) -> Any:
    w, b = params
    z = x @ w + b[None, :]
    # L = mean(-log softmax(z)[labels])
    dz = softmax_delta(z, labels) / len(x)
    # z = x @ w + b
    return x.T @ dz, dz.sum(axis=0)


def draw_softmax(rng: np.random.Generator) -> Any:
    w = size(rng, large=4.0) * rng.normal(size=(2, 5))
    return (w, rng.normal(size=5)), rng.normal(size=(7, 2)), rng.integers(0, 5, size=7)


DELTA = "softmax_delta(z, labels)"
HOT = "one_hot(labels, z.shape[-1])"

SOFTMAX = Model(
    *("softmax-regression", softmax_loss, softmax_gradient, draw_softmax),
    {
        "ce-minus-missing": (DELTA, "softmax(z)"),
        # The derivative of -log p by way of dp, with p (1 - p) for the whole Jacobian.
        "softmax-diagonal": (DELTA, f"np.where({HOT}, softmax(z) - 1, 0)"),
        "softmax-wrong-axis": (DELTA, f"(softmax(z.T).T - {HOT})"),
        "softmax-shortcut": (DELTA, f"{DELTA} * softmax(z) * (1 - softmax(z))"),
        "missing-mean": (" / len(x)", ""),
        "bias-mean": ("dz.sum(axis=0)", "dz.mean(axis=0)"),
        "one-element-off": one_element_off,
    },
)


class Filter(NamedTuple):
    """A kernel of shape (3,), its bias, and the weights (5,) of its outputs."""

    kernel: Any
    bias: Any
    w: Any


def convolution_loss(params: Filter, x: Any, y: Any) -> Any:
    """One-dimensional valid convolution: (w · tanh(x * kernel + bias) - y)²."""
    a = jnp.tanh(jnp.convolve(x, params.kernel, mode="valid") + params.bias)
    return jnp.square(a @ params.w - y)


def convolution_gradient(params: Filter, x: Any, y: Any) -> Filter:
    z = np.convolve(x, params.kernel, mode="valid") + params.bias
    a = np.tanh(z)
    # L = (a @ w - y)²
    dout = 2 * (a @ params.w - y)
    # a = tanh(z)
    dz = dout * params.w * tanh_derivative(z)
    # z_i = Σ_j kernel_j x_(i + 2 - j) + bias
    dkernel = np.correlate(x, dz, mode="valid")[::-1].copy()
    return Filter(dkernel, dz.sum(), dout * a)


def draw_convolution(rng: np.random.Generator) -> Any:
    kernel, w = size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=5)
    return Filter(kernel, rng.normal(), w), rng.normal(size=7), rng.normal()


CONVOLUTION = Model(
    *("convolution", convolution_loss, convolution_gradient, draw_convolution),
    {
        "kernel-not-flipped": ("[::-1].copy()", ""),
        "off-by-one": ("np.correlate(x,", "np.correlate(np.roll(x, 1),"),
        "bias-mean": ("dz.sum()", "dz.mean()"),
        "dropped-term": partial(one_element_zeroed, rank=0.5),
    },
)


def embedding_loss(params: Any, tokens: Any, y: Any) -> Any:
    """Embedding lookup: mean of (tanh(table[tokens]) @ w - y)²; tokens may repeat."""
    return jnp.mean(jnp.square(jnp.tanh(params["table"][tokens]) @ params["w"] - y))


def embedding_gradient(params: Any, tokens: Any, y: Any) -> Any:
    e = params["table"][tokens]
    a = np.tanh(e)
    # L = mean((a @ w - y)²)
    dout = 2 * (a @ params["w"] - y) / len(y)
    # a = tanh(e)
    de = dout[:, None] * params["w"][None, :] * tanh_derivative(e)
    # e = table[tokens]
    table = np.zeros_like(params["table"])
    np.add.at(table, tokens, de)
    return {"table": table, "w": a.T @ dout}


def draw_embedding(rng: np.random.Generator) -> Any:
    table = size(rng, large=4.0) * rng.normal(size=(5, 3))
    tokens = rng.permutation([0, 0, 1, 2, 2, 2, 4])
    return {"table": table, "w": rng.normal(size=3)}, tokens, rng.normal(size=7)


EMBEDDING = Model(
    *("embedding", embedding_loss, embedding_gradient, draw_embedding),
    {
        "repeats-overwritten": ("np.add.at(table, tokens, de)", "table[tokens] = de"),
        "off-by-one": ("(table, tokens, de)", "(table, (tokens + 1) % len(table), de)"),
        "half-mse": ("dout = 2 *", "dout ="),
        "sign-of-one-element": sign_of_one_element,
    },
)


def gated_loss(params: Any, x: Any, y: Any) -> Any:
    """A gated linear unit with a skip: mean of (x + tanh(x u) σ(x v) - y)²."""
    u, v = params
    return jnp.mean(jnp.square(x + jnp.tanh(x @ u) * jax.nn.sigmoid(x @ v) - y))


def gated_gradient(params: Any, x: Any, y: Any) -> Any:
    u, v = params
    p, q = x @ u, x @ v
    # L = mean((tanh(p) σ(q) + x - y)²)
    dout = 2 * (np.tanh(p) * sigmoid(q) + x - y) / y.size
    dp = dout * tanh_derivative(p) * sigmoid(q)
    dq = dout * np.tanh(p) * sigmoid_derivative(q)
    # p = x @ u, q = x @ v
    return [x.T @ dp, x.T @ dq]


def draw_gated(rng: np.random.Generator) -> Any:
    u, v = size(rng, large=4.0) * rng.normal(size=(2, 3, 3))
    return [u, v], rng.normal(size=(5, 3)), rng.normal(size=(5, 3))


GATED = Model(
    *("gated-skip", gated_loss, gated_gradient, draw_gated),
    {
        "gate-forgotten": ("(p) * sigmoid(q)\n", "(p)\n"),
        "factor-forgotten": ("dout * np.tanh(p) *", "dout *"),
        "skip-forgotten": ("sigmoid(q) + x", "sigmoid(q)"),
        "exchanged": ("[x.T @ dp, x.T @ dq]", "[x.T @ dq, x.T @ dp]"),
        "dw-transposed": ("x.T @ dq", "dq.T @ x"),
    },
)

MODELS = [SOFTMAX, CONVOLUTION, EMBEDDING, GATED]
