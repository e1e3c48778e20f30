"""Dtypes of PyTorch, and those of NumPy and JAX that hold the same numbers."""

from typing import Any

import ml_dtypes
import numpy as np

from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import BITS

_NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
_NAMES += ("float16", "float32", "float64", "complex64", "complex128")

#: NumPy's dtype of each of PyTorch's.
TO_NUMPY: dict[Any, np.dtype[Any]] = {
    **{getattr(torch, name): np.dtype(name) for name in _NAMES},
    **{getattr(torch, name): np.dtype(getattr(ml_dtypes, name)) for name in BITS},
}
TO_TORCH = {ours: theirs for theirs, ours in TO_NUMPY.items()}
