"""Layers that normalise: over features, over the batch, and to the unit sphere."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.answers import one_element_off, sign_of_one_element
from models.model import Edit, Mistake, Model
from models.numerics import size, softmax_delta

EPS = 1e-5


def layer_norm_loss(params: Any, x: Any, y: Any) -> Any:
    """Layer norm: mean of (γ (z - mean z) / √(var z + ε) + β - y)², z = x w, over features."""
    z = x @ params["w"]
    centred = z - jnp.mean(z, axis=1, keepdims=True)
    n = centred * jax.lax.rsqrt(jnp.mean(jnp.square(centred), axis=1, keepdims=True) + EPS)
    return jnp.mean(jnp.square(n * params["gamma"][None, :] + params["beta"][None, :] - y))


def batch_norm_loss(params: Any, x: Any, y: Any) -> Any:
    """Batch norm: mean of (γ (z - mean z) / √(var z + ε) + β - y)², z = x w, over the batch."""
    z = x @ params["w"]
    n = (z - jnp.mean(z, axis=0)[None, :]) / jnp.sqrt(jnp.var(z, axis=0)[None, :] + EPS)
    return jnp.mean(jnp.square(n * params["gamma"][None, :] + params["beta"][None, :] - y))


def rms_norm_loss(params: Any, x: Any, y: Any) -> Any:
    """RMS norm: mean of (γ z / √(mean z² + ε) + β - y)², z = x w, over features."""
    z = x @ params["w"]
    n = z / jnp.sqrt(jnp.mean(jnp.square(z), axis=1, keepdims=True) + EPS)
    return jnp.mean(jnp.square(n * params["gamma"][None, :] + params["beta"][None, :] - y))


def norm_gradient(axis: int, centre: bool, params: Any, x: Any, y: Any) -> Any:
    # z = x @ w
    z = x @ params["w"]
    # c = z - mean(z), s = √(mean(c²) + ε)
    c = z - z.mean(axis=axis, keepdims=True) if centre else z
    k = z.shape[axis]
    s = np.sqrt((c * c).sum(axis=axis, keepdims=True) / k + EPS)
    # n = c / s
    n = c / s
    # L = mean((γ n + β - y)²)
    dout = 2 * (params["gamma"][None, :] * n + params["beta"][None, :] - y) / y.size
    dn = dout * params["gamma"][None, :]
    # n = c / s, s = √(mean(c²) + ε)
    dc = dn - n * (dn * n).mean(axis=axis, keepdims=True)
    # c = z - mean(z)
    dz = (dc - dc.mean(axis=axis, keepdims=True) if centre else dc) / s
    # z = x @ w
    return {"w": x.T @ dz, "gamma": (dout * n).sum(axis=0), "beta": dout.sum(axis=0)}


def draw_norm(rng: np.random.Generator, n: int, n_in: int, n_out: int) -> Any:
    params = {
        "w": size(rng, small=0.01) * rng.normal(size=(n_in, n_out)),
        "gamma": rng.normal(size=n_out),
        "beta": rng.normal(size=n_out),
    }
    return params, rng.normal(size=(n, n_in)) + 0.3, rng.normal(size=(n, n_out))


VARIANCE = (" - n * (dn * n).mean(axis=axis, keepdims=True)", "")
MEAN = ("(dc - dc.mean(axis=axis, keepdims=True) if centre else dc)", "dc")


def started(line: str) -> Edit:
    """Return the edit that inserts a first line."""
    return "# z = x @ w\n    z =", f"{line}\nz ="


#: Mistakes that fit every normalising layer.
USUAL: dict[str, Mistake] = {
    "statistics-constant": [VARIANCE, MEAN],
    "variance-term-dropped": VARIANCE,
    "gamma-forgotten": ('dout * params["gamma"][None, :]', "dout"),
    "exchanged": (
        '"gamma": (dout * n).sum(axis=0), "beta": dout.sum(axis=0)',
        '"beta": (dout * n).sum(axis=0), "gamma": dout.sum(axis=0)',
    ),
    "sign-of-one-element": partial(sign_of_one_element, rank=0.6),
    "wrong-axis": started("axis = 1 - axis"),
}


def contrastive_loss(params: Any, x: Any, y: Any) -> Any:
    """Contrastive loss: softmax cross-entropy of the cosines of x u and y v, over temperature."""
    u, v, log_t = params
    a, b = x @ u, y @ v
    a = a / jnp.linalg.norm(a, axis=1, keepdims=True)
    b = b / jnp.linalg.norm(b, axis=1, keepdims=True)
    logs = jax.nn.log_softmax(a @ b.T / jnp.exp(log_t), axis=1)
    return -jnp.mean(jnp.diagonal(logs))


def unit_backward(unit: Any, length: Any, dunit: Any) -> Any:
    """unit = z / |z|."""
    return (dunit - unit * (unit * dunit).sum(axis=1, keepdims=True)) / length


def contrastive_gradient(params: Any, x: Any, y: Any) -> Any:
    u, v, log_t = params
    p, q = x @ u, y @ v
    p_length = np.sqrt((p * p).sum(axis=1, keepdims=True))
    q_length = np.sqrt((q * q).sum(axis=1, keepdims=True))
    # a = p / |p|, b = q / |q|, z = a @ b.T / e^log_t
    a, b, t = p / p_length, q / q_length, np.exp(log_t)
    z = a @ b.T / t
    # L = mean(-log softmax(z)[i, i])
    dz = softmax_delta(z, np.arange(len(x))) / len(x)
    # a = p / |p|, b = q / |q|
    dp = unit_backward(a, p_length, dz @ b / t)
    dq = unit_backward(b, q_length, dz.T @ a / t)
    # Each row of dz sums to 0, so that z may be taken relative to its diagonal.
    dlog_t = -(dz * (z - np.diagonal(z)[:, None])).sum()
    return x.T @ dp, y.T @ dq, np.asarray(dlog_t)


def draw_contrastive(rng: np.random.Generator) -> Any:
    params = (rng.normal(size=(2, 3)), rng.normal(size=(5, 3)), rng.uniform(-1.5, 0.5))
    return params, size(rng) * rng.normal(size=(4, 2)), rng.normal(size=(4, 5))


CONTRASTIVE = Model(
    *("contrastive", contrastive_loss, contrastive_gradient, draw_contrastive),
    {
        "length-constant": ("(dunit - unit * (unit * dunit).sum(axis=1, keepdims=True))", "dunit"),
        "length-forgotten": (" / length", ""),
        "temperature-sign": ("dlog_t = -(", "dlog_t = ("),
        "softmax-wrong-axis": (
            "softmax_delta(z, np.arange(len(x)))",
            "softmax_delta(z.T, np.arange(len(x))).T",
        ),
        "dropped-term": ("y.T @ dq", "0 * y.T @ dq"),
    },
)

MODELS = [
    Model(
        *("layer-norm", layer_norm_loss, partial(norm_gradient, 1, True)),
        partial(draw_norm, n=3, n_in=2, n_out=5),
        {
            **USUAL,
            "mean-term-dropped": MEAN,
            "not-centred": started("centre = False"),
            "one-element-off": one_element_off,
        },
    ),
    Model(
        *("batch-norm", batch_norm_loss, partial(norm_gradient, 0, True)),
        partial(draw_norm, n=7, n_in=5, n_out=3),
        {**USUAL, "mean-term-dropped": MEAN, "unbiased-variance": (" / k +", " / (k - 1) +")},
    ),
    Model(
        *("rms-norm", rms_norm_loss, partial(norm_gradient, 1, False)),
        partial(draw_norm, n=3, n_in=2, n_out=5),
        {**USUAL, "centred": started("centre = True")},
    ),
    CONTRASTIVE,
]
