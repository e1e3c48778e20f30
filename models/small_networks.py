"""Networks with structure: softmax on labels, convolution, recurrence, attention, normalisation."""

from collections import namedtuple
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import (
    accumulates,
    everywhere,
    one_element_off,
    one_element_zeroed,
    saturated_softmax_backward,
    sign_of_one_element,
    size,
    softmax,
    tanh_derivative,
    usual,
)
from models.layers import Elman, Normalised, norm_gradient, norm_loss, scan_gradient, scan_loss
from models.model import Written, of_loss
from models.networks import DELTA, NUMBERS, dense


def draw_softmax(rng: np.random.Generator) -> Any:
    w = size(rng, large=4.0) * rng.normal(size=(2, 5))
    return (w, rng.normal(size=5)), rng.normal(size=(7, 2)), rng.integers(0, 5, size=7)


HOT = "one_hot(y, b.size)"

SOFTMAX = dense(
    *("softmax-regression", None, NUMBERS, draw_softmax),
    {
        "ce-minus-missing": (DELTA, "softmax(zs[-1])"),
        # The derivative of -log p by way of dp, with p (1 - p) for the whole Jacobian.
        "softmax-diagonal": (DELTA, f"np.where({HOT}, softmax(zs[-1]) - 1, 0)"),
        "softmax-wrong-axis": (DELTA, f"(softmax(zs[-1].T).T - {HOT})"),
        "softmax-shortcut": (DELTA, f"{DELTA} * softmax(zs[-1]) * (1 - softmax(zs[-1]))"),
        "missing-mean": (" / count(y)", ""),
        "bias-mean": everywhere("bias-mean"),
        "one-element-off": one_element_off,
    },
)


#: A kernel of shape (3,), its bias, and the weights (5,) of its outputs.
Filter = namedtuple("Filter", "kernel bias w")


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


CONVOLUTION = of_loss(
    *("convolution", convolution_loss, convolution_gradient, draw_convolution),
    {
        "kernel-not-flipped": ("[::-1].copy()", ""),
        "off-by-one": ("np.correlate(x,", "np.correlate(np.roll(x, 1),"),
        "bias-mean": ("dz.sum()", "dz.mean()"),
        "dropped-term": partial(one_element_zeroed, rank=0.5),
    },
)


def draw_rnn(rng: np.random.Generator) -> Any:
    factor = size(rng, large=2.5)
    wx, wh, b = rng.normal(size=(2, 3)), factor * rng.normal(size=(3, 3)), rng.normal(size=3)
    wy, c = rng.normal(size=(3, 2)), rng.normal(size=2)
    return Elman(wx, wh, b, wy, c), rng.normal(size=(5, 1, 2)), rng.normal(size=(5, 1, 2))


RNN = of_loss(
    *("tanh-rnn", scan_loss, scan_gradient, draw_rnn),
    {
        "u-untransposed": "dnext = dzs[0] @ wh",
        "truncated": "dnext = 0 * dzs[0]",
        "off-by-one-in-time": ("zip(hs[:-1], dzs", "zip(hs[1:], dzs"),
        **usual(scan_gradient, "missing-square half-mse residual-sign"),
        "dw-transposed": "dwh = sum(dz.T @ h for h, dz in zip(hs[:-1], dzs, strict=True))",
        "accumulates": accumulates,
        "one-element-off": one_element_off,
    },
)


#: Weights of queries, keys and values, shape (width, heads · n), and of the output.
Attention = namedtuple("Attention", "q k v out")


def by_head(z: Any, heads: int) -> Any:
    """Cut (positions, heads · n) into (heads, positions, n)."""
    return z.reshape(len(z), heads, -1).transpose(1, 0, 2)


def side_by_side(z: Any) -> Any:
    """Join (heads, positions, n) to (positions, heads · n)."""
    return z.transpose(1, 0, 2).reshape(z.shape[1], -1)


def attention_loss(heads: int, causal: bool, net: Attention, x: Any, y: Any) -> Any:
    """Attention: mean of (softmax(q kᵀ / √n) v out - y)², with q = x wq and so on."""
    q, k, v = (by_head(x @ w, heads) for w in net[:3])
    s = q @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5
    if causal:
        s = jnp.where(jnp.tril(jnp.ones(s.shape, dtype=bool)), s, -jnp.inf)
    return jnp.mean(jnp.square(side_by_side(jax.nn.softmax(s, axis=-1) @ v) @ net.out - y))


def attention_gradient(heads: int, causal: bool, net: Attention, x: Any, y: Any) -> Attention:
    # q = x @ wq by head, and so k and v
    q, k, v = (by_head(x @ w, heads) for w in net[:3])
    scale = q.shape[-1] ** -0.5
    # s = q @ kᵀ * scale, or -∞ in the future
    s = q @ k.transpose(0, 2, 1) * scale
    past = np.tril(np.ones(s.shape, dtype=bool)) if causal else np.ones(s.shape, dtype=bool)
    # p = softmax(s), o = p @ v side by side
    p = softmax(np.where(past, s, -np.inf))
    o = side_by_side(p @ v)
    # L = mean((o @ out - y)²)
    errors = 2 * (o @ net.out - y) / y.size
    dout = o.T @ errors
    # o = p @ v side by side
    do = by_head(errors @ net.out.T, heads)
    dp, dv = do @ v.transpose(0, 2, 1), p.transpose(0, 2, 1) @ do
    # p = softmax(s)
    ds = saturated_softmax_backward(dp, p)
    # s = q @ kᵀ * scale
    dq, dk = ds @ k * scale, ds.transpose(0, 2, 1) @ q * scale
    # q = x @ wq by head, and so k and v
    dwq, dwk, dwv = (x.T @ side_by_side(d) for d in (dq, dk, dv))
    return Attention(dwq, dwk, dwv, dout)


def draw_attention(rng: np.random.Generator) -> Any:
    q, k = size(rng, large=3.0) * rng.normal(size=(2, 3, 2))
    x, y, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    return Attention(q, k, v, rng.normal(size=(4, 4))), x, y


OF_ATTENTION: dict[str, Written] = {
    "softmax-diagonal": "ds = p * (1 - p) * dp",
    "softmax-mean-forgotten": "ds = p * dp",
    "scale-forgotten": "dq, dk = ds @ k, ds.transpose(0, 2, 1) @ q",
    "scale-squared": "dq, dk = ds @ k * scale**2, ds.transpose(0, 2, 1) @ q * scale**2",
    "scores-untransposed": "dq, dk = ds @ k * scale, ds @ q * scale",
    "exchanged": ("in (dq, dk, dv)", "in (dk, dq, dv)"),
    "one-element-off": one_element_off,
}


def attention(heads: int, causal: bool) -> tuple[Any, Any]:
    """Return the loss of so many heads, and its gradient."""
    return partial(attention_loss, heads, causal), partial(attention_gradient, heads, causal)


def draw_layer_norm(rng: np.random.Generator) -> Any:
    w, gain, shift = size(rng, small=0.01) * rng.normal(size=(2, 5)), *rng.normal(size=(2, 5))
    net = Normalised(w, gain, shift, rng.normal(size=(5, 3)), rng.normal(size=3))
    return net, rng.normal(size=(3, 2)) + 0.3, rng.normal(size=(3, 3))


LAYER_NORM = of_loss(
    *("layer-norm", norm_loss, norm_gradient, draw_layer_norm),
    {
        "statistics-constant": ("(dhat - through_mean - through_sd)", "dhat"),
        "variance-term-dropped": (" - through_sd)", ")"),
        "mean-term-dropped": (" - through_mean", ""),
        "gamma-forgotten": "dz = normalise_backward(du, hat, sd)",
        "exchanged": ("(dw, dgain, dshift,", "(dw, dshift, dgain,"),
        "sign-of-one-element": partial(sign_of_one_element, rank=0.6),
        "wrong-axis": "hat = (z - z.mean(axis=0, keepdims=True)) / sd",
        "not-centred": "hat = z / sd",
        "epsilon-outside": "sd = np.sqrt(z.var(axis=-1, keepdims=True)) + TINY",
        "one-element-off": one_element_off,
    },
)


MODELS = [
    SOFTMAX,
    CONVOLUTION,
    RNN,
    of_loss("attention", *attention(1, False), draw_attention, OF_ATTENTION),
    of_loss(
        *("causal-attention", *attention(1, True), draw_attention),
        {
            **OF_ATTENTION,
            "mask-forgotten": "p = softmax(s)",
            "mask-forgotten-backward": "ds = saturated_softmax_backward(dp, softmax(s))",
        },
    ),
    LAYER_NORM,
]
