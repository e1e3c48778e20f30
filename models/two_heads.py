"""A tanh network with two heads, a regression and classes, weighted by learned uncertainties.

The weighting is that of Kendall, Gal and Cipolla (2018): each loss times exp(-s), plus s.
"""

from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from manual.losses import mse_backward, mse_forward, softmax_ce_backward, softmax_ce_forward
from models.helpers import affine_backward, everywhere, in_one, tanh_output_backward, usual
from models.model import of_loss

DECAY = 0.02
RATE = 0.1


#: 3 inputs, twice 5 hidden units, 2 fitted outputs, 3 classes, 2 log-variances.
Params = namedtuple("Params", "w1 b1 w2 b2 wr br wc bc s")


def loss(p: Params, x: Any, y: Any, t: Any) -> Any:
    """Squared error and cross-entropy, x (n, 3), y (n, 2), t (n, 3) one-hot, and decay λ w²."""
    h = jnp.tanh(jnp.tanh(x @ p.w1 + p.b1[None, :]) @ p.w2 + p.b2[None, :])
    fit = jnp.mean(jnp.sum(jnp.square(h @ p.wr + p.br[None, :] - y), axis=1))
    logs = jax.nn.log_softmax(h @ p.wc + p.bc[None, :])
    entropy = -jnp.mean(jnp.sum(t * logs, axis=1))
    decay = sum(jnp.sum(jnp.square(w)) for w in (p.w1, p.w2, p.wr, p.wc))
    return jnp.sum(jnp.exp(-p.s) * jnp.stack([fit, entropy]) + p.s) + DECAY * decay


def gradient(p: Params, x: Any, y: Any, t: Any) -> Params:
    """By hand, backwards."""
    h1 = np.tanh(x @ p.w1 + p.b1)
    h2 = np.tanh(h1 @ p.w2 + p.b2)
    fit, r = mse_forward(h2 @ p.wr + p.br, y)
    ce, logits = softmax_ce_forward(h2 @ p.wc + p.bc, t)
    k = np.exp(-p.s)
    # loss = k[0] * fit + k[1] * ce + sum(s)
    ds = 1 - k * np.array([fit, ce])
    dr, dc = mse_backward(k[0], r), softmax_ce_backward(k[1], logits)
    # r = h2 @ wr + br - y, and so on the penalty of each w
    dwr, dbr, dh_of_r = affine_backward(dr, h2, p.wr, DECAY)
    # logits = h2 @ wc + bc
    dwc, dbc, dh_of_c = affine_backward(dc, h2, p.wc, DECAY)
    dh2 = dh_of_r + dh_of_c
    # h2 = tanh(h1 @ w2 + b2)
    dz2 = tanh_output_backward(dh2, h2)
    dw2, db2, dh1 = affine_backward(dz2, h1, p.w2, DECAY)
    # h1 = tanh(x @ w1 + b1)
    dz1 = tanh_output_backward(dh1, h1)
    dw1, db1, _ = affine_backward(dz1, x, p.w1, DECAY)
    return Params(dw1, db1, dw2, db2, dwr, dbr, dwc, dbc, ds)


def draw(rng: np.random.Generator) -> Any:
    """Draw a batch of five, as many as hidden units."""
    w1, wr = rng.normal(size=(3, 5)) * 0.6, rng.normal(size=(5, 2)) * 0.5
    w2, wc = rng.normal(size=(5, 5)) * 0.5, rng.normal(size=(5, 3)) * 0.7
    b1, b2, br, bc = (rng.normal(size=n) * 0.3 for n in (5, 5, 2, 3))
    t = np.eye(3)[rng.integers(0, 3, size=5)]
    params = Params(w1, b1, w2, b2, wr, br, wc, bc, rng.normal(size=2) * 0.4)
    return params, rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), t


RESULT = "return Params(dw1, db1, dw2, db2, dwr, dbr, dwc, dbc, ds)"

MISTAKES = {
    **usual(gradient),
    "missing-mean/2": in_one("softmax_ce_backward", "missing-mean"),
    "double-mean": {"affine_backward_parameters": ("x.T @ dz", "x.T @ dz / len(dz)")},
    "double-mean/2": in_one("mse_backward", "double-mean"),
    "mean-over-outputs": in_one("mse_backward", "mean-over-outputs"),
    "mean-over-outputs/2": in_one("softmax_ce_backward", "mean-over-outputs"),
    "residual-sign": in_one("mse_backward", "residual-sign"),
    "residual-sign/2": in_one("softmax_ce_backward", "residual-sign"),
    "bias-mean": "db2 = dz2.mean(axis=0)",
    "bias-mean/2": everywhere("bias-mean"),
    "bias-unsummed": "dbr = dr",
    "bias-unsummed/2": "db1 = dz1",
    "bias-wrong-axis": "db2 = dz2.sum(axis=1)",
    "bias-wrong-axis/2": "dbr = dr.sum(axis=-1)",
    "dw-transposed": "dw2 = dz2.T @ h1 + 2 * DECAY * p.w2",
    "dx-untransposed": "dh1 = dz2 @ p.w2",
    "dw-after-activation": "dw2 = h2.T @ dz2 + 2 * DECAY * p.w2",
    "tanh-linear": "dz2 = dh2 * (1 - h2)",
    "tanh-linear/2": "dz1 = dh1 * (1 - h1)",
    "tanh-of-h": "dz1 = dh1 * (1 - np.tanh(h1) ** 2)",
    "tanh-of-h/2": everywhere("tanh-of-h"),
    "no-activation-derivative": "dz1 = dh1",
    "no-activation-derivative/2": "dz2 = dh2",
    "accumulates": [
        ("def gradient(", "TOTAL = 9 * [0]\ndef gradient("),
        (
            RESULT,
            f"{RESULT.replace('return', 'TOTAL[:] = map(np.add, TOTAL,')})\nreturn Params(*TOTAL)",
        ),
    ],
    "update-before-use": "dh1 = dz2 @ (p.w2 - RATE * (h1.T @ dz2)).T",
    "update-before-use/2": [
        ("h2, p.wr", "h2, p.wr - RATE * (h2.T @ dr)"),
        ("h2, p.wc", "h2, p.wc - RATE * (h2.T @ dc)"),
    ],
    "decay-factor": ("p.w2, DECAY", "p.w2, DECAY / 2"),
    "decay-factor/2": "db1, db2 = db1 + 2 * DECAY * p.b1, db2 + 2 * DECAY * p.b2",
    "dropped-term": "dh2 = dh_of_r",
    "dropped-term/2": ("ds = 1 - k", "ds = -k"),
    "exchanged": (RESULT, RESULT.replace("db1, dw2, db2", "db2, dw2, db1")),
    "exchanged/2": ("k * np.array([fit, ce])", "(k * np.array([fit, ce]))[::-1]"),
}

MODELS = [of_loss("two-heads", loss, gradient, draw, MISTAKES)]
