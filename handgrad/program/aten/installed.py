"""PyTorch and its dtypes, loaded here for this folder alone; the type checker need not find it."""

import importlib
from typing import Any

import ml_dtypes
import numpy as np

from handgrad.program.aten.tensors import BITS


def importing(name: str) -> Any:
    """Return a module of PyTorch."""
    return importlib.import_module(name)


torch: Any = importing("torch")
aten: Any = torch.ops.aten
importing("torch._dynamo")  # which its decompositions load, and torch 2.6 not within a trace


def unpromised(module: str, name: str) -> Any:
    """Return what has a name that PyTorch may take away: those below, and no others.

    Raises:
        ImportError: this version has none of that name.
    """
    try:
        return getattr(importing(module), name)
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"torch {torch.__version__} has no {module}.{name}, without which handgrad traces no "
            "function of PyTorch; expected a version that handgrad's extra allows",
            name=module,
        ) from error


#: Sees each operation that a traced function comes down to, views and writes as well.
DispatchMode: Any = unpromised("torch.utils._python_dispatch", "TorchDispatchMode")
#: How operations without a rule of ours are written in others: operation -> function.
DECOMPOSITIONS: Any = unpromised("torch._decomp", "decomposition_table")
#: Contexts in which PyTorch's own code runs on traced tensors: below `__torch_function__`, and
#: below the dispatch to our rules.
without_torch_function: Any = unpromised("torch._C", "DisableTorchFunction")
without_dispatch: Any = unpromised("torch._C", "_DisableTorchDispatch")
#: The `__torch_function__` of a class that has none of its own.
no_torch_function: Any = unpromised("torch._C", "_disabled_torch_function_impl")
#: What `torch.no_grad` and the like call.
set_grad_enabled: Any = unpromised("torch._C", "_set_grad_enabled")

_NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
_NAMES += ("float16", "float32", "float64", "complex64", "complex128")

#: NumPy's dtype of each of PyTorch's.
TO_NUMPY: dict[Any, np.dtype[Any]] = {
    **{getattr(torch, name): np.dtype(name) for name in _NAMES},
    **{getattr(torch, name): np.dtype(getattr(ml_dtypes, name)) for name in BITS},
}
TO_TORCH = {ours: theirs for theirs, ours in TO_NUMPY.items()}
