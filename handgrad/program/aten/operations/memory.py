"""Views that are made of memory as it lies there."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.program.aten.registry import operation


@operation("as_strided", "as_strided_copy")
def as_strided(
    x: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Any:
    """Return the elements at some places of an array's memory; see `views.check_strided`."""
    places = np.full(tuple(size), storage_offset or 0)
    for axis, step in enumerate(stride):
        shape = [n if k == axis else 1 for k, n in enumerate(size)]
        places += np.arange(size[axis]).reshape(shape) * step
    return jnp.reshape(x, -1)[places]
