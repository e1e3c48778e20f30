"""A softmax in Pallas, forward and backward pass as kernels, held to `jax.nn.softmax`.

A kernel is opaque: nothing can be read from it but what it answers. So its values are held to a
reference first, and its derivative rule to the reference's exact derivative. The kernels run in
Pallas' interpreter, which needs no GPU; float32, as kernels do.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl

from handgrad import check_custom
from handgrad.report import GradientReport

X = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)


def _softmax_kernel(x_ref: Any, y_ref: Any) -> None:
    e = jnp.exp(x_ref[...] - jnp.max(x_ref[...], axis=-1, keepdims=True))
    y_ref[...] = e / jnp.sum(e, axis=-1, keepdims=True)


def _vjp_kernel(y_ref: Any, dy_ref: Any, dx_ref: Any) -> None:
    y, dy = y_ref[...], dy_ref[...]
    dx_ref[...] = y * (dy - jnp.sum(dy * y, axis=-1, keepdims=True))


def _diagonal_vjp_kernel(y_ref: Any, dy_ref: Any, dx_ref: Any) -> None:
    """Forget that all elements of a row share the sum: the mistake that is planted here."""
    y, dy = y_ref[...], dy_ref[...]
    dx_ref[...] = y * (1 - y) * dy


@partial(jax.jit, static_argnums=0)
def _by_rows(kernel: Any, *arrays: jax.Array) -> jax.Array:
    """Run a kernel on one row after the other."""
    first = arrays[0]
    row = pl.BlockSpec((1, first.shape[1]), lambda i: (i, 0))
    return pl.pallas_call(
        kernel,
        out_shape=jax.ShapeDtypeStruct(first.shape, first.dtype),
        grid=(first.shape[0],),
        in_specs=[row] * len(arrays),
        out_specs=row,
        interpret=True,
    )(*arrays)


def softmax(backward: Any) -> Any:
    """Return the softmax of each row, with a derivative rule that runs a kernel."""

    @jax.custom_vjp
    def pallas_softmax(x: jax.Array) -> jax.Array:
        return _by_rows(_softmax_kernel, x)

    def keep(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = pallas_softmax(x)
        return y, y

    pallas_softmax.defvjp(keep, lambda y, dy: (_by_rows(backward, y, dy),))
    return pallas_softmax


def report(backward: Any = _vjp_kernel) -> GradientReport:
    """Check values and rule of the softmax with this kernel for its backward pass."""
    return check_custom(softmax(backward), X, reference=jax.nn.softmax, points=2)


def report_on_the_diagonal() -> GradientReport:
    """Check a backward pass that takes the diagonal of softmax's Jacobian for all of it."""
    return report(_diagonal_vjp_kernel)


if __name__ == "__main__":
    print("softmax in Pallas:", report(), sep="\n\n")
    print("\nWith a wrong backward pass:", report_on_the_diagonal(), sep="\n\n")
