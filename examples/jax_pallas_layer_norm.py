"""A layer norm in Pallas on bfloat16 arrays: what is rounding of that format, and what is not.

As kernels do, it reads bfloat16, computes in float32, and writes bfloat16. The derivatives by
weight and bias are sums over all rows, to which each row adds its part. Sums in float32 are right
to half a unit in the last place. Sums in bfloat16 are off by several, which is the rounding of the
format: no mistake, and the report says so. A backward pass without one of its terms is off by more
than what any rounding explains.
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
X = _RNG.normal(size=(48, 4)).astype(ml_dtypes.bfloat16)
WEIGHT, BIAS = (_RNG.normal(size=4).astype(ml_dtypes.bfloat16) for _ in range(2))


def _normal(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Compute (x - μ)/σ and 1/σ of each row, in float32."""
    centred = x.astype(jnp.float32)
    centred = centred - jnp.mean(centred, axis=-1, keepdims=True)
    scale = jax.lax.rsqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + EPS)
    return centred * scale, scale


def reference(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    """Return (x - μ)/σ · weight + bias."""
    wide_weight, wide_bias = weight.astype(jnp.float32)[None], bias.astype(jnp.float32)[None]
    return (_normal(x)[0] * wide_weight + wide_bias).astype(x.dtype)


def _norm_kernel(x_ref: Any, weight_ref: Any, bias_ref: Any, y_ref: Any) -> None:
    weight, bias = weight_ref[...].astype(jnp.float32), bias_ref[...].astype(jnp.float32)
    y_ref[...] = (_normal(x_ref[...])[0] * weight + bias).astype(y_ref.dtype)


def _vjp_kernel(
    x_ref: Any, weight_ref: Any, dy_ref: Any, *results: Any, through_scale: bool
) -> None:
    normal, scale = _normal(x_ref[...])
    dy = dy_ref[...].astype(jnp.float32)
    dnormal = dy * weight_ref[...].astype(jnp.float32)
    dcentred = dnormal - jnp.mean(dnormal, axis=-1, keepdims=True)
    if through_scale:
        dcentred = dcentred - normal * jnp.mean(dnormal * normal, axis=-1, keepdims=True)
    dx_ref, *sums = results
    dx_ref[...] = (scale * dcentred).astype(dx_ref.dtype)
    for ref, part in zip(sums, (dy * normal, dy), strict=True):
        before = jnp.where(pl.program_id(0) == 0, jnp.zeros_like(ref), ref[...])
        ref[...] = before + part.astype(ref.dtype)


@partial(jax.jit, static_argnums=(0, 1))
def _by_rows(kernel: Any, results: tuple[tuple[int, Any], ...], *arrays: jax.Array) -> Any:
    """Run a kernel on one row after the other; what has one row is there for all of them."""
    size = arrays[0].shape[1]
    row = pl.BlockSpec((1, size), lambda i: (i, 0))
    whole = pl.BlockSpec((1, size), lambda _: (0, 0))
    return pl.pallas_call(
        kernel,
        out_shape=[jax.ShapeDtypeStruct((rows, size), dtype) for rows, dtype in results],
        grid=(arrays[0].shape[0],),
        in_specs=[whole if array.shape[0] == 1 else row for array in arrays],
        out_specs=[whole if rows == 1 else row for rows, _ in results],
        interpret=True,
    )(*arrays)


def layer_norm(sums: Any, through_scale: bool) -> Any:
    """Return the layer norm, whose derivatives by weight and bias are summed in this dtype."""

    @jax.custom_vjp
    def pallas_layer_norm(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
        results = ((x.shape[0], x.dtype),)
        return _by_rows(_norm_kernel, results, x, weight[None], bias[None])[0]

    def keep(x: jax.Array, weight: jax.Array, bias: jax.Array) -> Any:
        return pallas_layer_norm(x, weight, bias), (x, weight)

    kernel = partial(_vjp_kernel, through_scale=through_scale)

    def pull_back(kept: Any, dy: jax.Array) -> Any:
        x, weight = kept
        results = (x.shape[0], x.dtype), (1, sums), (1, sums)
        dx, dweight, dbias = _by_rows(kernel, results, x, weight[None], dy)
        return dx, dweight[0].astype(x.dtype), dbias[0].astype(x.dtype)

    pallas_layer_norm.defvjp(keep, pull_back)
    return pallas_layer_norm


def report(sums: Any = jnp.float32, through_scale: bool = True) -> GradientReport:
    """Check values and derivative rule of a kernel, which is said to compute as it does."""
    f, computed_in = layer_norm(sums, through_scale), ("bfloat16", jnp.dtype(sums).name)
    return check_custom(f, X, WEIGHT, BIAS, reference=reference, points=0, computed_in=computed_in)


if __name__ == "__main__":
    print("A layer norm in bfloat16, with sums in float32:", report(), sep="\n\n")
    print("\nWith sums in bfloat16:", report(jnp.bfloat16), sep="\n\n")
    print("\nWithout the term through the scale:", report(through_scale=False), sep="\n\n")
