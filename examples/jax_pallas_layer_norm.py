"""A layer norm in Pallas on bfloat16 arrays: what is rounding of that format, and what is not.

As kernels do, it reads bfloat16, computes in float32, and writes bfloat16. The derivatives by
weight and bias are sums over all rows; each row writes its part, and the parts are summed at the
end. Parts in float32 are as right as bfloat16 can be; parts in bfloat16 lose digits, which is the
rounding of the format and no mistake; and a backward pass without one of its terms is a mistake,
which is larger than what any rounding of that format explains.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax.experimental import pallas as pl

from handgrad import check_custom
from handgrad.report import GradientReport

EPS = 1e-5

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(5, 8)).astype(ml_dtypes.bfloat16)
WEIGHT = _RNG.normal(size=8).astype(ml_dtypes.bfloat16)
BIAS = _RNG.normal(size=8).astype(ml_dtypes.bfloat16)


def reference(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    """Return (x - μ)/σ · weight + bias, row by row."""
    wide = x.astype(jnp.float32)
    centred = wide - jnp.mean(wide, axis=-1, keepdims=True)
    normal = centred * jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + EPS)
    return (normal * weight[None].astype(jnp.float32) + bias[None].astype(jnp.float32)).astype(
        x.dtype
    )


def _normal(x_ref: Any) -> tuple[jax.Array, jax.Array]:
    """Compute (x - μ)/σ and 1/σ of a row."""
    x = x_ref[...].astype(jnp.float32)
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    scale = jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + EPS)
    return centred * scale, scale


def _forward(x_ref: Any, weight_ref: Any, bias_ref: Any, y_ref: Any) -> None:
    normal, _ = _normal(x_ref)
    y = normal * weight_ref[...].astype(jnp.float32) + bias_ref[...].astype(jnp.float32)
    y_ref[...] = y.astype(y_ref.dtype)


def _backward(
    x_ref: Any, weight_ref: Any, dy_ref: Any, dx_ref: Any, dweight_ref: Any, *, through_scale: bool
) -> None:
    normal, scale = _normal(x_ref)
    dy = dy_ref[...].astype(jnp.float32)
    dnormal = dy * weight_ref[...].astype(jnp.float32)
    dcentred = dnormal
    if through_scale:
        dcentred = dnormal - normal * jnp.mean(dnormal * normal, axis=-1, keepdims=True)
    dx = scale * (dcentred - jnp.mean(dnormal, axis=-1, keepdims=True))
    dx_ref[...] = dx.astype(dx_ref.dtype)
    dweight_ref[...] = (dy * normal).astype(dweight_ref.dtype)


def _by_rows(kernel: Any, results: list[Any], x: jax.Array, *others: jax.Array) -> Any:
    """Run a kernel on each row of the matrices, and on vectors as a whole."""
    row = pl.BlockSpec((1, x.shape[1]), lambda i: (i, 0))
    vector = pl.BlockSpec((1, x.shape[1]), lambda _: (0, 0))
    specs = [row if array.shape[0] == x.shape[0] else vector for array in (x, *others)]
    shapes = [jax.ShapeDtypeStruct(x.shape, dtype) for dtype in results]
    call = pl.pallas_call(
        kernel,
        out_shape=shapes,
        grid=(x.shape[0],),
        in_specs=specs,
        out_specs=[row] * len(shapes),
        interpret=True,
    )
    return call(x, *others)


def layer_norm(parts: Any = jnp.float32, through_scale: bool = True) -> Any:
    """Return the layer norm, whose parts of a sum over rows are of this dtype."""

    @jax.custom_vjp
    def pallas_layer_norm(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
        return _by_rows(_forward, [x.dtype], x, weight[None], bias[None])[0]

    def keep(x: jax.Array, weight: jax.Array, bias: jax.Array) -> Any:
        return pallas_layer_norm(x, weight, bias), (x, weight)

    def backward(kept: Any, dy: jax.Array) -> Any:
        x, weight = kept
        kernel = partial(_backward, through_scale=through_scale)
        dx, dweight = _by_rows(kernel, [x.dtype, parts], x, weight[None], dy)
        dbias = jnp.sum(dy.astype(parts), axis=0, dtype=parts)
        dweight = jnp.sum(dweight, axis=0, dtype=parts)
        return dx, dweight.astype(x.dtype), dbias.astype(x.dtype)

    pallas_layer_norm.defvjp(keep, backward)
    return pallas_layer_norm


def report(parts: Any = jnp.float32, through_scale: bool = True) -> GradientReport:
    """Check values and derivative rule of the kernel."""
    f = layer_norm(parts, through_scale)
    formats = ("bfloat16", "float32" if parts == jnp.float32 else "bfloat16")
    return check_custom(f, X, WEIGHT, BIAS, reference=reference, points=0, computed_in=formats)


if __name__ == "__main__":
    print("Layer norm in bfloat16, sums of parts in float32:", report(), sep="\n\n")
    print("\nSums of parts in bfloat16:", report(jnp.bfloat16), sep="\n\n")
    print("\nWithout the term through the scale:", report(through_scale=False), sep="\n\n")
