"""The arguments of a loss as one list of arrays, so that they can be exchanged for others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, point_at


@dataclass(frozen=True, eq=False)
class Layout:
    """The arguments of a loss as one list of arrays, and what is not to be touched around it."""

    given: Point

    @cached_property
    def _flat(self) -> tuple[list[Any], Any]:
        return jax.tree_util.tree_flatten((self.given.params, self.given.inputs))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Which leaves are arrays: all parameters, and inputs that have a shape."""
        leaves, _ = self._flat
        first = len(self.given.leaves)
        return tuple(i for i, leaf in enumerate(leaves) if i < first or _is_array(leaf))

    @cached_property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays as they were given."""
        leaves, _ = self._flat
        return tuple(np.asarray(leaves[place]) for place in self.places)

    def is_input(self, leaf: int) -> bool:
        """Whether an array is one of the inputs."""
        return self.places[leaf] >= len(self.given.leaves)

    def together(self, arrays: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """(params, inputs) with anything in place of the arrays."""
        leaves, tree = self._flat
        replaced = list(leaves)
        for place, array in zip(self.places, arrays, strict=True):
            replaced[place] = array
        return jax.tree_util.tree_unflatten(tree, replaced)

    def arguments(self, arrays: Sequence[np.ndarray]) -> Point:
        """The same with other arrays, each of the kind that it was: NumPy's, JAX's, a number."""
        leaves, _ = self._flat
        kinds = [leaves[place] for place in self.places]
        with jax.enable_x64(True):
            alike = [_alike(array, kind) for array, kind in zip(arrays, kinds, strict=True)]
        return point_at(*self.together(alike))


def _is_array(leaf: Any) -> bool:
    # Random keys of JAX have a dtype that is not NumPy's; they stay.
    kinds = np.ndarray | np.generic | jax.Array
    return isinstance(leaf, kinds) and not is_key(leaf)


def is_key(array: Any) -> bool:
    """Whether an array of JAX holds keys of random numbers."""
    return jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key)


def _alike(array: np.ndarray, kind: Any) -> Any:
    if isinstance(kind, jax.Array):
        return jax.numpy.asarray(array)
    if isinstance(kind, np.ndarray):
        return array.copy()
    return array[()] if isinstance(kind, np.generic) else array.item()
