"""Tensors and arrays, one made of the other; nothing here loads PyTorch before a tensor is seen."""

import importlib
import sys
from typing import Any

import jax
import ml_dtypes
import numpy as np

#: Formats that NumPy lacks: their names in PyTorch, and integers as wide as they are.
BITS = {
    "bfloat16": "int16",
    "float8_e4m3fn": "uint8",
    "float8_e5m2": "uint8",
    "float8_e4m3fnuz": "uint8",
    "float8_e5m2fnuz": "uint8",
}


def is_tensor(x: Any) -> bool:
    """Tell whether an object is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def is_module(x: Any) -> bool:
    """Tell whether an object is an `nn.Module` of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.nn.Module)


def outputs_of(result: Any) -> list[Any]:
    """Return the leaves of a result, in order; `torch.max(x, 1)` and the like have several."""
    leaves = jax.tree_util.tree_leaves(result)
    return [part for leaf in leaves for part in (leaf if is_several(leaf) else [leaf])]


def is_several(leaf: Any) -> bool:
    """Tell whether what is a leaf to JAX is a tuple of tensors, of `torch.max` and the like."""
    return type(leaf).__module__ == "torch.return_types"


def to_array(tensor: Any) -> np.ndarray[Any, Any]:
    """Return a tensor's values, detached and on the CPU; they share memory where they can."""
    torch = sys.modules["torch"]
    plain = tensor if tensor.layout is torch.strided else tensor.to_dense()
    name = str(plain.dtype).removeprefix("torch.")
    if name not in BITS:
        return plain.numpy(force=True)
    return (
        plain.detach()
        .view(getattr(torch, BITS[name]))
        .numpy(force=True)
        .view(getattr(ml_dtypes, name))
    )


class NoTensorError(TypeError):
    """An array of what PyTorch has no tensors of: longer floats, or power series."""


def to_tensor(array: Any) -> Any:
    """Return an array's values as a tensor.

    It is on the CPU, and shares the memory of a NumPy array that can be written to.

    Args:
        array: an array of NumPy or JAX, also in a format of `ml_dtypes`.

    Raises:
        NoTensorError: PyTorch has no such numbers.
    """
    torch = importlib.import_module("torch")
    values = np.asarray(array)
    if not values.flags.writeable or any(stride < 0 for stride in values.strides):
        values = values.copy()
    name = values.dtype.name
    if name in BITS:
        return torch.from_numpy(values.view(BITS[name])).view(getattr(torch, name))
    try:
        return torch.from_numpy(values)
    except TypeError as error:
        raise NoTensorError(f"PyTorch has no tensors of {name}") from error
