"""Sums, means and maxima of rows of a table, bag by bag."""

from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.operations.promotion import wide
from handgrad.program.aten.registry import operation

#: torch's numbers of the modes.
SUM, MEAN, MAX = 0, 1, 2


@operation("_embedding_bag", "_embedding_bag_forward_only")
def embedding_bag(
    weight: Any,
    indices: Any,
    offsets: Any,
    scale_grad_by_freq: bool = False,
    mode: int = SUM,
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int = -1,
) -> tuple[Any, Any, Any, Any]:
    """Combine rows of a table.

    Args:
        weight: (rows, features).
        indices: (n,), rows.
        offsets: (bags,), where in `indices` each bag begins; or (bags + 1,), and where they end.
        scale_grad_by_freq: without influence here.
        mode: sum, mean or maximum.
        sparse: without influence here.
        per_sample_weights: (n,), factors of the rows in a sum.
        include_last_offset: whether the end of the last bag is given.
        padding_idx: the row that does not count.

    Returns:
        (bags, features), the bag of each index, sizes of bags, and where maxima are.
    """
    bags = offsets.shape[0] - include_last_offset
    of_bag = jnp.sum(jnp.arange(indices.shape[0])[:, None] >= offsets[None, :bags], axis=1) - 1
    counted = jnp.ones(indices.shape, bool) if padding_idx < 0 else indices != padding_idx
    sizes = jax.ops.segment_sum(counted.astype(jnp.int64), of_bag, bags)
    rows = wide(jnp.take(weight, indices, axis=0))
    if mode == MAX:
        low = jnp.where(counted[:, None], rows, -jnp.inf)
        made = jax.ops.segment_max(low, of_bag, bags)
        made = jnp.where(sizes[:, None] == 0, jnp.zeros_like(made), made)
    else:
        rows = rows if per_sample_weights is None else rows * wide(per_sample_weights)[:, None]
        rows = jnp.where(counted[:, None], rows, jnp.zeros_like(rows))
        made = jax.ops.segment_sum(rows, of_bag, bags)
        if mode == MEAN:
            made = made / jnp.maximum(sizes, 1)[:, None].astype(made.dtype)
    nothing = jnp.zeros((0,), indices.dtype)
    return made, nothing, nothing, nothing
