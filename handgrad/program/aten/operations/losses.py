"""Losses: first element by element, rounded to the format of the input, then reduced."""

from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import promoted, wide
from handgrad.program.aten.registry import operation

#: torch's numbers of the reductions.
NONE, MEAN, SUM = 0, 1, 2


def reduced(losses: Any, dtype: Any, reduction: int) -> Any:
    """Reduce the losses of the elements, which are rounded to a dtype before."""
    losses = wide(losses.astype(dtype))
    if reduction == NONE:
        return losses
    return jnp.sum(losses) if reduction == SUM else jnp.sum(losses) / losses.size


@operation("mse_loss")
def squared_error(x: Any, target: Any, reduction: int = MEAN) -> Any:
    """(x - t)²."""
    x, target = promoted(x, target)
    return reduced(jnp.square(wide(x) - wide(target)), x.dtype, reduction)


@operation("smooth_l1_loss")
def smooth_l1(x: Any, target: Any, reduction: int = MEAN, beta: float = 1.0) -> Any:
    """|x - t| - β/2, or (x - t)² / 2β where |x - t| < β."""
    x, target = promoted(x, target)
    gap = jnp.abs(wide(x) - wide(target))
    if beta != 0:
        gap = jnp.where(gap < beta, 0.5 * gap * gap / beta, gap - 0.5 * beta)
    return reduced(gap, x.dtype, reduction)


@operation("huber_loss")
def huber(x: Any, target: Any, reduction: int = MEAN, delta: float = 1.0) -> Any:
    """δ·(|x - t| - δ/2), or (x - t)² / 2 where |x - t| <= δ."""
    x, target = promoted(x, target)
    gap = jnp.abs(wide(x) - wide(target))
    losses = jnp.where(gap <= delta, 0.5 * gap * gap, delta * (gap - 0.5 * delta))
    return reduced(losses, x.dtype, reduction)


@operation("binary_cross_entropy")
def binary_cross_entropy(x: Any, target: Any, weight: Any = None, reduction: int = MEAN) -> Any:
    """-t·log x - (1 - t)·log(1 - x), each logarithm at least -100."""
    dtype = x.dtype
    x, target = wide(x), wide(target.astype(x.dtype))
    log, log_other = jnp.maximum(jnp.log(x), -100), jnp.maximum(jnp.log1p(-x), -100)
    losses = (target - 1) * log_other - target * log
    return reduced(losses if weight is None else losses * wide(weight), dtype, reduction)


@operation("binary_cross_entropy_with_logits")
def binary_cross_entropy_of_logits(
    x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: int = MEAN
) -> Any:
    """Return the binary cross-entropy of σ(x); positive examples are weighted by `pos_weight`."""
    dtype = jnp.promote_types(x.dtype, target.dtype)
    x, target = wide(x), wide(target)
    log_sigmoid = jax.nn.log_sigmoid(x)
    if pos_weight is not None:
        log_sigmoid = ((wide(pos_weight) - 1) * target + 1) * log_sigmoid
    losses = (1 - target) * x - log_sigmoid
    return reduced(losses if weight is None else losses * wide(weight), dtype, reduction)


@operation("soft_margin_loss")
def soft_margin(x: Any, target: Any, reduction: int = MEAN) -> Any:
    """log(1 + e^(-t·x))."""
    x, target = promoted(x, target)
    return reduced(jax.nn.softplus(-wide(target) * wide(x)), x.dtype, reduction)


@operation("nll_loss_forward", "nll_loss2d_forward")
def negative_log_likelihood(
    x: Any, target: Any, weight: Any, reduction: int, ignore_index: int
) -> tuple[Any, Any]:
    """Return -w[t]·x[t], and the sum of the weights, which the mean divides by.

    Args:
        x: (N, C), (C,) or (N, C, height, width), logarithms of probabilities.
        target: (N,), () or (N, height, width), classes.
        weight: (C,) or None.
        reduction: none, mean or sum.
        ignore_index: the class of examples that do not count.
    """
    axis = 1 if x.ndim > 1 else 0
    counted = target != ignore_index
    target = jnp.where(counted, target, jnp.zeros_like(target))
    places = jnp.expand_dims(target, axis)
    chosen = jnp.take_along_axis(wide(x), places, axis=axis, mode="promise_in_bounds")
    losses = -jnp.squeeze(chosen, axis)
    weights = jnp.ones_like(losses) if weight is None else wide(weight)[target]
    weights = jnp.where(counted, weights, jnp.zeros_like(weights))
    losses = jnp.where(counted, losses * weights if weight is not None else losses, 0.0)
    if reduction == NONE:
        return losses, jnp.zeros((), x.dtype)
    whole = jnp.sum(weights)
    return (jnp.sum(losses) / whole if reduction == MEAN else jnp.sum(losses)), whole


@operation("multi_margin_loss")
def multi_margin(
    x: Any,
    target: Any,
    p: float = 1,
    margin: float = 1,
    weight: Any = None,
    reduction: int = MEAN,
) -> Any:
    """Σ w[t]·max(0, margin - x[t] + x[i])^p / C over the other classes i."""
    dtype, of_one = x.dtype, x.ndim < 2
    x, target = wide(x).reshape(-1, x.shape[-1] if x.ndim else 1), target.reshape(-1)
    own = jnp.take_along_axis(x, target[:, None], axis=1, mode="promise_in_bounds")
    gap = jax.nn.relu(margin - own + x)
    gap = gap if p == 1 else jnp.square(gap)
    gap = gap if weight is None else gap * wide(weight)[target][:, None]
    others = jnp.arange(x.shape[1])[None, :] != target[:, None]
    losses = jnp.sum(jnp.where(others, gap, 0.0), axis=1) / x.shape[1]
    losses = losses[0] if of_one and reduction == NONE else losses
    return reduced(losses, dtype, reduction)


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
    losses = losses[0] if of_one and reduction == NONE else losses
    return reduced(losses, dtype, reduction), is_target.astype(dtype).reshape(shape)
