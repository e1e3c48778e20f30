"""Mistakes in what a gradient answers: each is a function of the right gradient."""

from collections.abc import Collection
from typing import Any

import jax
import numpy as np

from models.model import Gradient


def accumulates(gradient: Gradient, only: Collection[int] | None = None) -> Gradient:
    """The gradient is added to buffers which nobody sets to zero between two calls.

    The buffers themselves are returned, so that a later call also changes an earlier answer.

    Args:
        gradient: the right one.
        only: the leaves that have such a buffer; None: all.
    """
    buffers: dict[int, np.ndarray] = {}

    def wrong(params: Any, *inputs: Any) -> Any:
        leaves, tree = jax.tree.flatten(gradient(params, *inputs))
        for i, leaf in enumerate(leaves):
            if only is None or i in only:
                buffers.setdefault(i, np.zeros_like(leaf))
                buffers[i] += leaf
                leaves[i] = buffers[i]
        return jax.tree.unflatten(tree, leaves)

    return wrong
