"""A PyTorch function as a function of JAX arrays."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from handgrad.program.aten.dispatch import Dispatch
from handgrad.program.aten.dtypes import TO_TORCH
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import is_tensor
from handgrad.program.aten.traced_tensor import TracedTensor, array_of, holding


def in_jax(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a PyTorch function as one of pytrees in which arrays stand for tensors.

    Raises:
        UncoveredOperationError: it uses an operation that is not in the table.
    """

    @functools.wraps(f)
    def traced(*args: Any, **kwargs: Any) -> Any:
        with (
            jax.enable_x64(True),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            torch.inference_mode(False),
            torch.enable_grad(),
            Dispatch() as dispatch,
        ):
            args, kwargs = jax.tree.map(_tensor, (args, kwargs))
            result = f(*args, **kwargs)
            return jax.tree.map(lambda x: _array(dispatch, x), result, is_leaf=is_tensor)

    return traced


def _tensor(x: Any) -> Any:
    if not hasattr(x, "dtype") or not hasattr(x, "shape"):
        return x
    array = jnp.asarray(x)
    form = torch.empty(array.shape, dtype=TO_TORCH[array.dtype], device="meta")
    return holding(array, form)


def _array(dispatch: Dispatch, x: Any) -> Any:
    if not is_tensor(x):
        return x
    return array_of(x if isinstance(x, TracedTensor) else dispatch._lift(x))
