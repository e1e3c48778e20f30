"""A batch-normed relu network with two outputs: class probabilities, and that of an event.

The class probabilities have a squared error (Brier, 1950), the event a cross-entropy.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.losses import LogitsCache, bce_backward
from models.helpers import in_one, usual
from models.layers import normalise_backward
from models.model import of_loss
from models.networks import BRIER, brier_backward

DECAY = 0.03
RATE = 0.4
EPSILON = 1e-3


def loss(params: Any, x: Any, t: Any, y: Any) -> Any:
    """Brier score and cross-entropy, means over examples, and λ w² of the first two layers.

    x is (7, 3), t (7, 3) one-hot, y (7,) zeros and ones;
    `params` is [normed, dense, classes, event], dictionaries of w, gamma and beta, or of w and b.
    """
    normed, dense, classes, event = params
    z = x @ normed["w"]
    xhat = (z - z.mean(0, keepdims=True)) / jnp.sqrt(z.var(0, keepdims=True) + EPSILON)
    a = jnp.maximum(normed["gamma"][None, :] * xhat + normed["beta"][None, :], 0.0)
    k = jax.nn.relu(a @ dense["w"] + dense["b"][None, :])
    q = jax.nn.softmax(k @ classes["w"] + classes["b"][None, :], axis=-1)
    brier = jnp.mean(jnp.sum((q - t) ** 2, axis=-1))
    p = jax.nn.log_sigmoid((2 * y - 1) * (k @ event["w"] + event["b"]))
    decay = sum(jnp.sum(part["w"] ** 2) for part in (normed, dense))
    return brier - jnp.mean(p) + DECAY * decay


def gradient(params: Any, x: Any, t: Any, y: Any) -> Any:
    """By hand, backwards."""
    normed, dense, classes, event = params
    z = x @ normed["w"]
    std = np.sqrt(z.var(axis=0) + EPSILON)
    xhat = (z - z.mean(axis=0)) / std
    n = normed["gamma"] * xhat + normed["beta"]
    a = np.maximum(n, 0)
    s = a @ dense["w"] + dense["b"]
    k = np.maximum(s, 0)
    c, o = k @ classes["w"] + classes["b"], k @ event["w"] + event["b"]
    # loss = mean(sum((softmax(c) - t)**2)) + mean(cross-entropy of sigmoid(o) with y)
    dc, do = brier_backward(1.0, LogitsCache(c, t)), bce_backward(1.0, LogitsCache(o, y))
    # c = k @ w + b
    dclasses = {"w": k.T @ dc, "b": dc.sum(axis=0)}
    # o = k @ w + b
    devent = {"w": k.T @ do, "b": do.sum()}
    dk = dc @ classes["w"].T + np.outer(do, event["w"])
    # k = relu(s), s = a @ w + b
    ds = dk * (s > 0)
    ddense = {"w": a.T @ ds, "b": ds.sum(axis=0)}
    da = ds @ dense["w"].T
    # a = relu(n)
    dn = da * (n > 0)
    # n = gamma * xhat + beta
    dgamma, dbeta = (dn * xhat).sum(axis=0), dn.sum(axis=0)
    # xhat = (z - mean(z)) / std
    dz = normalise_backward(dn * normed["gamma"], xhat, std, axis=0)
    # z = x @ w
    dnormed = {"w": x.T @ dz, "gamma": dgamma, "beta": dbeta}
    # loss += DECAY * sum(w**2)
    for d, part in ((dnormed, normed), (ddense, dense)):
        d["w"] = d["w"] + 2 * DECAY * part["w"]
    return [dnormed, ddense, dclasses, devent]


def draw(rng: np.random.Generator) -> Any:
    """Draw seven examples; the middle layer is square."""
    normed = {"w": rng.normal(size=(3, 4)), "gamma": 1 + 0.3 * rng.normal(size=4)}
    normed["beta"] = 0.8 * rng.normal(size=4)
    dense = {"w": rng.normal(size=(4, 4)) * 0.7, "b": 0.3 + 0.4 * rng.normal(size=4)}
    classes = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=3) * 0.3}
    event = {"w": rng.normal(size=4), "b": np.asarray(rng.normal() * 0.3)}
    t, y = np.eye(3)[rng.integers(0, 3, size=7)], rng.permutation([0.0, 0, 0, 1, 1, 1, 1])
    return [normed, dense, classes, event], rng.normal(size=(7, 3)), t, y


DECAYED = 'd["w"] = d["w"] + 2 * DECAY * part["w"]'

MISTAKES = {
    **usual(gradient, "missing-square"),
    "missing-mean/2": in_one("bce_backward", "missing-mean"),
    "double-mean": 'dclasses = {"w": k.T @ dc / len(k), "b": dc.sum(axis=0) / len(k)}',
    "double-mean/2": 'devent = {"w": k.T @ do / len(k), "b": do.sum()}',
    "residual-sign": in_one("mse_backward", "residual-sign"),
    "residual-sign/2": in_one("bce_backward", "residual-sign"),
    "bias-mean": 'ddense = {"w": a.T @ ds, "b": ds.mean(axis=0)}',
    "bias-mean/2": 'devent = {"w": k.T @ do, "b": do.mean()}',
    "bias-unsummed": 'ddense = {"w": a.T @ ds, "b": ds}',
    "bias-unsummed/2": 'devent = {"w": k.T @ do, "b": do}',
    "bias-wrong-axis": 'dclasses = {"w": k.T @ dc, "b": dc.sum(axis=1)}',
    "bias-wrong-axis/2": "dbeta = dn.sum(axis=1)",
    "dw-transposed": 'ddense = {"w": ds.T @ a, "b": ds.sum(axis=0)}',
    "dw-transposed/2": 'dclasses = {"w": dc.T @ k, "b": dc.sum(axis=0)}',
    "dx-untransposed": 'da = ds @ dense["w"]',
    "dw-after-activation": 'ddense = {"w": k.T @ ds, "b": ds.sum(axis=0)}',
    "no-activation-derivative": "ds = dk",
    "no-activation-derivative/2": "dn = da",
    **BRIER,
    "softmax-shortcut/2": ("return softmax_backward(dp, p)", "return dp"),
    "relu-mask": "dn = da * (xhat > 0)",
    "relu-mask/2": "dn = da * (z > 0)",
    "relu-mask/3": "ds = dk * (a > 0)",
    "accumulates": [
        ("t: Any, y: Any) -> Any:", "t: Any, y: Any, kept: list = []) -> Any:"),
        (
            "return [dnormed, ddense, dclasses, devent]",
            "kept.append([dnormed, ddense, dclasses, devent])\n"
            "return jax.tree.map(lambda *calls: sum(calls), *kept)",
        ),
    ],
    "accumulates/2": {"brier_backward": "y = cache.y\ny -= p\ndp = mse_backward(dloss, -y)"},
    "update-before-use": 'new = dense["w"] - RATE * ddense["w"]\nda = ds @ new.T',
    "update-before-use/2": ('event["w"])', 'event["w"] - RATE * devent["w"])'),
    "update-before-use/3": ('dn * normed["gamma"]', 'dn * (normed["gamma"] - RATE * dgamma)'),
    "decay-factor": 'd["w"] = d["w"] + DECAY * part["w"]',
    "decay-factor/2": 'd["w"] = d["w"] + 2 * DECAY / len(x) * part["w"]',
    "decay-factor/3": (DECAYED, "for name in d:\n    d[name] = d[name] + 2 * DECAY * part[name]"),
    "dropped-term": 'dz = dn * normed["gamma"] / std',
    "dropped-term/2": (" - through_sd)", ")"),
    "dropped-term/3": ('+ np.outer(do, event["w"])', ""),
    "exchanged": 'dnormed = {"w": x.T @ dz, "gamma": dbeta, "beta": dgamma}',
}

MODELS = [of_loss("batch-norm-two-answers", loss, gradient, draw, MISTAKES)]
