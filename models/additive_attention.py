"""Additive attention over the words of a text, a relu layer, and three classes.

Scored as Bahdanau, Cho and Bengio (2015) do: e = tanh(x w + b), s = e v, a = softmax(s).
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.helpers import softmax, softmax_backward
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


def attend_backward(attend: Any, x: Any, e: Any, a: Any, dcontext: Any) -> Any:
    """Return the derivatives by the attention's parameters from that by the context (n, 4)."""
    # context = einsum("bt,btd->bd", a, x)
    da = np.einsum("bd,btd->bt", dcontext, x)
    # a = softmax(s)
    ds = softmax_backward(da, a)
    # s = e @ v
    dv = np.einsum("bt,btd->d", ds, e)
    de = ds[:, :, None] * attend["v"]
    # e = tanh(z), z = x @ w + b
    dz = de * (1 - e**2)
    dw = np.einsum("bti,btj->ij", x, dz)
    db = dz.sum(axis=(0, 1))
    return {"w": dw, "b": db, "v": dv}


def gradient(params: Any, x: Any, labels: Any) -> Any:
    """By hand, backwards."""
    attend, dense, out = params["attend"], params["dense"], params["out"]
    e = np.tanh(x @ attend["w"] + attend["b"])
    a = softmax(e @ attend["v"], axis=1)
    context = np.einsum("bt,btd->bd", a, x)
    hidden = context @ dense["w"] + dense["b"]
    k = np.maximum(hidden, 0)
    p = softmax(k @ out["w"] + out["b"])
    # loss = -mean(log(p[labels]))
    do = p.copy()
    do[np.arange(len(x)), labels] -= 1
    do = do / len(x)
    # o = k @ w + b
    dout = {"w": k.T @ do, "b": do.sum(axis=0)}
    dk = do @ out["w"].T
    # k = relu(hidden)
    dhidden = dk * (hidden > 0)
    # hidden = context @ w + b
    ddense = {"w": context.T @ dhidden, "b": dhidden.sum(axis=0)}
    dcontext = dhidden @ dense["w"].T
    dattend = attend_backward(attend, x, e, a, dcontext)
    # loss += DECAY * sum(w**2)
    dattend["w"] = dattend["w"] + 2 * DECAY * attend["w"]
    ddense["w"] = ddense["w"] + 2 * DECAY * dense["w"]
    dout["w"] = dout["w"] + 2 * DECAY * out["w"]
    return {"attend": dattend, "dense": ddense, "out": dout}


def draw(rng: np.random.Generator) -> Any:
    """Draw five texts; one is all padding, so that the third relu, whose bias is 0, is at 0."""
    attend = {"w": rng.normal(size=(4, 4)), "b": rng.normal(size=4), "v": rng.normal(size=4)}
    dense = {"w": rng.normal(size=(4, 4)) * 0.8, "b": rng.normal(size=4) * 0.5}
    out = {"w": rng.normal(size=(4, 3)), "b": rng.normal(size=3) * 0.3}
    dense["b"][2] = 0
    x = rng.normal(size=(5, 4, 4))
    x[rng.integers(0, 5)] = 0
    return {"attend": attend, "dense": dense, "out": out}, x, rng.integers(0, 3, size=5)


MEAN, LABEL = "do = do / len(x)\n", "    do[np.arange(len(x)), labels] -= 1\n"
ATTEND_W, ATTEND_B = 'np.einsum("bti,btj->ij", x, dz)', "db = dz.sum(axis=(0, 1))"
DENSE_W, DENSE_B, OUT_B = "context.T @ dhidden", "dhidden.sum(axis=0)", "do.sum(axis=0)"
DCONTEXT = 'dcontext = dhidden @ dense["w"].T'


RESULT = 'return {"attend": dattend, "dense": ddense, "out": dout}'
ADDED = """\
grads = {"attend": dattend, "dense": ddense, "out": dout}
for layer, part in grads.items():
    for name, d in part.items():
        if layer + name in SUMS:
            SUMS[layer + name] += d
        else:
            SUMS[layer + name] = d
        part[name] = SUMS[layer + name]
return grads"""

MISTAKES = {
    "missing-mean": (MEAN, "\n"),
    "double-mean": [
        (line, line + " / len(x)")
        for line in (DENSE_W, DENSE_B, "k.T @ do", OUT_B, ATTEND_W, ATTEND_B)
    ],
    "double-mean/2": (ATTEND_W, ATTEND_W + " / len(x)"),
    "mean-over-outputs": (MEAN, "do = do / do.size\n"),
    "residual-sign": (MEAN, "do = (np.eye(p.shape[1])[labels] - p) / len(x)\n"),
    "bias-mean": (DENSE_B, "dhidden.mean(axis=0)"),
    "bias-mean/2": "db = dz.mean(axis=(0, 1))",
    "bias-unsummed": (DENSE_B, "dhidden"),
    "bias-unsummed/2": "db = dz.sum(axis=1)",
    "bias-wrong-axis": "db = dz.sum(axis=(0, 2))",
    "bias-wrong-axis/2": (DENSE_B, "dhidden.sum(axis=1)"),
    "dw-transposed": (DENSE_W, "dhidden.T @ context"),
    "dw-transposed/2": 'dw = np.einsum("bti,btj->ji", x, dz)',
    "dx-untransposed": 'dcontext = dhidden @ dense["w"]',
    "dw-after-activation": (DENSE_W, "k.T @ dhidden"),
    "dw-after-activation/2": 'dw = np.einsum("bti,btj->ij", e, dz)',
    "tanh-linear": "dz = de * (1 - e)",
    "tanh-of-h": "dz = de * (1 - np.tanh(e) ** 2)",
    "no-activation-derivative": "dhidden = dk",
    "softmax-diagonal": "ds = a * (1 - a) * da",
    "softmax-shortcut": (MEAN, "do = softmax_backward(do / len(x), p)\n"),
    "ce-minus-missing": (LABEL, ""),
    "softmax-wrong-axis": 'a = softmax(e @ attend["v"], axis=0)',
    "softmax-wrong-axis/2": ('out["b"])\n', 'out["b"], axis=0)\n'),
    "relu-mask": "dhidden = dk * (dk > 0)",
    "relu-mask/2": "dhidden = dk * (context > 0)",
    "relu-at-zero": "dhidden = dk * (hidden >= 0)",
    "relu-at-zero/2": "dhidden = np.where(hidden < 0, 0, dk)",
    "accumulates": [("def gradient(", "SUMS = {}\ndef gradient("), (RESULT, ADDED)],
    "update-before-use": ('new = dense["w"] - RATE * ddense["w"]\ndcontext = dhidden @ new.T'),
    "update-before-use/2": [
        ('out = {name: out[name] - RATE * dout[name] for name in out}\ndk = do @ out["w"].T'),
        (
            DCONTEXT,
            "dense = {name: dense[name] - RATE * ddense[name] for name in dense}\n" + DCONTEXT,
        ),
    ],
    "decay-factor": ("+ 2 * DECAY * attend", "+ DECAY * attend"),
    "decay-factor/2": [
        ("+ 2 * DECAY * attend", "+ DECAY * attend"),
        ("+ 2 * DECAY * dense", "+ DECAY * dense"),
        ("+ 2 * DECAY * out", "+ DECAY * out"),
    ],
    "decay-factor/3": (RESULT, 'ddense["b"] = ddense["b"] + 2 * DECAY * dense["b"]\n' + RESULT),
    "dropped-term": 'dw = np.einsum("bti,btj->ij", x[:, 1:], dz[:, 1:])',
    "dropped-term/2": (RESULT, 'dout["b"][-1] = 0\n' + RESULT),
    "exchanged": ('{"w": dw, "b": db, "v": dv}', '{"w": dw, "b": dv, "v": db}'),
    "exchanged/2": (RESULT, 'dattend["w"], ddense["w"] = ddense["w"], dattend["w"]\n' + RESULT),
}

MODELS = [of_loss("attention-classifier", loss, gradient, draw, MISTAKES)]
