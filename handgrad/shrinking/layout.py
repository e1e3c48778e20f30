"""The arguments of a loss as one list of arrays, so that they can be replaced by others."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, alike


@dataclass(frozen=True, eq=False)
class Layout:
    """The arguments of a loss as one list of arrays, in the structure around them."""

    given: Point

    @cached_property
    def _flat(self) -> tuple[list[Any], Any]:
        return jax.tree_util.tree_flatten((self.given.params, self.given.inputs))

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The numbers of the leaves that are arrays: all parameters, and inputs with a shape."""
        leaves, _ = self._flat
        first = len(self.given.leaves)
        return tuple(i for i, leaf in enumerate(leaves) if i < first or _is_array(leaf))

    @cached_property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays as they were given."""
        leaves, _ = self._flat
        return tuple(np.asarray(leaves[place]) for place in self.places)

    def is_input(self, leaf: int) -> bool:
        """Tell whether an array is one of the inputs."""
        return self.places[leaf] >= len(self.given.leaves)

    def together(self, arrays: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """Return (params, inputs) with other values in place of the arrays."""
        leaves, tree = self._flat
        replaced = list(leaves)
        for place, array in zip(self.places, arrays, strict=True):
            replaced[place] = array
        return jax.tree_util.tree_unflatten(tree, replaced)

    def arguments(self, arrays: Sequence[np.ndarray]) -> Point:
        """Return the point with other arrays, converted to the types of the old ones."""
        leaves, _ = self._flat
        kinds = [leaves[place] for place in self.places]
        with jax.enable_x64(True):
            typed = [alike(array, kind) for array, kind in zip(arrays, kinds, strict=True)]
        return self.given.at(*self.together(typed))


def _is_array(leaf: Any) -> bool:
    # JAX's random keys have a dtype that NumPy does not know; they are not replaced.
    kinds = np.ndarray | np.generic | jax.Array
    return isinstance(leaf, kinds) and not is_key(leaf)


def is_key(array: Any) -> bool:
    """Tell whether an array holds JAX's random keys."""
    return jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key)
