"""One sigmoid neuron with a squared error, its gradient by hand, and an input that saturates it."""

import jax
import numpy as np


def loss(w, x, y):
    """(y - σ(w·x))², which JAX can trace."""
    return (y - jax.nn.sigmoid(w @ x)) ** 2


def gradient(w, x, y):
    """∂L/∂w = -2 (y - s)·s(1 - s)·x with s = σ(w·x): the textbook's formula."""
    s = 1 / (1 + np.exp(-(w @ x)))
    return -2 * (y - s) * s * (1 - s) * x


def careful(w, x, y):
    """The same with σ(z)σ(-z) for s(1 - s), which loses no digits."""
    s, t = 1 / (1 + np.exp(-(w @ x))), 1 / (1 + np.exp(w @ x))
    return -2 * (y - s) * s * t * x


def hasty(w, x, y):
    """The same without σ′."""
    s = 1 / (1 + np.exp(-(w @ x)))
    return -2 * (y - s) * x


#: (params, *inputs): here w·x = 31.
bob = (np.ones(2), np.array([25.0, 6.0]), 0.0)
