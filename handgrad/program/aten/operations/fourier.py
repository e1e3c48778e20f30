"""Fourier transforms."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.operations.axes import axis_of
from handgrad.program.aten.operations.promotion import real_of
from handgrad.program.aten.registry import operation


def _axes(x: Any, dim: Sequence[int]) -> list[int]:
    return [axis_of(x, d) for d in dim]


def _scaled(x: Any, n: int, normalization: int) -> Any:
    """Divide by nothing, by √n, or by n, as PyTorch numbers these."""
    if normalization == 0:
        return x
    size = jnp.asarray(n, real_of(x.dtype))
    return x / (jnp.sqrt(size) if normalization == 1 else size)


@operation("_fft_c2c")
def of_complex(x: Any, dim: Sequence[int], normalization: int, forward: bool) -> Any:
    """Transform complex numbers along axes."""
    axes = _axes(x, dim)
    if not axes:
        return x
    n = math.prod(x.shape[axis] for axis in axes)
    for axis in axes:
        x = jnp.fft.fft(x, axis=axis) if forward else jnp.fft.ifft(x, axis=axis, norm="forward")
    return _scaled(x, n, normalization)


@operation("_fft_r2c")
def of_real(x: Any, dim: Sequence[int], normalization: int, onesided: bool) -> Any:
    """Transform real numbers; of the last axis given only half is kept, if one-sided."""
    axes = _axes(x, dim)
    n = math.prod(x.shape[axis] for axis in axes)
    *others, last = axes
    whole = jnp.fft.rfft if onesided else jnp.fft.fft
    x = whole(x, axis=last)
    for axis in others:
        x = jnp.fft.fft(x, axis=axis)
    return _scaled(x, n, normalization)


@operation("_fft_c2r")
def to_real(x: Any, dim: Sequence[int], normalization: int, last_dim_size: int) -> Any:
    """Transform back to real numbers, of whose transform only half is given."""
    *others, last = _axes(x, dim)
    n = math.prod(x.shape[axis] for axis in others) * last_dim_size
    for axis in others:
        x = jnp.fft.ifft(x, axis=axis, norm="forward")
    return _scaled(jnp.fft.irfft(x, last_dim_size, last, norm="forward"), n, normalization)
