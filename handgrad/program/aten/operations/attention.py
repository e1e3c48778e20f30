"""Attention, as the kernels compute it."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from handgrad.data.formats import is_half
from handgrad.program.aten.operations.products import matmul
from handgrad.program.aten.registry import operation


@operation("_scaled_dot_product_flash_attention_for_cpu")
def attention(
    query: Any,
    key: Any,
    value: Any,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    attn_mask: Any = None,
    scale: float | None = None,
) -> tuple[Any, Any]:
    """Return softmax(q kᵀ·scale + mask) v, and log Σ exp of the scores.

    The kernels round exp(score - largest) to a half format, which they multiply by v with sums in
    float32, and divide at the end.
    """
    if dropout_p:
        raise NotImplementedError("attention with dropout")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    key, value = (_of_each_head(each, query) for each in (key, value))
    scores = matmul(query, jnp.swapaxes(key, -1, -2)) * scale
    if is_causal:
        allowed = jnp.tril(jnp.ones(scores.shape[-2:], bool))
        scores = jnp.where(allowed, scores, -jnp.inf)
    if attn_mask is not None and attn_mask.dtype == bool:
        scores = jnp.where(attn_mask, scores, -jnp.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask.astype(scores.dtype)
    log_sums = jax.scipy.special.logsumexp(scores, axis=-1)
    if not is_half(query.dtype):
        return matmul(jax.nn.softmax(scores, axis=-1), value), log_sums
    top = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    weights = jnp.exp(scores - top)
    sums = jnp.sum(weights, axis=-1, keepdims=True)
    return matmul(weights.astype(value.dtype), value) / sums, log_sums


def _of_each_head(x: Any, query: Any) -> Any:
    """Repeat keys or values that several heads of queries have in common."""
    shared = query.shape[-3] // x.shape[-3] if x.ndim > 3 else 1
    return x if shared == 1 else jnp.repeat(x, shared, axis=-3)
