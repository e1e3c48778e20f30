"""Products of matrices and vectors; half floats are summed in float32."""

from typing import Any

import jax.numpy as jnp

from handgrad.data.formats import is_half
from handgrad.program.aten.operations.promotion import is_inexact
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


@operation("addmm", "baddbmm", "addmv", "_sparse_addmm")
def add_matmul(into: Any, x: Any, y: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·into + alpha·(x @ y); without `into` where beta is 0."""
    product = matmul(x, y)
    if not is_inexact(product):  # where torch truncates the factors
        beta, alpha = int(beta), int(alpha)
    product = product if alpha == 1 else alpha * product
    if beta == 0:
        return product
    into = into.astype(jnp.promote_types(into.dtype, product.dtype))
    product = product.astype(into.dtype)
    return (into if beta == 1 else beta * into) + product
