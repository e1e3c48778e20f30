"""Normalisations: statistics of half floats are taken in float32, and the result rounded once."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.promotion import wide
from handgrad.program.aten.registry import operation


def _normalised(x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any, Any]:
    """Return (x - mean) / √(variance + eps) over axes, the mean, and the last factor."""
    count = math.prod(x.shape[axis] for axis in axes)
    mean = jnp.sum(x, axis=axes, keepdims=True) / count
    centred = x - mean
    factor = lax.rsqrt(jnp.sum(jnp.square(centred), axis=axes, keepdims=True) / count + eps)
    return centred * factor, mean, factor


def _scaled(x: Any, weight: Any, bias: Any, shape: Sequence[int]) -> Any:
    """x·weight + bias, of which each may be missing, reshaped."""
    x = x if weight is None else x * wide(weight).astype(x.dtype).reshape(shape)
    return x if bias is None else x + wide(bias).astype(x.dtype).reshape(shape)


@operation("native_layer_norm")
def layer_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any, bias: Any, eps: float
) -> tuple[Any, Any, Any]:
    """Normalise over the last axes; return it, the means and the reciprocal deviations."""
    axes = tuple(range(x.ndim - len(normalized_shape), x.ndim))
    normal, mean, factor = _normalised(wide(x), axes, eps)
    return _scaled(normal, weight, bias, normalized_shape), mean, factor


@operation("_fused_rms_norm")
def rms_norm(
    x: Any, normalized_shape: Sequence[int], weight: Any, eps: float | None
) -> tuple[Any, Any]:
    """Divide by the root of the mean square over the last axes; return it and the factor."""
    axes = tuple(range(x.ndim - len(normalized_shape), x.ndim))
    eps = float(jnp.finfo(x.dtype).eps) if eps is None else eps
    x = wide(x)
    squares = jnp.sum(jnp.square(x), axis=axes, keepdims=True) / math.prod(normalized_shape)
    factor = lax.rsqrt(squares + eps)
    return _scaled(x * factor, weight, None, normalized_shape), factor


@operation("native_group_norm")
def group_norm(
    x: Any,
    weight: Any,
    bias: Any,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> tuple[Any, Any, Any]:
    """Normalise each group of channels of (N, C, ...); statistics are (N, groups)."""
    grouped = wide(x).reshape(N, group, C // group * HxW)
    normal, mean, factor = _normalised(grouped, (2,), eps)
    shape = (1, C) + (1,) * (x.ndim - 2)
    scaled = _scaled(normal.reshape(x.shape), weight, bias, shape)
    return scaled, mean.reshape(N, group), factor.reshape(N, group)


def batch_norm(
    x: Any, weight: Any, bias: Any, mean: Any, variance: Any, training: bool, eps: float
) -> tuple[Any, Any, Any]:
    """Normalise each channel of (N, C, ...), by the statistics of the batch or by given ones."""
    channels = [1] * x.ndim
    channels[1] = x.shape[1]
    x = wide(x)
    if training:
        axes = (0, *range(2, x.ndim))
        normal, mean, factor = _normalised(x, axes, eps)
        return _scaled(normal, weight, bias, channels), mean.reshape(-1), factor.reshape(-1)
    factor = lax.rsqrt(wide(variance).astype(x.dtype).reshape(channels) + eps)
    normal = (x - wide(mean).astype(x.dtype).reshape(channels)) * factor
    nothing = jnp.zeros((0,), x.dtype)
    return _scaled(normal, weight, bias, channels), nothing, nothing


@operation("_native_batch_norm_legit.no_stats")
def batch_norm_without_statistics(
    x: Any, weight: Any, bias: Any, training: bool, momentum: float, eps: float
) -> tuple[Any, Any, Any]:
    """Normalise each channel by the statistics of the batch."""
    return batch_norm(x, weight, bias, None, None, True, eps)


@operation("native_batch_norm", "_native_batch_norm_legit", writes=("running_mean", "running_var"))
def batch_norm_with_statistics(
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Any, ...]:
    """Normalise each channel; return it, what torch keeps, and the new running statistics."""
    found = batch_norm(x, weight, bias, running_mean, running_var, training, eps)
    if not training:
        return *found, running_mean, running_var
    return *found, *_updated(x, running_mean, running_var, momentum)


@operation("_batch_norm_with_update", writes=("running_mean", "running_var"))
def batch_norm_with_update(
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    momentum: float,
    eps: float,
) -> tuple[Any, ...]:
    """Normalise each channel by the statistics of the batch, and move the running ones."""
    found = batch_norm(x, weight, bias, running_mean, running_var, True, eps)
    reserve = jnp.zeros((0,), jnp.uint8)
    return *found, reserve, *_updated(x, running_mean, running_var, momentum)


@operation("_batch_norm_no_update")
def batch_norm_in_evaluation(
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    momentum: float,
    eps: float,
) -> tuple[Any, ...]:
    """Normalise each channel by the running statistics."""
    found = batch_norm(x, weight, bias, running_mean, running_var, False, eps)
    return *found, jnp.zeros((0,), jnp.uint8)


def _updated(x: Any, running_mean: Any, running_var: Any, momentum: float) -> tuple[Any, Any]:
    """Return the running mean and variance, moved towards those of a batch."""
    x, axes = wide(x), (0, *range(2, x.ndim))
    count = math.prod(x.shape[axis] for axis in axes)
    mean = jnp.sum(x, axis=axes, keepdims=True) / count
    spread = jnp.sum(jnp.square(x - mean), axis=axes) / (count - 1)
    pairs = ((running_mean, mean.reshape(-1)), (running_var, spread))

    def moved(old: Any, new: Any) -> Any:
        return None if old is None else (1 - momentum) * wide(old) + momentum * new

    mean_now, variance_now = (moved(old, new) for old, new in pairs)
    return mean_now, variance_now
