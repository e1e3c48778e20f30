"""A function in PyTorch, computed by PyTorch and by JAX from what was traced."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from handgrad.program.aten.tensors import is_tensor, to_array, to_tensor
from handgrad.program.aten.tracing import in_jax
from tests.torch_installed import torch


def by_torch(f: Callable[..., Any], *arrays: Any) -> list[Any]:
    """Return the results as arrays, in the order of the pytree."""
    made = f(*jax.tree.map(lambda array: to_tensor(np.array(array)), arrays))
    leaves: list[Any] = []
    for leaf in jax.tree.leaves(made, is_leaf=is_tensor):
        # Results of `torch.max` and the like are leaves to JAX.
        leaves += leaf if isinstance(leaf, tuple) else [leaf]
    return [to_array(leaf) if is_tensor(leaf) else np.asarray(leaf) for leaf in leaves]


def by_jax(f: Callable[..., Any], *arrays: Any, module: Any = None) -> list[Any]:
    """Return the same, computed by JAX; every array is traced, and the settings are strict."""
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("strict"),
        jax.numpy_rank_promotion("raise"),
    ):
        made = jax.jit(in_jax(f, module))(*arrays)
        return [np.asarray(leaf) for leaf in jax.tree.leaves(made)]


def slopes(f: Callable[..., Any], *arrays: Any) -> tuple[Any, Any]:
    """Return the gradient of a scalar function in its first argument: PyTorch's, and JAX's."""
    tensors = [to_tensor(np.array(array)) for array in arrays]
    tensors[0].requires_grad_()
    (ours,) = torch.autograd.grad(f(*tensors), tensors[:1], allow_unused=True)
    with jax.enable_x64(True):
        theirs = jax.grad(in_jax(f))(*arrays)
    return np.zeros_like(theirs) if ours is None else to_array(ours), np.asarray(theirs)


def assert_same(f: Callable[..., Any], *arrays: Any, rtol: float = 1e-13) -> None:
    """Assert that both compute the same shapes, dtypes and numbers.

    The sums and products of a few dozen numbers of size 1 are right to some units of 2e-16.
    """
    expected, got = by_torch(f, *arrays), by_jax(f, *arrays)
    assert len(expected) == len(got)
    for one, other in zip(expected, got, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(other, one, rtol=rtol, atol=1e-14)
