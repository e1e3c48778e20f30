"""Copies, padding, and angles."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.primitives import converted
from handgrad.program.aten.registry import operation


@operation("copy")
def copied(x: Any, source: Any) -> Any:
    """Return the source in the shape and dtype of x."""
    return jnp.broadcast_to(converted(source, x.dtype), x.shape)


@operation("constant_pad_nd")
def pad(x: Any, pad: Sequence[int], value: Any = 0) -> Any:
    """Pad with a value, the last axis first; a negative width cuts elements off."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    widths = [(0, 0, 0)] * (x.ndim - len(pairs)) + [(low, high, 0) for low, high in pairs]
    return lax.pad(x, jnp.asarray(value, x.dtype), widths)


@operation("angle")
def angle(x: Any) -> Any:
    """Return the angle of complex numbers; of real ones 0, or π where they are negative."""
    if jnp.iscomplexobj(x):
        return jnp.angle(x)
    return jnp.where(jnp.isnan(x), jnp.nan, jnp.where(x < 0, np.pi, 0.0))
