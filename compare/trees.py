"""Parameters of any structure as one vector: leaf after leaf, as `jax.flatten_util` joins them.

A tree is an array, or a list or named tuple of trees. What is like a tree has its structure, with
the same axes in front of every array: the k points of a path, say.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from manual.affine import Layer


def layers_like(sizes: Sequence[int]) -> list[Layer]:
    """Return arrays of the shapes of a network's parameters; what they hold is not set."""
    return [Layer(np.empty((n_in, n_out)), np.empty(n_out)) for n_in, n_out in pairwise(sizes)]


def leaves(tree: Any, name: str = "params") -> dict[str, Any]:
    """Return the arrays of a tree by name, `params[0].w`, in order."""
    if isinstance(tree, list):
        parts = {f"{name}[{at}]": part for at, part in enumerate(tree)}
    elif isinstance(tree, tuple):
        fields: Any = tree
        parts = {f"{name}.{field}": part for field, part in fields._asdict().items()}
    else:
        return {name: tree}
    return {leaf: array for at, part in parts.items() for leaf, array in leaves(part, at).items()}


def join(tree: Any, like: Any) -> np.ndarray:
    """Join the arrays of a tree into vectors, shape (..., p): (...) are axes that `like` lacks."""
    flat = [
        np.reshape(array, (*np.shape(array)[: np.ndim(array) - np.ndim(one)], -1))
        for array, one in zip(leaves(tree).values(), leaves(like).values(), strict=True)
    ]
    return np.concatenate(flat, axis=-1)


def split(flat: Any, like: Any) -> Any:
    """Split vectors, shape (..., p), NumPy's or JAX's, into a tree; the inverse of `join`."""
    if not isinstance(like, list | tuple):
        return flat.reshape((*flat.shape[:-1], *np.shape(like)))
    ends = np.cumsum([0, *(sum(map(np.size, leaves(part).values())) for part in like)])
    parts = [
        split(flat[..., start:end], part)
        for (start, end), part in zip(pairwise(ends), like, strict=True)
    ]
    return parts if isinstance(like, list) else type(like)(*parts)


def name_at(position: int, like: Any) -> str:
    """Return the name of a parameter, `params[0].w[3, 1]`, by its position in the vector."""
    for name, array in leaves(like).items():
        if position < np.size(array):
            return f"{name}[{', '.join(map(str, np.unravel_index(position, np.shape(array))))}]"
        position -= np.size(array)
    raise IndexError(f"position: got {position} too many")
