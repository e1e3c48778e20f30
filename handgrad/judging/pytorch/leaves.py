"""Tensors of the caller's, and the arrays that stand for them in a case."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from handgrad.program.aten.tensors import is_tensor, to_array, to_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def arrays_of(tree: Any) -> Any:
    """Return a pytree with arrays in place of tensors."""
    return jax.tree_util.tree_map(lambda leaf: to_array(leaf) if is_tensor(leaf) else leaf, tree)


def unused(leaf: Any) -> Any:
    """Return a copy of a generator, which numbers are drawn from; anything else as it is."""
    torch = sys.modules.get("torch")
    is_generator = torch is not None and isinstance(leaf, torch.Generator)
    return leaf.clone_state() if is_generator else leaf


def fresh(own: Any, leaf: Any) -> Any:
    """Return a tensor with the values of an array, like one of the caller's; else the array."""
    if not is_tensor(own):
        return unused(leaf)
    tensor = to_tensor(leaf).to(own.device)
    return tensor.requires_grad_() if own.requires_grad else tensor


@contextmanager
def copied_back(tensors: Any, arrays: Any) -> Iterator[None]:
    """Copy what is written to tensors to the arrays that they were made of, if that is needed."""
    leaves = map(jax.tree_util.tree_leaves, (tensors, arrays))
    pairs = [(t, a) for t, a in zip(*leaves, strict=True) if is_tensor(t)]
    yield
    for tensor, array in pairs:
        values = to_array(tensor)
        if array.flags.writeable and not np.may_share_memory(values, array):
            np.copyto(array, values)
