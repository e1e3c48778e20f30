"""Views: results that share memory with their argument. Writing to one is in `views.py` above."""

from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.registry import operation


@operation("view", "_unsafe_view")
def view(x: Any, size: list[int]) -> Any:
    """The same elements in another shape."""
    return jnp.reshape(x, size)


@operation("t")
def t(x: Any) -> Any:
    """The transpose of a matrix."""
    return x.T
