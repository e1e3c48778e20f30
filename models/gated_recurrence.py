"""A gated recurrent unit over time, with a cross-entropy at every step and weight decay."""

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.activations import sigmoid
from models.helpers import accumulates
from models.model import of_loss

DECAY = 0.01
RATE = 0.2
MATRICES = ("wz", "uz", "wr", "ur", "wh", "uh")


#: The cache of one step, each (batch, hidden).
Step = namedtuple("Step", "h0 z r g h")


def loss(p: Any, x: Any, y: Any) -> Any:
    """Sum over time, mean over the batch: x (time, batch, 3), y (time, batch) of zeros and ones."""

    def step(h: Any, x_t: Any) -> Any:
        z = jax.nn.sigmoid(x_t @ p["wz"] + h @ p["uz"] + p["bz"][None, :])
        r = jax.nn.sigmoid(x_t @ p["wr"] + h @ p["ur"] + p["br"][None, :])
        g = jnp.tanh(x_t @ p["wh"] + (r * h) @ p["uh"] + p["bh"][None, :])
        h = (1 - z) * h + z * g
        return h, h @ p["v"] + p["c"]

    _, o = jax.lax.scan(step, jnp.zeros_like(x, shape=(x.shape[1], len(p["v"]))), x)
    entropy = jnp.sum(jax.nn.softplus(o) - y * o) / x.shape[1]
    return entropy + DECAY / 2 * sum(jnp.sum(p[name] ** 2) for name in MATRICES)


def forward(p: Any, x: Any) -> Any:
    """The steps, and the logits (time, batch)."""
    h = np.zeros_like(x, shape=(x.shape[1], len(p["v"])))
    tape, logits = [], []
    for x_t in x:
        h0 = h
        z = sigmoid(x_t @ p["wz"] + h0 @ p["uz"] + p["bz"])
        r = sigmoid(x_t @ p["wr"] + h0 @ p["ur"] + p["br"])
        g = np.tanh(x_t @ p["wh"] + (r * h0) @ p["uh"] + p["bh"])
        h = (1 - z) * h0 + z * g
        tape.append(Step(h0, z, r, g, h))
        logits.append(h @ p["v"] + p["c"])
    return tape, np.stack(logits)


def backward(p: Any, x: Any, dh: Any, step: Step, grads: Any) -> Any:
    """Undo one step: add to the gradients, and return the derivative by the previous state."""
    h0, z, r, g = step[:4]
    # h = (1 - z) * h0 + z * g
    dz = dh * (g - h0)
    dg = dh * z
    dh0 = dh * (1 - z)
    # g = tanh(x @ wh + (r * h0) @ uh + bh)
    dag = dg * (1 - g**2)
    ds = dag @ p["uh"].T
    # s = r * h0
    dr = ds * h0
    dh0 = dh0 + ds * r
    # r = sigmoid(x @ wr + h0 @ ur + br)
    dar = dr * r * (1 - r)
    # z = sigmoid(x @ wz + h0 @ uz + bz)
    daz = dz * z * (1 - z)
    # each of the three by its own parameters
    for gate, da, s in (("h", dag, r * h0), ("r", dar, h0), ("z", daz, h0)):
        grads["w" + gate] += x.T @ da
        grads["u" + gate] += s.T @ da
        grads["b" + gate] += da.sum(axis=0)
    return dh0 + dar @ p["ur"].T + daz @ p["uz"].T


def gradient(p: Any, x: Any, y: Any) -> Any:
    """Back through time, by hand."""
    tape, o = forward(p, x)
    batch = x.shape[1]
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    # loss = sum(softplus(o) - y * o) / batch
    do = (sigmoid(o) - y) / batch
    dh = np.zeros_like(tape[0].h)
    for t in reversed(range(len(x))):
        # o = h @ v + c
        grads["v"] += tape[t].h.T @ do[t]
        grads["c"] += do[t].sum()
        dh = dh + np.outer(do[t], p["v"])
        dh = backward(p, x[t], dh, tape[t], grads)
    # loss += DECAY / 2 * sum(w**2)
    for name in MATRICES:
        grads[name] += DECAY * p[name]
    return grads


def draw(rng: np.random.Generator) -> Any:
    """Five steps of three features; the batch is as large as the state, four."""
    shapes = {"w": (3, 4), "u": (4, 4), "b": (4,)}
    p = {kind + gate: rng.normal(size=n) * 0.6 for gate in "zrh" for kind, n in shapes.items()}
    p |= {"v": rng.normal(size=4), "c": np.asarray(rng.normal())}
    return p, rng.normal(size=(5, 4, 3)), rng.integers(0, 2, size=(5, 4)) * 1.0


MISTAKES = {
    "missing-mean": "do = sigmoid(o) - y",
    "double-mean": "grads[name] = grads[name] / batch + DECAY * p[name]",
    "mean-over-outputs": "do = (sigmoid(o) - y) / y.size",
    "residual-sign": "do = (y - sigmoid(o)) / batch",
    "bias-mean": 'grads["b" + gate] += da.mean(axis=0)',
    "bias-mean/2": 'grads["c"] += do[t].mean()',
    "bias-unsummed": (
        'grads["b" + gate] += da.sum(axis=0)',
        'grads["b" + gate] = grads["b" + gate] + (da if gate == "z" else da.sum(axis=0))',
    ),
    "bias-wrong-axis": 'grads["b" + gate] += da.sum(axis=int(gate == "h"))',
    "dw-transposed": 'grads["u" + gate] += da.T @ s if gate == "r" else s.T @ da',
    "dx-untransposed": 'ds = dag @ p["uh"]',
    "dx-untransposed/2": ('dar @ p["ur"].T', 'dar @ p["ur"]'),
    "dw-after-activation": 'grads["u" + gate] += (s if gate == "h" else step.h).T @ da',
    "dw-after-activation/2": 'grads["u" + gate] += (g if gate == "h" else s).T @ da',
    "tanh-linear": "dag = dg * (1 - g)",
    "tanh-of-h": "dag = dg * (1 - np.tanh(g) ** 2)",
    "sigmoid-of-z": "daz = dz * sigmoid(z) * (1 - sigmoid(z))",
    "sigmoid-of-z/2": ('ar = x @ p["wr"] + h0 @ p["ur"] + p["br"]\ndar = dr * ar * (1 - ar)'),
    "no-activation-derivative": "daz = dz",
    "no-activation-derivative/2": "dag = dg",
    "bce-extra-derivative": "do = (sigmoid(o) - y) * sigmoid(o) * (1 - sigmoid(o)) / batch",
    "ce-minus-missing": "do = sigmoid(o) / batch",
    "accumulates": accumulates,
    "update-before-use": (
        'uh = p["uh"] - RATE * (grads["uh"] + (r * h0).T @ dag)\nds = dag @ uh.T'
    ),
    "update-before-use/2": [
        (
            "dh = np.zeros_like(tape[0].h)",
            "dh = np.zeros_like(tape[0].h)\n"
            "dv = sum(step.h.T @ d for step, d in zip(tape, do, strict=True))\n"
            'v = p["v"] - RATE * dv',
        ),
        ('np.outer(do[t], p["v"])', "np.outer(do[t], v)"),
    ],
    "decay-factor": "grads[name] += 2 * DECAY * p[name]",
    "decay-factor/2": "grads[name] += DECAY / batch * p[name]",
    "decay-factor/3": ("for name in MATRICES:", "for name in p:"),
    "dropped-term": ("dh0 = dh * (1 - z)", "dh0 = 0 * dh"),
    "dropped-term/2": ("    dh0 = dh0 + ds * r\n", ""),
    "dropped-term/3": 'grads["u" + gate] += h0.T @ da',
    "dropped-term/4": (
        'grads["b" + gate] += da.sum(axis=0)',
        'grads["b" + gate] = (gate != "z") * grads["b" + gate] + da.sum(axis=0)',
    ),
    "exchanged": ('grads["u" + gate] +=', 'grads["u" + {"r": "z", "z": "r"}.get(gate, gate)] +='),
    "exchanged/2": (
        "return grads",
        'grads["bz"], grads["bh"] = grads["bh"], grads["bz"]\nreturn grads',
    ),
}

MODELS = [of_loss("gated-recurrence", loss, gradient, draw, MISTAKES)]
