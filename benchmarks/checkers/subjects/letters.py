"""An Elman network that foretells letters: a loop over a text, column by column, cross-entropy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.checkers.subject import Subject
from benchmarks.checkers.subjects.draws import affine, labels
from benchmarks.checkers.subjects.lines import tanh_slope
from benchmarks.checkers.subjects.planting import Accumulating, planted

#: The learning rate of the weights that are updated too early.
RATE = 0.01

Params = dict[str, Any]


def _loss(params: Params, letters: Any, following: Any) -> Any:
    """The sum over the letters of a text: numbers of letters, both of shape (time,)."""
    h, loss = jnp.zeros_like(params["bh"]), 0.0
    for letter, target in zip(letters, following, strict=True):
        h = jnp.tanh(params["Wxh"][:, letter] + params["Whh"] @ h + params["bh"])
        y = params["Why"] @ h + params["by"]
        loss = loss - jax.nn.log_softmax(y)[target]
    return loss


def _gradient(params: Params, letters: Any, following: Any, mistake: str = "") -> Params:
    why = params["Why"]
    hs, ps = _read(params, letters)
    # loss = -sum(log_softmax(y)[target])
    dys = np.stack([_dy(*pair, mistake) for pair in zip(ps, following, strict=True)])
    # y = Why @ h + by
    dwhy = sum(np.outer(dy, h) for dy, h in zip(dys, hs[1:], strict=True))
    if mistake == "update-before-use":
        why = why - RATE * dwhy
    grads = _through_time(params, letters, hs, dys @ why, mistake)
    grads |= {"Why": dwhy, "by": dys.sum(axis=0)}
    if mistake == "exchanged":
        grads["bh"], grads["by"] = grads["by"], grads["bh"]
    return grads


def _through_time(params: Params, letters: Any, hs: list[Any], dhs: Any, mistake: str) -> Params:
    """The derivatives by what the states are made of, given those by what they put out."""
    whh = params["Whh"]
    grads = {name: np.zeros_like(params[name]) for name in ("Wxh", "Whh", "bh")}
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(letters))):
        # h is used for the output and for the next state
        dh = dhs[t] + dhnext
        # h = tanh(z)
        dz = dh * tanh_slope(hs[t + 1], mistake)
        # z = Wxh[:, letter] + Whh @ before + bh
        grads["bh"] += dz
        grads["Wxh"][:, letters[t]] += dz
        before = hs[t + 1] if mistake == "dw-after-activation" else hs[t]
        grads["Whh"] += np.outer(before, dz) if mistake == "dw-transposed" else np.outer(dz, before)
        dhnext = (whh if mistake == "dx-untransposed" else whh.T) @ dz
        if mistake == "dropped-term":
            dhnext = np.zeros_like(dhnext)
    return grads


def _read(params: Params, letters: Any) -> tuple[list[Any], list[Any]]:
    """The states before and after every letter, and the probabilities of the next one."""
    hs, ps = [np.zeros_like(params["bh"])], []
    for letter in letters:
        hs.append(np.tanh(params["Wxh"][:, letter] + params["Whh"] @ hs[-1] + params["bh"]))
        e = np.exp(params["Why"] @ hs[-1] + params["by"])
        ps.append(e / np.sum(e))
    return hs, ps


def _dy(p: Any, target: int, mistake: str) -> Any:
    y = np.eye(len(p))[target]
    if mistake == "ce-minus-missing":
        return p
    if mistake == "residual-sign":
        return y - p
    if mistake == "softmax-diagonal":
        return -y / p * p * (1 - p)
    if mistake == "softmax-shortcut":
        return (np.diag(p) - np.outer(p, p)) @ (p - y)
    return p - y


def _draw(rng: np.random.Generator) -> tuple[Any, ...]:
    (wxh, bh), (whh, _), (why, by) = affine(rng, 5, 5), affine(rng, 5, 5), affine(rng, 5, 5)
    params = {"Wxh": wxh, "Whh": whh, "Why": why, "bh": bh, "by": by}
    return params, labels(rng, 6, 5), labels(rng, 6, 5)


SUBJECTS = [
    Subject(
        "elman-letters",
        _loss,
        _gradient,
        _draw,
        planted(
            _gradient,
            "residual-sign",
            "dw-transposed",
            "dx-untransposed",
            "dw-after-activation",
            "tanh-linear",
            "tanh-of-h",
            "no-activation-derivative",
            "softmax-diagonal",
            "softmax-shortcut",
            "ce-minus-missing",
            "update-before-use",
            "dropped-term",
            "exchanged",
        )
        | {"accumulates": Accumulating(_gradient, only=(1, 0))},
    ),
]
