"""Networks with one special layer: recurrent, a convolution, an embedding, gates, attention."""

from collections import namedtuple
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from manual.activations import relu_backward, sigmoid, sigmoid_backward, tanh_backward
from manual.losses import LogitsCache, bce_backward, mse_backward, softmax, softmax_ce_backward
from models.helpers import (
    accumulates,
    affine,
    affine_backward,
    and_tie,
    chosen,
    everywhere,
    labels,
    layers,
    of_classes,
    one_element_off,
    one_element_zeroed,
    over_outputs,
    saturated_softmax_backward,
    sign_of_one_element,
    size,
    softmax_backward,
    tanh_output_backward,
    usual,
    zero_or_one,
)
from models.model import Rows, of_loss
from models.networks import NONE, NUMBERS, dense

#: The learning rates of the weights that are updated too early.
SCAN_RATE, LETTERS_RATE = 0.05, 0.01

#: Mistakes in a mean.
MEAN = "missing-mean double-mean mean-over-outputs"

Params = dict[str, Any]


#: h' = tanh(x @ wx + h @ wh + b), and the output h' @ wy + c.
Elman = namedtuple("Elman", "wx wh b wy c")


def scan_loss(net: Elman, xs: Any, ys: Any) -> Any:
    """The mean over steps and examples: xs of shape (time, n, 3), ys of shape (time, n, 2)."""

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        h = jnp.tanh(x @ net.wx + h @ net.wh + net.b[None, :])
        return h, h @ net.wy + net.c[None, :]

    _, outputs = jax.lax.scan(step, jnp.zeros_like(xs, shape=(xs.shape[1], len(net.b))), xs)
    return jnp.mean(jnp.sum((outputs - ys) ** 2, axis=-1))


def scan_gradient(net: Elman, xs: Any, ys: Any) -> Elman:
    hs = [np.zeros_like(xs, shape=(xs.shape[1], len(net.b)))]
    for x in xs:
        hs.append(np.tanh(x @ net.wx + hs[-1] @ net.wh + net.b))
    errors = np.concatenate([h @ net.wy + net.c - y for h, y in zip(hs[1:], ys, strict=True)])
    # mean(sum((outputs - ys) ** 2, axis=-1))
    douts = mse_backward(1.0, errors).reshape(ys.shape)
    # outputs = h @ wy + c
    dwy = sum(h.T @ d for h, d in zip(hs[1:], douts, strict=True))
    dc = douts.sum(axis=(0, 1))
    dzs = scan_through_time(net.wh, hs, douts @ net.wy.T)
    # z = x @ wx + h @ wh + b
    dwh = sum(h.T @ dz for h, dz in zip(hs[:-1], dzs, strict=True))
    dwx = sum(x.T @ dz for x, dz in zip(xs, dzs, strict=True))
    db = dzs.sum(axis=(0, 1))
    return Elman(dwx, dwh, db, dwy, dc)


def scan_through_time(wh: Any, hs: list[Any], dhs: Any) -> Any:
    """Return the derivatives by z of all steps, last step first, given those by the outputs."""
    dzs, dnext = [], np.zeros_like(hs[0])
    for t in reversed(range(len(dhs))):
        # h is used for the output and for the next step
        dh = dhs[t] + dnext
        # h = tanh(z)
        dzs.insert(0, tanh_output_backward(dh, hs[t + 1]))
        # z' = x @ wx + h @ wh + b
        dnext = dzs[0] @ wh.T
    return np.stack(dzs)


def draw_scan(
    rng: np.random.Generator,
    steps: int = 4,
    examples: int = 7,
    inputs: int = 3,
    units: int = 5,
    outputs: int = 2,
) -> Any:
    (wx, b), (wh, _), (wy, c) = layers(rng, inputs, units, units, outputs)
    x, y = (rng.normal(size=(steps, examples, n)) for n in (inputs, outputs))
    return Elman(wx, 0.7 * wh, b, wy, c), x, y


def letters_loss(params: Params, letters: Any, following: Any) -> Any:
    """The sum over the letters of a text: letters and targets as numbers, shape (time,)."""
    h, loss = jnp.zeros_like(params["bh"]), 0.0
    for letter, target in zip(letters, following, strict=True):
        h = jnp.tanh(params["Wxh"][:, letter] + params["Whh"] @ h + params["bh"])
        y = params["Why"] @ h + params["by"]
        loss = loss - jax.nn.log_softmax(y)[target]
    return loss


def letters_gradient(params: Params, letters: Any, following: Any) -> Params:
    why = params["Why"]
    hs = [np.zeros_like(params["bh"])]
    for letter in letters:
        hs.append(np.tanh(params["Wxh"][:, letter] + params["Whh"] @ hs[-1] + params["bh"]))
    states = np.stack(hs[1:])
    # loss = -sum(log_softmax(y)[target])
    cache = of_classes(states @ why.T + params["by"], following)
    dys = softmax_ce_backward(len(states), cache)
    # y = Why @ h + by
    dwhy = dys.T @ states
    dzs = scan_through_time(params["Whh"].T, hs, dys @ why)
    # z = Wxh[:, letter] + Whh @ before + bh
    dwhh = sum(np.outer(dz, h) for dz, h in zip(dzs, hs[:-1], strict=True))
    dwxh = np.zeros_like(params["Wxh"])
    np.add.at(dwxh.T, letters, dzs)
    dbh, dby = dzs.sum(axis=0), dys.sum(axis=0)
    return {"Wxh": dwxh, "Whh": dwhh, "Why": dwhy, "bh": dbh, "by": dby}


def draw_letters(rng: np.random.Generator) -> Any:
    (wxh, bh), (whh, _), (why, by) = affine(rng, 5, 5), affine(rng, 5, 5), affine(rng, 5, 5)
    params = {"Wxh": wxh, "Whh": whh, "Why": why, "bh": bh, "by": by}
    return params, labels(rng, 6, 5), labels(rng, 6, 5)


def convolution_loss(params: Any, x: Any, y: Any) -> Any:
    """x (n, length), y (n,); kernel (k, channels), dense (positions, channels), offset a scalar."""
    z = jax.lax.conv_general_dilated(
        x[:, :, None],
        params["kernel"][:, None, :],
        window_strides=(1,),
        padding="VALID",
        dimension_numbers=("NWC", "WIO", "NWC"),
    )
    h = jax.nn.relu(z + params["bias"][None, None, :])
    logits = jnp.einsum("npc,pc->n", h, params["dense"]) + params["offset"]
    p = jax.nn.sigmoid(logits)
    return jnp.mean(-y * jnp.log(p) - (1 - y) * jnp.log1p(-p))


def convolution_gradient(params: Any, x: Any, y: Any) -> Any:
    kernel, dense = params["kernel"], params["dense"]
    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
    z = windows @ kernel + params["bias"]
    h = np.maximum(z, 0)
    logits = (h * dense).sum(axis=(1, 2)) + params["offset"]
    # mean(-y * log(p) - (1 - y) * log(1 - p)), p = sigmoid(logits)
    dlogits = bce_backward(1.0, LogitsCache(logits, y))
    # logits = sum(h * dense) + offset
    ddense = np.tensordot(dlogits, h, axes=1)
    doffset = dlogits.sum()
    dh = dlogits[:, None, None] * dense
    # h = relu(z)
    dz = relu_backward(dh, z)
    # z[n, p] = x[n, p:p + k] @ kernel + bias
    dkernel = np.tensordot(windows, dz, axes=([0, 1], [0, 1]))
    # The bias of a channel is added in every example and at every position.
    dbias = dz.sum(axis=(0, 1))
    return {"kernel": dkernel, "bias": dbias, "dense": ddense, "offset": doffset}


def draw_convolution(rng: np.random.Generator) -> Any:
    (kernel, bias), (dense, offset) = affine(rng, 3, 2), affine(rng, 5, 2)
    params = {"kernel": kernel, "bias": bias, "dense": dense, "offset": offset[0]}
    return params, rng.normal(size=(5, 7)), zero_or_one(rng, 5)


def embedding_loss(params: Any, words: Any, topics: Any) -> Any:
    """words: numbers of rows of the table, shape (n, 3); topics: numbers of classes, shape (n,)."""
    e = jnp.take(params["table"], words, axis=0).mean(axis=1)
    h = jax.nn.relu(e @ params["w"] + params["b"][None, :])
    logits = h @ params["out"] + params["c"][None, :]
    return optax.softmax_cross_entropy_with_integer_labels(logits, topics).mean()


def embedding_gradient(params: Any, words: Any, topics: Any) -> Any:
    e = params["table"][words].mean(axis=1)
    z = e @ params["w"] + params["b"]
    h = np.where(z > 0, z, 0)
    # softmax_cross_entropy_with_integer_labels(logits, topics).mean()
    dlogits = softmax_ce_backward(1.0, of_classes(h @ params["out"] + params["c"], topics))
    # logits = h @ out + c
    dout, dc, dh = affine_backward(dlogits, h, params["out"])
    # h = relu(z)
    dz = relu_backward(dh, z)
    # z = e @ w + b
    dw, db, de = affine_backward(dz, e, params["w"])
    # e = table[words].mean(axis=1)
    each = np.repeat(de[:, None, :], words.shape[1], axis=1) / words.shape[1]
    dtable = np.zeros_like(params["table"])
    np.add.at(dtable, words, each)
    return {"table": dtable, "w": dw, "b": db, "out": dout, "c": dc}


def draw_embedding(rng: np.random.Generator) -> Any:
    (w, b), (out, c) = layers(rng, 5, 5, 3)
    params = {"table": rng.normal(size=(11, 5)), "w": w, "b": b, "out": out, "c": c}
    # Every text has one word in common.
    words = np.append(rng.integers(1, 11, size=(7, 2)), np.zeros((7, 1), dtype=int), axis=1)
    return params, words, labels(rng, 7, 3)


TINY = 1e-5

#: The parameters; w and the normalisation are as wide as the input.
Normalised = namedtuple("Normalised", "w gain shift out out_bias")


def norm_loss(net: Normalised, x: Any, y: Any) -> Any:
    """The mean over examples and outputs: x of shape (n, 5), y of shape (n, 2)."""
    z = x @ net.w
    centred = z - z.mean(axis=-1, keepdims=True)
    hat = centred / jnp.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    h = jnp.tanh(hat * net.gain[None, :] + net.shift[None, :])
    return jnp.mean((h @ net.out + net.out_bias[None, :] - y) ** 2)


def norm_gradient(net: Normalised, x: Any, y: Any) -> Normalised:
    z = x @ net.w
    sd = np.sqrt(z.var(axis=-1, keepdims=True) + TINY)
    hat = (z - z.mean(axis=-1, keepdims=True)) / sd
    h = np.tanh(hat * net.gain + net.shift)
    # mean((h @ out + out_bias - y) ** 2)
    errors = mse_backward(over_outputs(y), h @ net.out + net.out_bias - y)
    # h @ out + out_bias
    dout, dout_bias, dh = affine_backward(errors, h, net.out)
    # h = tanh(u)
    du = tanh_output_backward(dh, h)
    # u = hat * gain + shift
    dgain, dshift = (du * hat).sum(axis=0), du.sum(axis=0)
    # hat = (z - mean(z)) / sd
    dz = normalise_backward(du * net.gain, hat, sd)
    # z = x @ w
    dw = x.T @ dz
    return Normalised(dw, dgain, dshift, dout, dout_bias)


def normalise_backward(dhat: Any, hat: Any, sd: Any, axis: int = -1) -> Any:
    """The mean and the standard deviation depend on every element along the axis."""
    through_mean = dhat.mean(axis=axis, keepdims=True)
    through_sd = hat * (dhat * hat).mean(axis=axis, keepdims=True)
    return (dhat - through_mean - through_sd) / sd


def draw_norm(rng: np.random.Generator, examples: int = 5, width: int = 5, outputs: int = 2) -> Any:
    (w, shift), (out, out_bias) = layers(rng, width, width, outputs)
    net = Normalised(w, rng.uniform(0.6, 1.2, size=width), shift, out, out_bias)
    return net, rng.normal(size=(examples, width)), rng.normal(size=(examples, outputs))


#: The learning rate of the gated weights that are updated too early, and their penalty.
RATE, DECAY = 0.2, 0.05


def gated_tanh_loss(params: Any, x: Any, y: Any) -> Any:
    """The mean over examples of the sum over outputs: x of shape (n, 3), y of shape (n, 2)."""
    (w, b), (v, c) = params["unit"], params["gate"]
    unit = jnp.tanh(x @ w + b[None, :])
    gate = jax.nn.sigmoid(x @ v + c[None, :])
    out = (unit * gate) @ params["out"]
    return jnp.sum((out - y) ** 2, axis=1).mean()


def gated_tanh_gradient(params: Any, x: Any, y: Any) -> Any:
    (w, b), (v, c), out = params["unit"], params["gate"], params["out"]
    unit = np.tanh(x @ w + b)
    sums = x @ v + c
    gate = sigmoid(sums)
    h = unit * gate
    # sum((h @ out - y) ** 2, axis=1).mean()
    dz = mse_backward(1.0, h @ out - y)
    # z = h @ out
    dout = h.T @ dz
    dh = dz @ out.T
    # h = unit * gate
    dunit, dgate = dh * gate, dh * unit
    # unit = tanh(x @ w + b), gate = sigmoid(x @ v + c)
    dw, db, _ = affine_backward(tanh_output_backward(dunit, unit), x, w)
    dv, dc, _ = affine_backward(sigmoid_backward(dgate, sums), x, v)
    return {"unit": (dw, db), "gate": (dv, dc), "out": dout}


def draw_gated_tanh(rng: np.random.Generator) -> Any:
    params = {"unit": affine(rng, 3, 5), "gate": affine(rng, 3, 5), "out": affine(rng, 5, 2)[0]}
    return params, rng.normal(size=(7, 3)), rng.normal(size=(7, 2))


def gated_relu_loss(params: Any, x: Any, y: Any) -> Any:
    """Binary cross-entropy and a penalty: x of shape (n, 3), y of shape (n,)."""
    unit = x @ params["w"] + params["b"][None, :]
    h = unit * jax.nn.relu(x @ params["v"] + params["c"][None, :])
    z = h @ params["out"]
    losses = jax.nn.softplus(z) - y * z
    return losses.mean() + DECAY * (jnp.sum(params["w"] ** 2) + jnp.sum(params["v"] ** 2))


def gated_relu_gradient(params: Any, x: Any, y: Any) -> Any:
    w, b, v, c, out = (params[name] for name in ("w", "b", "v", "c", "out"))
    unit = x @ w + b
    sums = x @ v + c
    gate = np.maximum(sums, 0)
    h = unit * gate
    # mean(softplus(z) - y * z)
    dz = bce_backward(1.0, LogitsCache(h @ out, y))
    # z = h @ out
    dout = h.T @ dz
    dh = np.outer(dz, out)
    # h = unit * gate, gate = relu(sums)
    dunit, dgate = dh * gate, dh * unit
    dsums = relu_backward(dgate, sums)
    # unit = x @ w + b, sums = x @ v + c, and the penalty of w and v
    dw, db, _ = affine_backward(dunit, x, w, DECAY)
    dv, dc, _ = affine_backward(dsums, x, v, DECAY)
    return {"w": dw, "b": db, "v": dv, "c": dc, "out": dout}


def draw_gated_relu(rng: np.random.Generator) -> Any:
    (w, b), (v, c), (out, _) = affine(rng, 3, 5), affine(rng, 3, 5), affine(rng, 5, 1)
    params = {"w": w, "b": b, "v": v, "c": c, "out": out[:, 0]}
    return params, rng.normal(size=(5, 3)), zero_or_one(rng, 5)


def attention_loss(params: Any, x: Any, y: Any) -> Any:
    """x of shape (n, time, 3), y of shape (n,); params are w (3, 3), b, query, out, all (3,)."""
    w, b, query, out = params
    keys = jax.nn.sigmoid(jnp.einsum("nti,ij->ntj", x, w) + b[None, None, :])
    weights = jax.nn.softmax(keys @ query, axis=1)
    z = jnp.einsum("nt,nti->ni", weights, x) @ out
    return -jnp.mean(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z))


def attention_gradient(params: Any, x: Any, y: Any) -> Any:
    w, b, query, out = params
    sums = x @ w + b
    keys = sigmoid(sums)
    weights = softmax(keys @ query)
    context = np.einsum("nt,nti->ni", weights, x)
    # -mean(y * log(p) + (1 - y) * log(1 - p)), p = sigmoid(z)
    dz = bce_backward(1.0, LogitsCache(context @ out, y))
    # z = context @ out
    dout = context.T @ dz
    dcontext = np.outer(dz, out)
    # context = sum(weights * x)
    of = sigmoid_backward, x, sums, keys, weights
    dw, db, dquery = attend_backward(dcontext, query, *of)
    return [dw, db, dquery, dout]


def attend_backward(
    dcontext: Any, query: Any, backward: Any, x: Any, sums: Any, keys: Any, weights: Any
) -> tuple[Any, Any, Any]:
    """context = sum(weights * x), and how they came about: return (dw, db, dquery)."""
    dweights = np.einsum("ni,nti->nt", dcontext, x)
    # weights = softmax(scores), scores = keys @ query
    dscores = softmax_backward(dweights, weights)
    dquery = np.einsum("nt,ntj->j", dscores, keys)
    dkeys = dscores[:, :, None] * query
    # keys = activation(sums), sums = x @ w + b
    dsums = backward(dkeys, sums)
    dw = np.einsum("ntj,nti->ij", dsums, x)
    db = dsums.sum(axis=(0, 1))
    return dw, db, dquery


def draw_attention(rng: np.random.Generator) -> Any:
    w, b = affine(rng, 3, 3)
    params = [1.5 * w, b, rng.normal(size=3), rng.normal(size=3)]
    return params, rng.normal(size=(5, 3, 3)), zero_or_one(rng, 5)


def draw_softmax(rng: np.random.Generator) -> Any:
    w = size(rng, large=4.0) * rng.normal(size=(2, 5))
    return (w, rng.normal(size=5)), rng.normal(size=(7, 2)), rng.integers(0, 5, size=7)


#: A kernel of shape (3,), its bias, and the weights (5,) of its outputs.
Filter = namedtuple("Filter", "kernel bias w")


def filter_loss(params: Filter, x: Any, y: Any) -> Any:
    """One-dimensional valid convolution: (w · tanh(x * kernel + bias) - y)²."""
    a = jnp.tanh(jnp.convolve(x, params.kernel, mode="valid") + params.bias)
    return jnp.square(a @ params.w - y)


def filter_gradient(params: Filter, x: Any, y: Any) -> Filter:
    z = np.convolve(x, params.kernel, mode="valid") + params.bias
    a = np.tanh(z)
    # L = (a @ w - y)²
    dout = 2 * (a @ params.w - y)
    # a = tanh(z)
    dz = tanh_backward(dout * params.w, z)
    # z_i = Σ_j kernel_j x_(i + 2 - j) + bias
    dkernel = np.correlate(x, dz, mode="valid")[::-1].copy()
    return Filter(dkernel, dz.sum(), dout * a)


def draw_filter(rng: np.random.Generator) -> Any:
    kernel, w = size(rng, large=4.0) * rng.normal(size=3), rng.normal(size=5)
    return Filter(kernel, rng.normal(), w), rng.normal(size=7), rng.normal()


def draw_rnn(rng: np.random.Generator) -> Any:
    factor = size(rng, large=2.5)
    wx, wh, b = rng.normal(size=(2, 3)), factor * rng.normal(size=(3, 3)), rng.normal(size=3)
    wy, c = rng.normal(size=(3, 2)), rng.normal(size=2)
    return Elman(wx, wh, b, wy, c), rng.normal(size=(5, 1, 2)), rng.normal(size=(5, 1, 2))


#: Weights of queries, keys and values, shape (width, heads · n), and of the output.
Attention = namedtuple("Attention", "q k v out")


def by_head(z: Any, heads: int) -> Any:
    """Cut (positions, heads · n) into (heads, positions, n)."""
    return z.reshape(len(z), heads, -1).transpose(1, 0, 2)


def side_by_side(z: Any) -> Any:
    """Join (heads, positions, n) to (positions, heads · n)."""
    return z.transpose(1, 0, 2).reshape(z.shape[1], -1)


def heads_loss(heads: int, causal: bool, net: Attention, x: Any, y: Any) -> Any:
    """Attention: mean of (softmax(q kᵀ / √n) v out - y)², with q = x wq and so on."""
    q, k, v = (by_head(x @ w, heads) for w in net[:3])
    s = q @ k.transpose(0, 2, 1) * q.shape[-1] ** -0.5
    if causal:
        s = jnp.where(jnp.tril(jnp.ones(s.shape, dtype=bool)), s, -jnp.inf)
    return jnp.mean(jnp.square(side_by_side(jax.nn.softmax(s, axis=-1) @ v) @ net.out - y))


def heads_gradient(heads: int, causal: bool, net: Attention, x: Any, y: Any) -> Attention:
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


def draw_heads(rng: np.random.Generator) -> Any:
    q, k = size(rng, large=3.0) * rng.normal(size=(2, 3, 2))
    x, y, v = rng.normal(size=(5, 3)), rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    return Attention(q, k, v, rng.normal(size=(4, 4))), x, y


OF_HEADS: Rows = {
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
    return partial(heads_loss, heads, causal), partial(heads_gradient, heads, causal)


def draw_small_norm(rng: np.random.Generator) -> Any:
    w, gain, shift = size(rng, small=0.01) * rng.normal(size=(2, 5)), *rng.normal(size=(2, 5))
    net = Normalised(w, gain, shift, rng.normal(size=(5, 3)), rng.normal(size=3))
    return net, rng.normal(size=(3, 2)) + 0.3, rng.normal(size=(3, 3))


MODELS = [
    of_loss(
        *("elman-scan", scan_loss, scan_gradient, draw_scan),
        {
            **usual(scan_gradient, MEAN),
            **chosen(MEAN),
            "bias-mean": "db = dzs.mean(axis=(0, 1))",
            # Over time they are summed, over the examples they are not.
            "bias-unsummed": "db = dzs.sum(axis=0)",
            "bias-wrong-axis": "db = dzs.sum(axis=(0, 2))",
            "dw-transposed": ("h.T @ dz for", "dz.T @ h for"),
            "dx-untransposed": "dnext = dzs[0] @ wh",
            "dw-after-activation": ("zip(hs[:-1], dzs", "zip(hs[1:], dzs"),
            "update-before-use": ("douts @ net.wy.T", "douts @ (net.wy - SCAN_RATE * dwy).T"),
            "dropped-term": "dnext = 0 * dh",
        },
    ),
    of_loss(
        *("elman-letters", letters_loss, letters_gradient, draw_letters),
        {
            **usual(letters_gradient, f"softmax-wrong-axis {MEAN}"),
            "dw-transposed": ("np.outer(dz, h)", "np.outer(h, dz)"),
            "dx-untransposed": ('params["Whh"].T', 'params["Whh"]'),
            "dw-after-activation": ("zip(dzs, hs[:-1]", "zip(dzs, hs[1:]"),
            "update-before-use": ("dys @ why", "dys @ (why - LETTERS_RATE * dwhy)"),
            "dropped-term": "dnext = 0 * dh",
            "exchanged": "dby, dbh = dzs.sum(axis=0), dys.sum(axis=0)",
            "accumulates": partial(accumulates, only=(1, 0)),
        },
    ),
    *and_tie(
        of_loss(
            *("convolution", convolution_loss, convolution_gradient, draw_convolution),
            {
                **usual(convolution_gradient, "mean-over-outputs"),
                "bias-mean": [
                    ("dz.sum(axis=(0, 1))", "dz.mean(axis=(0, 1))"),
                    ("dlogits.sum()", "dlogits.mean()"),
                ],
                "bias-unsummed": "dbias = dz.sum(axis=0)",
                "bias-wrong-axis": "dbias = dz.sum(axis=(0, 2))",
                "dw-transposed": ("np.tensordot(windows, dz", "np.tensordot(dz, windows"),
                "update-before-use": ("None] * dense", "None] * (dense - 0.1 * ddense)"),
                # The last position of the kernel stands still.
                "dropped-term": ("tensordot(windows, dz", "tensordot(windows[:, :-1], dz[:, :-1]"),
                "accumulates": accumulates,
            },
        ),
        # One window, and the bias of a channel.
        lambda params, x, _: ((x[1, 2:5], 0.0), (params["bias"][:1], 0.0)),
        "residual-sign bias-mean",
    ),
    *and_tie(
        of_loss(
            *("embedding-bag", embedding_loss, embedding_gradient, draw_embedding),
            {
                **usual(embedding_gradient, "mean-over-outputs decay-factor"),
                "dw-transposed": "dw = dz.T @ e",
                "dx-untransposed": 'de = dz @ params["w"]',
                "dw-after-activation": "dw = h.T @ dz",
                "relu-mask": "dz = relu_backward(dh, e)",
                # If a word occurs more than once, only the last occurrence counts.
                "dropped-term": ("np.add.at(dtable, words, each)", "dtable[words] = each"),
                "accumulates": partial(accumulates, only=(3,)),
            },
        ),
        # A text of padding alone, whose row 10 is zeros, and a unit with bias 0.
        lambda params, words, _: (
            *((words[3], 10), (params["table"][10], 0.0), (params["b"][2:3], 0.0)),
        ),
        "softmax-shortcut dropped-term",
    ),
    of_loss(
        *("layer-norm", norm_loss, norm_gradient, draw_norm),
        {
            **usual(norm_gradient, "dx-untransposed decay-factor"),
            "bias-mean": [everywhere("bias-mean"), "dshift = du.mean(axis=0)"],
            "bias-unsummed": [everywhere("bias-unsummed"), "dshift = du"],
            "bias-wrong-axis": "dshift = du.sum(axis=1)",
            "dw-transposed": "dw = dz.T @ x",
            "dw-after-activation": "dw = h.T @ dz",
            "dropped-term": ("(dhat - through_mean - through_sd)", "(dhat - through_mean)"),
            "exchanged": ("(dw, dgain, dshift,", "(dw, dshift, dgain,"),
            "accumulates": accumulates,
        },
    ),
    of_loss(
        *("gated-tanh", gated_tanh_loss, gated_tanh_gradient, draw_gated_tanh),
        {
            **usual(gated_tanh_gradient, "dx-untransposed decay-factor"),
            "update-before-use": "dh = dz @ (out - RATE * dout).T",
            "dropped-term": "dunit, dgate = dh * gate, 0 * dh",
            "exchanged": ('(dw, db), "gate": (dv, dc)', '(dv, dc), "gate": (dw, db)'),
            "accumulates": accumulates,
        },
    ),
    *and_tie(
        of_loss(
            *("gated-relu", gated_relu_loss, gated_relu_gradient, draw_gated_relu),
            {
                **usual(gated_relu_gradient, "dw-transposed dx-untransposed mean-over-outputs"),
                "relu-mask": "dsums = dgate * (unit > 0)",
                "update-before-use": "dh = np.outer(dz, out - RATE * dout)",
                "dropped-term": "dunit, dgate = dh * gate, dh",
                "exchanged": ('"w": dw, "b": db, "v": dv', '"w": dv, "b": db, "v": dw'),
            },
        ),
        # One example, and the bias of a gate.
        lambda params, x, _: ((x[4], 0.0), (params["c"][3:4], 0.0)),
        "bias-unsummed bce-extra-derivative",
    ),
    of_loss(
        *("attention", attention_loss, attention_gradient, draw_attention),
        {
            **usual(attention_gradient, "mean-over-outputs"),
            "bias-mean": "db = dsums.mean(axis=(0, 1))",
            "bias-unsummed": "db = dsums.sum(axis=1)",
            "bias-wrong-axis": "db = dsums.sum(axis=(0, 2))",
            "dw-transposed": ("ntj,nti->ij", "ntj,nti->ji"),
            "dw-after-activation": 'dw = np.einsum("ntj,nti->ij", dsums, keys)',
            "sigmoid-of-z": "dsums = backward(dkeys, keys)",
            "update-before-use": "dcontext = np.outer(dz, out - 0.1 * dout)",
            "dropped-term": "dkeys[:, 0] = 0.0",
            "exchanged": ("dquery, dout]", "dout, dquery]"),
            "accumulates": accumulates,
        },
    ),
]

#: Those of the zoo, in both precisions.
ZOO = [
    dense(
        *("softmax-regression", NONE, NUMBERS, draw_softmax),
        {
            **chosen("ce-minus-missing softmax-diagonal softmax-wrong-axis"),
            "softmax-shortcut": {"softmax_ce_backward": ("return ", "return p * (1 - p) * ")},
            **chosen("missing-mean bias-mean"),
            "one-element-off": one_element_off,
        },
    ),
    of_loss(
        *("convolution", filter_loss, filter_gradient, draw_filter),
        {
            "kernel-not-flipped": ("[::-1].copy()", ""),
            "off-by-one": ("np.correlate(x,", "np.correlate(np.roll(x, 1),"),
            "bias-mean": ("dz.sum()", "dz.mean()"),
            "dropped-term": partial(one_element_zeroed, rank=0.5),
        },
    ),
    of_loss(
        *("tanh-rnn", scan_loss, scan_gradient, draw_rnn),
        {
            "u-untransposed": "dnext = dzs[0] @ wh",
            "truncated": "dnext = 0 * dzs[0]",
            "off-by-one-in-time": ("zip(hs[:-1], dzs", "zip(hs[1:], dzs"),
            **usual(scan_gradient, f"missing-square half-mse residual-sign {MEAN}"),
            "dw-transposed": "dwh = sum(dz.T @ h for h, dz in zip(hs[:-1], dzs, strict=True))",
            "accumulates": accumulates,
            "one-element-off": one_element_off,
        },
    ),
    of_loss("attention", *attention(1, False), draw_heads, OF_HEADS),
    of_loss(
        *("causal-attention", *attention(1, True), draw_heads),
        {
            **OF_HEADS,
            "mask-forgotten": "p = softmax(s)",
            "mask-forgotten-backward": "ds = saturated_softmax_backward(dp, softmax(s))",
        },
    ),
    of_loss(
        *("layer-norm", norm_loss, norm_gradient, draw_small_norm),
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
    ),
]
