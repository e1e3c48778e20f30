"""Products of matrices and vectors, and distances; half floats are summed in float32."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.data.formats import is_half
from handgrad.program.aten.operations.promotion import is_inexact, wide
from handgrad.program.aten.operations.reductions import vector_norm
from handgrad.program.aten.registry import operation


@operation("mm", "bmm", "mv", "dot")
def matmul(x: Any, y: Any) -> Any:
    """x @ y."""
    accumulate = jnp.float32 if is_half(x.dtype) else None
    return jnp.matmul(x, y, preferred_element_type=accumulate)


@operation("mm.dtype", "bmm.dtype")
def matmul_into(x: Any, y: Any, out_dtype: Any) -> Any:
    """x @ y, in a wider dtype."""
    return jnp.matmul(x, y, preferred_element_type=out_dtype)


@operation("vdot")
def conjugate_dot(x: Any, y: Any) -> Any:
    """Σ conj(x)·y."""
    return matmul(jnp.conj(x), y)


@operation("addmm", "baddbmm", "addmv", "_sparse_addmm")
def add_matmul(into: Any, x: Any, y: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·into + alpha·(x @ y); without `into` where beta is 0."""
    return _sum(into, matmul(x, y), beta, alpha)


@operation("addbmm")
def add_sum_of_matmuls(into: Any, x: Any, y: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·into + alpha·Σ (x @ y), summed over the first axis."""
    return _sum(into, jnp.sum(matmul(x, y), axis=0), beta, alpha)


@operation("addr")
def add_outer(into: Any, x: Any, y: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·into + alpha·x yᵀ."""
    if x.dtype == bool:
        outer = x[:, None] & y[None, :] & bool(alpha)
        return outer | into if beta else outer
    return _sum(into, wide(x)[:, None] * wide(y)[None, :], beta, alpha)


def _sum(into: Any, product: Any, beta: Any, alpha: Any) -> Any:
    if not is_inexact(product):  # where torch truncates the factors
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else alpha * product
    if beta == 0:
        return product
    into = into.astype(jnp.promote_types(into.dtype, product.dtype))
    product = product.astype(into.dtype)
    return (into if beta == 1 else beta * into) + product


@operation("_trilinear")
def trilinear(
    x: Any,
    y: Any,
    z: Any,
    expand1: list[int],
    expand2: list[int],
    expand3: list[int],
    sumdim: list[int],
    unroll_dim: int = 1,
) -> Any:
    """Σ x·y·z over axes, after each was given new axes."""
    operands = zip((x, y, z), (expand1, expand2, expand3), strict=True)
    x, y, z = (jnp.expand_dims(wide(each), tuple(axes)) for each, axes in operands)
    return jnp.sum(x * y * z, axis=tuple(sumdim))


@operation("linalg_cross")
def cross(x: Any, y: Any, *, dim: int = -1) -> Any:
    """Return the cross product of vectors along an axis."""
    x, y = jnp.broadcast_arrays(wide(x), wide(y))
    return jnp.cross(x, y, axis=dim)


@operation("_cdist_forward")
def distances(x: Any, y: Any, p: float, compute_mode: int | None) -> Any:
    """Return the p-norms of the differences of all rows of x and of y."""
    gaps = jnp.expand_dims(x, -2) - jnp.expand_dims(y, -3)
    return vector_norm(gaps, p, -1)


@operation("_euclidean_dist")
def euclidean_distances(x: Any, y: Any) -> Any:
    """Return the distances of all rows of x and of y."""
    return distances(x, y, 2, None)


@operation("_pdist_forward")
def distances_among(x: Any, p: float = 2) -> Any:
    """Return the p-norms of the differences of all pairs of rows."""
    first, second = np.triu_indices(x.shape[0], 1)
    return vector_norm(x[first] - x[second], p, -1)
