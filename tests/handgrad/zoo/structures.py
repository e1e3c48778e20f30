"""Networks with structure: softmax on labels, convolution, embedding, skips, gates."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import (
    one_hot,
    rounded,
    sigmoid,
    sigmoid_derivative,
    size,
    softmax,
    softmax_delta,
    tanh_derivative,
)
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model


def softmax_loss(params: Any, x: Any, labels: Any) -> Any:
    """Softmax regression: mean of -log softmax(x w + b) at the labels."""
    w, b = params
    logs = jax.nn.log_softmax(x @ w + b[None, :], axis=-1)
    return -jnp.mean(jnp.take_along_axis(logs, labels[:, None], axis=1))


def softmax_gradient(delta: Any = softmax_delta) -> Gradient:
    def gradient(params: Any, x: Any, labels: Any) -> Any:
        w, b = params
        z = x @ w + b[None, :]
        # L = mean(-log softmax(z)[labels])
        dz = delta(z, labels) / len(x)
        # z = x @ w + b
        return x.T @ dz, dz.sum(axis=0)

    return gradient


def draw_softmax(rng: np.random.Generator) -> Any:
    w = size(rng, large=4.0) * rng.normal(size=(2, 5))
    return (w, rng.normal(size=5)), rng.normal(size=(7, 2)), rng.integers(0, 5, size=7)


def delta_through_diagonal(z: Any, labels: Any) -> Any:
    """The derivative of -log p by way of dp, with p (1 - p) for the whole Jacobian."""
    return np.where(one_hot(labels, z.shape[-1]), softmax(z) - 1, 0)


SOFTMAX = Model(
    name="softmax-regression",
    loss=softmax_loss,
    gradient=softmax_gradient(),
    draw=rounded(draw_softmax),
    mistakes={
        "ce-minus-missing": softmax_gradient(lambda z, labels: softmax(z)),
        "softmax-diagonal": softmax_gradient(delta_through_diagonal),
        "softmax-wrong-axis": softmax_gradient(
            lambda z, labels: softmax(z.T).T - one_hot(labels, 5)
        ),
        "softmax-shortcut": softmax_gradient(
            lambda z, labels: softmax_delta(z, labels) * softmax(z) * (1 - softmax(z))
        ),
        "missing-mean": m.scaled_by_batch(softmax_gradient()),
        "bias-mean": m.scaled(softmax_gradient(), 1 / 7, leaf=1),
        "one-element-off": m.one_element_off(softmax_gradient()),
    },
)


class Filter(NamedTuple):
    """A kernel of shape (3,), its bias, and the weights (5,) of what it finds."""

    kernel: Any
    bias: Any
    w: Any


def convolution_loss(params: Filter, x: Any, y: Any) -> Any:
    """One-dimensional convolution: (w · tanh(x * kernel + bias) - y)², where it overlaps."""
    a = jnp.tanh(jnp.convolve(x, params.kernel, mode="valid") + params.bias)
    return jnp.square(a @ params.w - y)


def convolution_gradient(correlate: bool = False, mode: Any = "valid", shift: int = 0) -> Gradient:
    def gradient(params: Filter, x: Any, y: Any) -> Filter:
        z = np.convolve(x, params.kernel, mode="valid") + params.bias
        a = np.tanh(z)
        # L = (a @ w - y)²
        dout = 2 * (a @ params.w - y)
        # a = tanh(z)
        dz = dout * params.w * tanh_derivative(z)
        # z_i = Σ_j kernel_j x_(i + 2 - j) + bias
        kernel = np.correlate(np.roll(x, shift), dz, mode=mode)
        return Filter(kernel if correlate else kernel[::-1].copy(), dz.sum(), dout * a)

    return gradient


def draw_convolution(rng: np.random.Generator) -> Any:
    kernel, w = size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=5)
    return Filter(kernel, rng.normal(), w), rng.normal(size=7), rng.normal()


CONVOLUTION = Model(
    name="convolution",
    loss=convolution_loss,
    gradient=convolution_gradient(),
    draw=rounded(draw_convolution),
    mistakes={
        "kernel-not-flipped": convolution_gradient(correlate=True),
        "off-by-one": convolution_gradient(shift=1),
        "bias-mean": m.scaled(convolution_gradient(), 0.2, leaf=1),
        "dropped-term": m.one_element_zeroed(convolution_gradient(), rank=0.5),
    },
)


def embedding_loss(params: Any, tokens: Any, y: Any) -> Any:
    """Embedding lookup: mean of (tanh(table[tokens]) @ w - y)²; tokens may repeat."""
    return jnp.mean(jnp.square(jnp.tanh(params["table"][tokens]) @ params["w"] - y))


def embedding_gradient(add: bool = True, shift: int = 0) -> Gradient:
    def gradient(params: Any, tokens: Any, y: Any) -> Any:
        e = params["table"][tokens]
        a = np.tanh(e)
        # L = mean((a @ w - y)²)
        dout = 2 * (a @ params["w"] - y) / len(y)
        # a = tanh(e)
        de = dout[:, None] * params["w"][None, :] * tanh_derivative(e)
        # e = table[tokens]
        table = np.zeros_like(params["table"])
        if add:
            np.add.at(table, (tokens + shift) % len(table), de)
        else:
            table[tokens] = de
        return {"table": table, "w": a.T @ dout}

    return gradient


def draw_embedding(rng: np.random.Generator) -> Any:
    table = size(rng, large=4.0) * rng.normal(size=(5, 3))
    tokens = rng.permutation([0, 0, 1, 2, 2, 2, 4])
    return {"table": table, "w": rng.normal(size=3)}, tokens, rng.normal(size=7)


EMBEDDING = Model(
    name="embedding",
    loss=embedding_loss,
    gradient=embedding_gradient(),
    draw=rounded(draw_embedding),
    mistakes={
        "repeats-overwritten": embedding_gradient(add=False),
        "off-by-one": embedding_gradient(shift=1),
        "half-mse": m.scaled(embedding_gradient(), 0.5),
        "sign-of-one-element": m.sign_of_one_element(embedding_gradient()),
    },
)


def gated_loss(params: Any, x: Any, y: Any) -> Any:
    """A gated linear unit with a skip: mean of (x + tanh(x u) σ(x v) - y)²."""
    u, v = params
    return jnp.mean(jnp.square(x + jnp.tanh(x @ u) * jax.nn.sigmoid(x @ v) - y))


def gated_gradient(gate: bool = True, through_gate: bool = True, forward: bool = True) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
        u, v = params
        p, q = x @ u, x @ v
        out = np.tanh(p) * sigmoid(q) + (x if forward else 0 * x)
        # L = mean((x + tanh(p) σ(q) - y)²)
        dout = 2 * (out - y) / y.size
        dp = dout * tanh_derivative(p) * (sigmoid(q) if gate else 1)
        dq = dout * (np.tanh(p) if through_gate else 1) * sigmoid_derivative(q)
        # p = x @ u, q = x @ v
        return [x.T @ dp, x.T @ dq]

    return gradient


def draw_gated(rng: np.random.Generator) -> Any:
    u, v = size(rng, large=4.0) * rng.normal(size=(2, 3, 3))
    return [u, v], rng.normal(size=(5, 3)), rng.normal(size=(5, 3))


GATED = Model(
    name="gated-skip",
    loss=gated_loss,
    gradient=gated_gradient(),
    draw=rounded(draw_gated),
    mistakes={
        "gate-forgotten": gated_gradient(gate=False),
        "factor-forgotten": gated_gradient(through_gate=False),
        "skip-forgotten": gated_gradient(forward=False),
        "exchanged": m.exchanged(gated_gradient()),
        "dw-transposed": m.transposed_leaf(gated_gradient(), 1),
    },
)

MODELS = [SOFTMAX, CONVOLUTION, EMBEDDING, GATED]
