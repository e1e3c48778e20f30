"""Directions in which parameters are moved: trees like them, drawn for one leaf at a time."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

#: Directions for each leaf, two random ones and their sum: a mistake in one element is seen in each
#: of them, and there is no gradient where the slope along the sum is not the sum of both.
DIRECTIONS = 3


def which_floats(tree: Any) -> list[int]:
    """Return which leaves have floats."""
    leaves = enumerate(map(np.asarray, jax.tree.leaves(tree)))
    return [i for i, a in leaves if a.size and jax.numpy.issubdtype(a.dtype, np.inexact)]


def epsilon(*trees: Any) -> float:
    """Return the largest distance of 1 from the next number in a format of floats."""
    formats = {
        leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        for leaf in jax.tree.leaves(trees)
    }
    floats = [dtype for dtype in formats if jax.numpy.issubdtype(dtype, np.inexact)]
    return max((float(jax.numpy.finfo(dtype).eps) for dtype in floats), default=0.0)


def drawn(rng: np.random.Generator, tree: Any, only: int | None = None) -> Any:
    """Draw numbers like those of a tree, in float64; of one leaf alone, zeros elsewhere."""
    leaves, structure = jax.tree.flatten(tree)

    def of_leaf(i: int, leaf: Any) -> Any:
        leaf = np.asarray(leaf)
        if only not in (None, i) or not jax.numpy.issubdtype(leaf.dtype, np.inexact):
            return np.zeros(leaf.shape)
        size = np.where(leaf == 0, 1, np.abs(leaf.astype(complex))) if leaf.size else 1
        real = rng.uniform(0.5, 1.5, leaf.shape) * rng.choice([-1.0, 1.0], leaf.shape) * size
        if not np.issubdtype(leaf.dtype, np.complexfloating):
            return real
        return real * np.exp(2j * np.pi * rng.uniform(size=leaf.shape))

    return structure.unflatten([of_leaf(i, leaf) for i, leaf in enumerate(leaves)])


def directions(rng: np.random.Generator, tree: Any, domain: Any = None) -> Iterator[Any]:
    """Yield so many for each leaf as DIRECTIONS has, tangent to a domain."""
    leaves, structure = jax.tree.flatten(tree)
    by_name = isinstance(domain, dict)
    domains = [domain[k] for k in sorted(domain)] if by_name else [domain] * len(leaves)
    for i in which_floats(tree):
        one, other = (
            _tangent(domains[i], np.asarray(leaves[i]), jax.tree.leaves(drawn(rng, tree, i))[i])
            for _ in range(2)
        )
        for direction in (one, other, one + other):
            parts = jax.tree.leaves(drawn(rng, tree, -1))
            parts[i] = direction
            yield structure.unflatten(parts)


def _tangent(domain: Any, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return what of a direction is tangent to a domain."""
    if isinstance(domain, np.ndarray):
        return np.where(domain, v, 0)
    match domain:
        case "simplex":
            return v - v.mean(axis=-1, keepdims=True)
        case "unit sphere":
            return v - (v @ x) * x
        case "symmetric" | "positive definite":
            return (v + v.T) / 2
        case "lower triangular":
            return np.tril(v)
        case "orthogonal":
            return x @ (v - v.T)
        case _:
            return v


def along(tree: Any, direction: Any, t: float) -> Any:
    """Go a way along a direction; what is no array of floats stays."""

    def gone(leaf: Any, by: Any) -> Any:
        if not jax.numpy.issubdtype(np.asarray(leaf).dtype, np.inexact):
            return leaf
        there = np.asarray(leaf) + t * by
        return jax.numpy.asarray(there) if isinstance(leaf, jax.Array) else there[()]

    return jax.tree.map(gone, tree, direction)


def moved(rng: np.random.Generator, tree: Any, by: float) -> Any:
    """Move numbers at random by so much of their size."""
    return along(tree, drawn(rng, tree), by) if by else tree
