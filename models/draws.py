"""Draws of ordinary points: weights of order one, nonzero biases, no saturation."""

from itertools import pairwise
from typing import Any

import numpy as np


def affine(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Any, Any]:
    """Draw a layer's weights, of shape (n_in, n_out), and biases."""
    return rng.normal(scale=1.2 / np.sqrt(n_in), size=(n_in, n_out)), biases(rng, n_out)


def biases(rng: np.random.Generator, n: int) -> Any:
    """Draw n numbers between 0.1 and 0.6 in absolute value."""
    return rng.uniform(0.1, 0.6, size=n) * rng.choice([-1.0, 1.0], size=n)


def layers(rng: np.random.Generator, *sizes: int) -> list[tuple[Any, Any]]:
    """Draw the layers of a network, each with its weights and biases."""
    return [affine(rng, *pair) for pair in pairwise(sizes)]


def one_hot(rng: np.random.Generator, n: int, classes: int) -> Any:
    """Draw n one-hot rows, of at least two classes."""
    return np.eye(classes)[labels(rng, n, classes)]


def labels(rng: np.random.Generator, n: int, classes: int) -> Any:
    """Draw n class numbers, at least two of them different."""
    found = rng.integers(classes, size=n)
    found[1] = (found[0] + 1) % classes
    return found


def zero_or_one(rng: np.random.Generator, *shape: int) -> Any:
    """Draw targets 0 and 1; both occur, since the second row is the opposite of the first."""
    found = rng.integers(2, size=shape).astype(np.float64)
    found[1] = 1 - found[0]
    return found
