"""Convert a network's parameters to one vector and back."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from manual.affine import Layer


def join(params: Sequence[Any]) -> np.ndarray:
    """Join layers (w, b) with leading axes (...) into one array of shape (..., p)."""
    flat = [np.reshape(a, (*a.shape[: a.ndim - d], -1)) for w, b in params for a, d in _pair(w, b)]
    return np.concatenate(flat, axis=-1)


def split(flat: Any, sizes: Sequence[int]) -> list[Layer]:
    """Split into layers, the inverse of `join`; the leading axes of `flat` are kept."""
    layers, at = [], 0
    for n_in, n_out in pairwise(sizes):
        w = flat[..., at : at + n_in * n_out].reshape(*flat.shape[:-1], n_in, n_out)
        at += n_in * n_out
        layers.append(Layer(w, flat[..., at : at + n_out]))
        at += n_out
    return layers


def _pair(w: Any, b: Any) -> tuple[tuple[Any, int], tuple[Any, int]]:
    return (np.asarray(w), 2), (np.asarray(b), 1)
