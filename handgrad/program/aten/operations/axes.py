"""Axes as torch has them: negative ones, none for all, and one of a tensor without dimensions."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp


def axis_of(x: Any, dim: int) -> int:
    """Return an axis, counted from the front."""
    return dim + max(x.ndim, 1) if dim < 0 else dim


def axes_of(x: Any, dim: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the axes of a reduction; None and an empty list stand for all."""
    if not x.ndim or dim is None or (not isinstance(dim, int) and not len(dim)):
        return tuple(range(x.ndim))
    return tuple(axis_of(x, d) for d in ([dim] if isinstance(dim, int) else dim))


def at_least_1d(x: Any) -> Any:
    """Give a tensor without dimensions one, as torch's operations along an axis see it."""
    return x if x.ndim else jnp.reshape(x, (1,))
