"""Fourier transforms."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from handgrad.program.aten.registry import operation

#: What JAX calls that a transform of n numbers is divided by nothing, by √n, or by n, as PyTorch
#: numbers these; a transform back the other way round.
_FORTH = ("backward", "ortho", "forward")
_BACK = _FORTH[::-1]


@operation("_fft_c2c")
def of_complex(x: Any, dim: Sequence[int], normalization: int, forward: bool) -> Any:
    """Transform complex numbers along axes."""
    for axis in dim:
        if forward:
            x = jnp.fft.fft(x, axis=axis, norm=_FORTH[normalization])
        else:
            x = jnp.fft.ifft(x, axis=axis, norm=_BACK[normalization])
    return x


@operation("_fft_r2c")
def of_real(x: Any, dim: Sequence[int], normalization: int, onesided: bool) -> Any:
    """Transform real numbers; of the last axis given only half is kept, if one-sided."""
    *others, last = dim
    whole = jnp.fft.rfft if onesided else jnp.fft.fft
    return of_complex(whole(x, axis=last, norm=_FORTH[normalization]), others, normalization, True)


@operation("_fft_c2r")
def to_real(x: Any, dim: Sequence[int], normalization: int, last_dim_size: int) -> Any:
    """Transform back to real numbers, of whose transform only half is given."""
    *others, last = dim
    x = of_complex(x, others, normalization, False)
    return jnp.fft.irfft(x, last_dim_size, last, norm=_BACK[normalization])
