"""Additive attention over the words of a text, a relu layer, and three classes.

Scored as Bahdanau, Cho and Bengio (2015) do: e = tanh(x w + b), s = e v, a = softmax(s).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.activations import relu_backward, tanh_backward
from manual.losses import softmax, softmax_ce_backward
from models.helpers import accumulates, affine_backward, everywhere, of_classes, usual
from models.layers import attend_backward
from models.model import of_loss

DECAY = 0.05
RATE = 0.5


def loss(params: Any, x: Any, labels: Any) -> Any:
    """Mean negative log probability and λ w²: x (5, 4 words, 4 features), labels (5,) integers."""
    attend, dense, out = params["attend"], params["dense"], params["out"]
    s = jnp.tanh(x @ attend["w"] + attend["b"][None, None, :]) @ attend["v"]
    a = jnp.exp(s) / jnp.sum(jnp.exp(s), axis=1, keepdims=True)
    context = jnp.einsum("bt,btd->bd", a, x)
    k = jax.nn.relu(context @ dense["w"] + dense["b"][None, :])
    o = k @ out["w"] + out["b"][None, :]
    chosen = jnp.take_along_axis(o, labels[:, None], axis=1)[:, 0]
    entropy = jnp.mean(jax.scipy.special.logsumexp(o, axis=1) - chosen)
    return entropy + DECAY * sum(jnp.sum(part["w"] ** 2) for part in (attend, dense, out))


def gradient(params: Any, x: Any, labels: Any) -> Any:
    """By hand, backwards."""
    attend, dense, out = params["attend"], params["dense"], params["out"]
    z = x @ attend["w"] + attend["b"]
    e = np.tanh(z)
    a = softmax(e @ attend["v"])
    context = np.einsum("bt,btd->bd", a, x)
    hidden = context @ dense["w"] + dense["b"]
    k = np.maximum(hidden, 0)
    # loss = -mean(log(softmax(o)[labels])), and the penalty of each w
    do = softmax_ce_backward(1.0, of_classes(k @ out["w"] + out["b"], labels))
    # o = k @ w + b
    dw3, db3, dk = affine_backward(do, k, out["w"], DECAY)
    # k = relu(hidden)
    dhidden = relu_backward(dk, hidden)
    # hidden = context @ w + b
    dw2, db2, dcontext = affine_backward(dhidden, context, dense["w"], DECAY)
    # context = sum(a * x), a = softmax(e @ v), e = tanh(z), z = x @ w + b
    dw, db, dv = attend_backward(dcontext, attend["v"], tanh_backward, x, z, e, a)
    dw1 = dw + 2 * DECAY * attend["w"]
    dense_and_out = {"dense": {"w": dw2, "b": db2}, "out": {"w": dw3, "b": db3}}
    return {"attend": {"w": dw1, "b": db, "v": dv}, **dense_and_out}


def draw(rng: np.random.Generator) -> Any:
    """Draw five texts; one is all padding, so that the third relu, whose bias is 0, is at 0."""
    attend = {"w": rng.normal(size=(4, 4)), "b": rng.normal(size=4), "v": rng.normal(size=4)}
    dense = {"w": rng.normal(size=(4, 4)) * 0.8, "b": rng.normal(size=4) * 0.5}
    out = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=3) * 0.3}
    dense["b"][2] = 0
    x = rng.normal(size=(5, 4, 4))
    x[rng.integers(0, 5)] = 0
    return {"attend": attend, "dense": dense, "out": out}, x, rng.integers(0, 3, size=5)


MISTAKES = {
    **usual(gradient),
    # In all but v.
    "double-mean": [everywhere("double-mean"), ('"v": dv', '"v": dv * len(x)')],
    "double-mean/2": 'dw1 = dw / len(x) + 2 * DECAY * attend["w"]',
    "bias-mean": "db2 = dhidden.mean(axis=0)",
    "bias-mean/2": "db = dsums.mean(axis=(0, 1))",
    "bias-unsummed": "db2 = dhidden",
    "bias-unsummed/2": "db = dsums.sum(axis=1)",
    "bias-wrong-axis": "db = dsums.sum(axis=(0, 2))",
    "bias-wrong-axis/2": "db2 = dhidden.sum(axis=1)",
    "dw-transposed": 'dw2 = dhidden.T @ context + 2 * DECAY * dense["w"]',
    "dw-transposed/2": 'dw = np.einsum("ntj,nti->ji", dsums, x)',
    "dx-untransposed": 'dcontext = dhidden @ dense["w"]',
    "dw-after-activation": 'dw2 = k.T @ dhidden + 2 * DECAY * dense["w"]',
    "dw-after-activation/2": 'dw = np.einsum("ntj,nti->ij", dsums, keys)',
    "no-activation-derivative": "dhidden = dk",
    "softmax-diagonal": "dscores = weights * (1 - weights) * dweights",
    "softmax-wrong-axis": 'a = softmax((e @ attend["v"]).T).T',
    "softmax-wrong-axis/2": {
        "softmax_ce_backward": "p = softmax(z.T).T\nreturn dloss / z.shape[0] * (p - y)"
    },
    "relu-mask/2": "dhidden = dk * (context > 0)",
    "relu-at-zero": everywhere("relu-at-zero"),
    "relu-at-zero/2": "dhidden = np.where(hidden < 0, 0, dk)",
    "accumulates": accumulates,
    "update-before-use": 'dcontext = dhidden @ (dense["w"] - RATE * (context.T @ dhidden)).T',
    "update-before-use/2": [
        ('k, out["w"]', 'k, out["w"] - RATE * (k.T @ do)'),
        ('context, dense["w"]', 'context, dense["w"] - RATE * (context.T @ dhidden)'),
    ],
    "decay-factor": 'dw1 = dw + DECAY * attend["w"]',
    "decay-factor/2": [everywhere("decay-factor"), 'dw1 = dw + DECAY * attend["w"]'],
    "decay-factor/3": 'db2 = db2 + 2 * DECAY * dense["b"]',
    "dropped-term": 'dw = np.einsum("ntj,nti->ij", dsums[:, 1:], x[:, 1:])',
    "dropped-term/2": "db3[-1] = 0",
    "exchanged": ('"b": db, "v": dv', '"b": dv, "v": db'),
    "exchanged/2": "dw1, dw2 = dw2, dw1",
}

MODELS = [of_loss("attention-classifier", loss, gradient, draw, MISTAKES)]
