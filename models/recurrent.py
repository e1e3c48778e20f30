"""Elman networks: a scan over time with squared errors, and one that predicts letters."""

from collections import namedtuple
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import (
    accumulates,
    affine,
    labels,
    layers,
    one_hot,
    softmax_cross_entropy_backward,
    squared_error_backward,
    tanh_slope,
    usual,
)
from models.model import of_loss

#: The learning rates of the weights that are updated too early.
RATE, LETTERS_RATE = 0.05, 0.01

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
    outputs = np.stack([h @ net.wy + net.c for h in hs[1:]])
    # mean(sum((outputs - ys) ** 2, axis=-1))
    n = ys.shape[0] * ys.shape[1]
    douts = squared_error_backward(outputs, ys) / n
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
        dzs.insert(0, dh * tanh_slope(hs[t + 1]))
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
    hs, ps = read(params, letters)
    # loss = -sum(log_softmax(y)[target])
    dys = softmax_cross_entropy_backward(np.stack(ps), one_hot(following, len(why)))
    # y = Why @ h + by
    dwhy = sum(np.outer(dy, h) for dy, h in zip(dys, hs[1:], strict=True))
    grads = letters_through_time(params, letters, hs, dys @ why)
    grads |= {"Why": dwhy, "by": dys.sum(axis=0)}
    return grads


def letters_through_time(params: Params, letters: Any, hs: list[Any], dhs: Any) -> Params:
    """Return the derivatives by z of all states, given those by the outputs."""
    whh = params["Whh"]
    grads = {name: np.zeros_like(params[name]) for name in ("Wxh", "Whh", "bh")}
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(letters))):
        # h is used for the output and for the next state
        dh = dhs[t] + dhnext
        # h = tanh(z)
        dz = dh * tanh_slope(hs[t + 1])
        # z = Wxh[:, letter] + Whh @ before + bh
        grads["bh"] += dz
        grads["Wxh"][:, letters[t]] += dz
        grads["Whh"] += np.outer(dz, hs[t])
        dhnext = whh.T @ dz
    return grads


def read(params: Params, letters: Any) -> tuple[list[Any], list[Any]]:
    """Return the states before and after every letter, and the probabilities of the next one."""
    hs, ps = [np.zeros_like(params["bh"])], []
    for letter in letters:
        hs.append(np.tanh(params["Wxh"][:, letter] + params["Whh"] @ hs[-1] + params["bh"]))
        e = np.exp(params["Why"] @ hs[-1] + params["by"])
        ps.append(e / np.sum(e))
    return hs, ps


def draw_letters(rng: np.random.Generator) -> Any:
    (wxh, bh), (whh, _), (why, by) = affine(rng, 5, 5), affine(rng, 5, 5), affine(rng, 5, 5)
    params = {"Wxh": wxh, "Whh": whh, "Why": why, "bh": bh, "by": by}
    return params, labels(rng, 6, 5), labels(rng, 6, 5)


MODELS = [
    of_loss(
        *("elman-scan", scan_loss, scan_gradient, draw_scan),
        {
            **usual("missing-square", "half-mse"),
            "missing-mean": ("ys) / n", "ys)"),
            "double-mean": ("ys) / n", "ys) / n**2"),
            "mean-over-outputs": ("ys) / n", "ys) / ys.size"),
            **usual("residual-sign"),
            "bias-mean": "db = dzs.mean(axis=(0, 1))",
            # Over time they are summed, over the examples they are not.
            "bias-unsummed": "db = dzs.sum(axis=0)",
            "bias-wrong-axis": "db = dzs.sum(axis=(0, 2))",
            "dw-transposed": ("h.T @ dz for", "dz.T @ h for"),
            "dx-untransposed": "dnext = dzs[0] @ wh",
            "dw-after-activation": ("zip(hs[:-1], dzs", "zip(hs[1:], dzs"),
            **usual("tanh-linear", "tanh-of-h", "no-activation-derivative"),
            "update-before-use": ("douts @ net.wy.T", "douts @ (net.wy - RATE * dwy).T"),
            "dropped-term": "dnext = 0 * dh",
        },
    ),
    of_loss(
        *("elman-letters", letters_loss, letters_gradient, draw_letters),
        {
            **usual("residual-sign", "ce-minus-missing", "softmax-shortcut"),
            **usual("softmax-diagonal"),
            "dw-transposed": 'grads["Whh"] += np.outer(hs[t], dz)',
            "dx-untransposed": ("whh.T @ dz", "whh @ dz"),
            "dw-after-activation": 'grads["Whh"] += np.outer(dz, hs[t + 1])',
            **usual("tanh-linear", "tanh-of-h", "no-activation-derivative"),
            "update-before-use": ("dys @ why", "dys @ (why - LETTERS_RATE * dwhy)"),
            "dropped-term": ("dhnext = whh.T @ dz", "dhnext = 0 * dz"),
            "exchanged": (
                '"by": dys.sum(axis=0)}',
                '"by": dys.sum(axis=0)}\ngrads["bh"], grads["by"] = grads["by"], grads["bh"]',
            ),
            "accumulates": partial(accumulates, only=(1, 0)),
        },
    ),
]
