"""The arguments of a loss as one list of arrays, so that they can be replaced by others."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from handgrad.data.point import Point, alike


class Layout:
    """The arguments of a loss as one list of arrays, in the structure around them."""

    def __init__(self, given: Point) -> None:
        self.given = given
        self._leaves, self._tree = jax.tree_util.tree_flatten((given.params, given.inputs))
        #: The numbers of the leaves that are arrays: all parameters, and inputs with a shape.
        self._places = [
            i for i, leaf in enumerate(self._leaves) if i < len(given.leaves) or _is_array(leaf)
        ]
        #: The arrays as they were given.
        self.arrays = tuple(np.asarray(self._leaves[place]) for place in self._places)

    def is_input(self, leaf: int) -> bool:
        """Tell whether an array is one of the inputs."""
        return self._places[leaf] >= len(self.given.leaves)

    def together(self, arrays: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
        """Return (params, inputs) with other values in place of the arrays."""
        replaced = list(self._leaves)
        for place, array in zip(self._places, arrays, strict=True):
            replaced[place] = array
        return jax.tree_util.tree_unflatten(self._tree, replaced)

    def arguments(self, arrays: Sequence[np.ndarray]) -> Point:
        """Return the point with other arrays, converted to the types of the old ones."""
        kinds = [self._leaves[place] for place in self._places]
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
