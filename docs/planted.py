"""The article's network once more, with a mistake in its gradient. Which one? See teaching.md."""

import jax
import numpy as np


def loss(p, x, y):
    """(y - ypred)², which JAX can trace."""
    h1 = jax.nn.sigmoid(p["w1"] * x[0] + p["w2"] * x[1] + p["b1"])
    h2 = jax.nn.sigmoid(p["w3"] * x[0] + p["w4"] * x[1] + p["b2"])
    return (y - jax.nn.sigmoid(p["w5"] * h1 + p["w6"] * h2 + p["b3"])) ** 2


def sigmoid(z):
    """σ(z)."""
    return 1 / (1 + np.exp(-z))


def gradient(p, x, y):
    """Nine partial derivatives. Are they right?"""
    h1 = sigmoid(p["w1"] * x[0] + p["w2"] * x[1] + p["b1"])
    h2 = sigmoid(p["w3"] * x[0] + p["w4"] * x[1] + p["b2"])
    ypred = sigmoid(p["w5"] * h1 + p["w6"] * h2 + p["b3"])
    dz3 = -2 * (y - ypred) * ypred * (1 - ypred)
    dz1 = dz3 * p["w5"] * h1 * (1 - h1)
    dz2 = dz3 * p["w5"] * h2 * (1 - h2)
    first = {"w1": dz1 * x[0], "w2": dz1 * x[1], "b1": dz1}
    second = {"w3": dz2 * x[0], "w4": dz2 * x[1], "b2": dz2}
    return first | second | {"w5": dz3 * h1, "w6": dz3 * h2, "b3": dz3}


names = ("w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3")
start = dict(zip(names, np.array([0.5, -0.3, 0.8, 0.1, 1.2, -0.7, 0.2, -0.4, 0.3]), strict=True))

#: (params, *inputs): weight and height less 135 lb and 66 in, and 1 for female.
alice = (start, np.array([-2.0, -1.0]), 1.0)
