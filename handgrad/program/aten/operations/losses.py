"""The loss of several labels that PyTorch computes in a kernel alone."""

from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import wide
from handgrad.program.aten.registry import operation

#: torch's numbers of the reductions.
NONE, MEAN = 0, 1


@operation("multilabel_margin_loss_forward")
def multilabel_margin(x: Any, target: Any, reduction: int) -> tuple[Any, Any]:
    """Σ max(0, 1 - x[t] + x[i]) / C over targets t, up to the first -1, and other classes i."""
    dtype, shape = x.dtype, target.shape
    of_one = x.ndim < 2
    x, target = (each.reshape(-1, each.shape[-1] if each.ndim else 1) for each in (wide(x), target))
    given = jnp.cumprod(target >= 0, axis=1).astype(bool)
    classes = jnp.arange(x.shape[1])
    own = (target[:, :, None] == classes) & given[:, :, None]
    is_target = jnp.any(own, axis=1)
    safe = jnp.where(given, target, 0)
    chosen = jnp.take_along_axis(x, safe, axis=1, mode="promise_in_bounds")
    gaps = jax.nn.relu(1 - chosen[:, :, None] + x[:, None, :])
    counted = given[:, :, None] & ~is_target[:, None, :]
    losses = jnp.sum(jnp.where(counted, gaps, 0.0), axis=(1, 2)) / x.shape[1]
    losses = wide(losses.astype(dtype))  # those of the elements are rounded
    if reduction != NONE:
        losses = jnp.sum(losses) / (losses.size if reduction == MEAN else 1)
    elif of_one:
        losses = losses[0]
    return losses, is_target.astype(dtype).reshape(shape)
