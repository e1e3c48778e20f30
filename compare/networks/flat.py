"""Convert a network's parameters to one vector and back."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from handgrad.tolerance.rounding import Bounded
from manual.affine import Layer


def join(params: Sequence[Any]) -> np.ndarray:
    """Join layers (w, b) with leading axes (...) into one array of shape (..., p)."""
    flat = [np.reshape(a, (*a.shape[: a.ndim - d], -1)) for w, b in params for a, d in _pair(w, b)]
    return np.concatenate(flat, axis=-1)


def flattened(layers: Sequence[Any]) -> Bounded:
    """Join layers (w, b) of bounds, as `join` does their parts."""
    return Bounded(*(join([(w[part], b[part]) for w, b in layers]) for part in range(2)))


def split(flat: Any, sizes: Sequence[int]) -> list[Layer]:
    """Split into layers, the inverse of `join`; the leading axes of `flat` are kept."""
    layers, at = [], 0
    for n_in, n_out in pairwise(sizes):
        w = flat[..., at : at + n_in * n_out].reshape(*flat.shape[:-1], n_in, n_out)
        at += n_in * n_out
        layers.append(Layer(w, flat[..., at : at + n_out]))
        at += n_out
    return layers


def name(position: int, sizes: Sequence[int]) -> str:
    """Return a parameter's name, `params[0].w[3, 1]`, by its position in the vector."""
    for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
        if position < n_in * n_out:
            return f"params[{layer}].w[{position // n_out}, {position % n_out}]"
        position -= n_in * n_out
        if position < n_out:
            return f"params[{layer}].b[{position}]"
        position -= n_out
    raise IndexError(f"position: got {position} too many for sizes {tuple(sizes)}")


def misfit(grads: Sequence[Any], params: Sequence[Layer]) -> tuple[str, str] | None:
    """Find the first of `grads` not shaped and typed like `params`, and the difference, or None."""
    if len(grads) != len(params):
        return "params", f"has {len(grads)} layers; expected {len(params)}"
    for layer, pair in enumerate(zip(grads, params, strict=True)):
        for field, found, expected in zip(Layer._fields, *pair, strict=True):
            got, wanted = (f"shape {a.shape} and {a.dtype}" for a in (found, expected))
            if got != wanted:
                return f"params[{layer}].{field}", f"has {got}; expected {wanted}"
    return None


def _pair(w: Any, b: Any) -> tuple[tuple[Any, int], tuple[Any, int]]:
    return (np.asarray(w), 2), (np.asarray(b), 1)
