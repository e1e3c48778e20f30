"""Layers that normalise: over features, over the batch, and to the unit sphere."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from models.numerics import rounded, size, softmax_delta
from tests.handgrad.zoo import mistakes as m
from tests.handgrad.zoo.model import Gradient, Model

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


def norm_gradient(
    axis: int,
    centre: bool = True,
    *,
    mean_term: bool = True,
    variance_term: bool = True,
    unbiased: bool = False,
    gamma: bool = True,
) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
        # z = x @ w
        z = x @ params["w"]
        # c = z - mean(z), s = √(mean(c²) + ε)
        c = z - z.mean(axis=axis, keepdims=True) if centre else z
        k = z.shape[axis]
        spread = (c * c).sum(axis=axis, keepdims=True) / (k - 1 if unbiased else k)
        s = np.sqrt(spread + EPS)
        # n = c / s
        n = c / s
        # L = mean((γ n + β - y)²)
        dout = 2 * (params["gamma"][None, :] * n + params["beta"][None, :] - y) / y.size
        dn = dout * (params["gamma"][None, :] if gamma else 1)
        # n = c / s, s = √(mean(c²) + ε)
        dc = dn - (n * (dn * n).mean(axis=axis, keepdims=True) if variance_term else 0)
        # c = z - mean(z)
        dz = (dc - (dc.mean(axis=axis, keepdims=True) if centre and mean_term else 0)) / s
        # z = x @ w
        return {"w": x.T @ dz, "gamma": (dout * n).sum(axis=0), "beta": dout.sum(axis=0)}

    return gradient


def draw_norm(n: int, n_in: int, n_out: int) -> Any:
    def draw(rng: np.random.Generator) -> Any:
        params = {
            "w": size(rng, small=0.01) * rng.normal(size=(n_in, n_out)),
            "gamma": rng.normal(size=n_out),
            "beta": rng.normal(size=n_out),
        }
        return params, rng.normal(size=(n, n_in)) + 0.3, rng.normal(size=(n, n_out))

    return draw


def norm_model(name: str, loss: Any, axis: int, centre: bool, draw: Any, **own: Any) -> Model:
    """The mistakes every normalising layer can have, and its own."""
    right = norm_gradient(axis, centre)
    return Model(
        name=name,
        loss=loss,
        gradient=right,
        draw=rounded(draw),
        mistakes={
            "statistics-constant": norm_gradient(
                axis, centre, mean_term=False, variance_term=False
            ),
            "variance-term-dropped": norm_gradient(axis, centre, variance_term=False),
            "gamma-forgotten": norm_gradient(axis, centre, gamma=False),
            "exchanged": m.exchanged(right, 0, 1),
            "sign-of-one-element": m.sign_of_one_element(right, rank=0.6),
        }
        | {slug.replace("_", "-"): wrong for slug, wrong in own.items()},
    )


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


def contrastive_gradient(
    back: Any = unit_backward, temperature: float = -1.0, rows: bool = True
) -> Gradient:
    def gradient(params: Any, x: Any, y: Any) -> Any:
        u, v, log_t = params
        p, q = x @ u, y @ v
        p_length = np.sqrt((p * p).sum(axis=1, keepdims=True))
        q_length = np.sqrt((q * q).sum(axis=1, keepdims=True))
        # a = p / |p|, b = q / |q|, z = a @ b.T / e^log_t
        a, b, t = p / p_length, q / q_length, np.exp(log_t)
        z = a @ b.T / t
        # L = mean(-log softmax(z)[i, i])
        labels = np.arange(len(x))
        dz = (softmax_delta(z, labels) if rows else softmax_delta(z.T, labels).T) / len(x)
        # a = p / |p|, b = q / |q|
        dp, dq = back(a, p_length, dz @ b / t), back(b, q_length, dz.T @ a / t)
        # Each row of dz sums to 0, so that z may be taken relative to its diagonal.
        dlog_t = temperature * (dz * (z - np.diagonal(z)[:, None])).sum()
        return x.T @ dp, y.T @ dq, np.asarray(dlog_t)

    return gradient


def draw_contrastive(rng: np.random.Generator) -> Any:
    params = (rng.normal(size=(2, 3)), rng.normal(size=(5, 3)), rng.uniform(-1.5, 0.5))
    return params, size(rng) * rng.normal(size=(4, 2)), rng.normal(size=(4, 5))


CONTRASTIVE = Model(
    name="contrastive",
    loss=contrastive_loss,
    gradient=contrastive_gradient(),
    draw=rounded(draw_contrastive),
    mistakes={
        "length-constant": contrastive_gradient(lambda unit, length, dunit: dunit / length),
        "length-forgotten": contrastive_gradient(
            lambda unit, length, dunit: unit_backward(unit, 1, dunit)
        ),
        "temperature-sign": contrastive_gradient(temperature=1.0),
        "softmax-wrong-axis": contrastive_gradient(rows=False),
        "dropped-term": m.zeroed_leaf(contrastive_gradient(), 1),
    },
)

MODELS = [
    norm_model(
        *("layer-norm", layer_norm_loss, 1, True, draw_norm(3, 2, 5)),
        mean_term_dropped=norm_gradient(1, mean_term=False),
        not_centred=norm_gradient(1, centre=False),
        wrong_axis=norm_gradient(0),
        one_element_off=m.one_element_off(norm_gradient(1)),
    ),
    norm_model(
        *("batch-norm", batch_norm_loss, 0, True, draw_norm(7, 5, 3)),
        mean_term_dropped=norm_gradient(0, mean_term=False),
        unbiased_variance=norm_gradient(0, unbiased=True),
        wrong_axis=norm_gradient(1),
    ),
    norm_model(
        *("rms-norm", rms_norm_loss, 1, False, draw_norm(3, 2, 5)),
        centred=norm_gradient(1, centre=True),
        wrong_axis=norm_gradient(0, centre=False),
    ),
    CONTRASTIVE,
]
