"""Ordinary points: weights of order one, biases that are not zero, sums that saturate nothing."""

from itertools import pairwise
from typing import Any

import numpy as np


def affine(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[Any, Any]:
    """A layer's weights, of shape (n_in, n_out), and biases."""
    return rng.normal(scale=1.2 / np.sqrt(n_in), size=(n_in, n_out)), biases(rng, n_out)


def biases(rng: np.random.Generator, n: int) -> Any:
    """n numbers between 0.1 and 0.6 in size."""
    return rng.uniform(0.1, 0.6, size=n) * rng.choice([-1.0, 1.0], size=n)


def layers(rng: np.random.Generator, *sizes: int) -> list[tuple[Any, Any]]:
    """The layers of a network, each with its weights and biases."""
    return [affine(rng, *pair) for pair in pairwise(sizes)]


def one_hot(rng: np.random.Generator, n: int, classes: int) -> Any:
    """n rows with a single 1 each, of at least two classes."""
    return np.eye(classes)[labels(rng, n, classes)]


def labels(rng: np.random.Generator, n: int, classes: int) -> Any:
    """n numbers of classes, at least two of them different."""
    found = rng.integers(classes, size=n)
    found[1] = (found[0] + 1) % classes
    return found


def zero_or_one(rng: np.random.Generator, *shape: int) -> Any:
    """Targets of yes and no, of both kinds: the second row is the opposite of the first."""
    found = rng.integers(2, size=shape).astype(np.float64)
    found[1] = 1 - found[0]
    return found
