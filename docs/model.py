"""A small network, its gradient with a mistake in it, and a point: docs/tutorial.md's model."""

import jax.numpy as jnp
import numpy as np


def loss(params, x, y):
    """The mean squared error of a layer of tanh units and a linear one."""
    h = jnp.tanh(x @ params["w"] + params["b"])
    return jnp.mean((h @ params["v"] - y) ** 2)


def gradient(params, x, y):
    """Backpropagation by hand."""
    h = np.tanh(x @ params["w"] + params["b"])
    dypred = 2 * (h @ params["v"] - y) / len(y)
    dv = h.T @ dypred
    dh = np.outer(dypred, params["v"])
    dz = dh * (1 - h)
    return {"w": x.T @ dz, "b": dz.sum(axis=0), "v": dv}


def example():
    """A point: the parameters, then what else both functions take."""
    rng = np.random.default_rng(0)
    params = {
        "w": rng.standard_normal((2, 3)),
        "b": rng.standard_normal(3),
        "v": rng.standard_normal(3),
    }
    return params, rng.standard_normal((5, 2)), rng.standard_normal(5)
