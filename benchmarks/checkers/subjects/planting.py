"""How a mistake gets into a backward pass: an option of it changes the line in question."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import numpy as np

Gradient = Callable[..., Any]

#: The learning rate of those who update weights before the backward pass is through with them.
STEP = 0.1


def planted(gradient: Gradient, *slugs: str) -> dict[str, Gradient]:
    """Wrong gradients by slug, made from one that takes the slug as `mistake`."""
    return {slug: partial(gradient, mistake=slug) for slug in slugs}


@dataclass(eq=False)
class Accumulating:
    """A gradient that is added to buffers which nobody sets to zero between two calls.

    The buffers themselves are returned, so that a later call also changes an earlier answer.
    """

    gradient: Gradient
    only: Collection[int] | None = None  #: the leaves that have such a buffer; None: all
    buffers: dict[int, np.ndarray] = field(default_factory=dict)

    def fresh(self) -> "Accumulating":
        """The same before its first call, whose answer is right."""
        return Accumulating(self.gradient, self.only)

    def __call__(self, params: Any, *inputs: Any) -> Any:
        """The sum of this call's gradient and all earlier ones'."""
        leaves, tree = jax.tree_util.tree_flatten(self.gradient(params, *inputs))
        for i, leaf in enumerate(leaves):
            if self.only is None or i in self.only:
                self.buffers.setdefault(i, np.zeros_like(leaf))
                self.buffers[i] += leaf
                leaves[i] = self.buffers[i]
        return jax.tree_util.tree_unflatten(tree, leaves)
