"""Convolutions of one, two and three dimensions."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.data.formats import is_half
from handgrad.program.aten.operations.promotion import wide
from handgrad.program.aten.registry import operation


@operation("convolution")
def convolution(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Any:
    """Convolve (N, channels, ...) or (channels, ...) with a kernel; or the transpose of that."""
    space = weight.ndim - 2
    batch = x if x.ndim > space + 1 else x[None]
    stride, padding, dilation, more = (
        each(n, space) for n in (stride, padding, dilation, output_padding)
    )
    lhs_dilation = (1,) * space
    pads = [(p, p) for p in padding]
    if transposed:
        weight = _turned(weight, groups)
        reach = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        pads = [(r - p, r - p + o) for r, p, o in zip(reach, padding, more, strict=True)]
        stride, lhs_dilation = lhs_dilation, stride
    out = lax.conv_general_dilated(
        batch,
        weight,
        window_strides=stride,
        padding=pads,
        lhs_dilation=lhs_dilation,
        rhs_dilation=dilation,
        feature_group_count=groups,
        preferred_element_type=jnp.float32 if is_half(x.dtype) else None,
    )
    if bias is not None:
        out = out + wide(bias).reshape((-1, *(1,) * space))
    return out if x.ndim > space + 1 else out[0]


def each(n: int | Sequence[int], space: int) -> tuple[int, ...]:
    """Return one number for every dimension of space."""
    numbers = [n] if isinstance(n, int) else list(n)
    return tuple(numbers * space if len(numbers) == 1 else numbers)


def _turned(weight: Any, groups: int) -> Any:
    """Make of a kernel (in, out / groups, ...) the turned one (out, in / groups, ...)."""
    inputs, outputs, *space = weight.shape
    grouped = weight.reshape(groups, inputs // groups, outputs, *space)
    turned = jnp.swapaxes(grouped, 1, 2).reshape(groups * outputs, inputs // groups, *space)
    return jnp.flip(turned, tuple(range(2, turned.ndim)))
