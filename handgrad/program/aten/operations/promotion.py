"""Bring operands to the dtype in which torch computes: its promotion of types, and half floats.

Torch's rules differ from JAX's: arrays without dimensions and Python numbers raise the kind of the
result (bool, integer, real, complex), never the width within a kind.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.data.formats import is_half
from handgrad.program.aten.installed import TO_NUMPY, TO_TORCH, torch


def is_float(x: Any) -> bool:
    """Tell whether an array or a dtype is of real floating-point numbers."""
    return jnp.issubdtype(getattr(x, "dtype", x), np.floating)


def is_inexact(x: Any) -> bool:
    """Tell whether an array or a dtype is of real or complex floating-point numbers."""
    return jnp.issubdtype(getattr(x, "dtype", x), np.inexact)


def default_float() -> Any:
    """Return the dtype of torch's new tensors of real numbers."""
    return TO_NUMPY[torch.get_default_dtype()]


def wide(x: Any) -> Any:
    """Convert half floats to float32, in which torch computes, and leave the rest."""
    return x.astype(jnp.float32) if hasattr(x, "dtype") and is_half(x.dtype) else x


def inexact(x: Any) -> Any:
    """Convert integers to floating-point numbers, as torch does for exp, mean and the like."""
    return x if is_inexact(x) else x.astype(default_float())


def common_dtype(x: Any, y: Any) -> Any:
    """Return the dtype to which torch promotes two operands, each an array or a Python number."""
    return jnp.dtype(TO_NUMPY[torch.result_type(_form(x), _form(y))])


def _form(x: Any) -> Any:
    """Return a tensor without values of the form of an array; a number as it is."""
    if not hasattr(x, "dtype"):
        return x
    return torch.empty(x.shape, dtype=TO_TORCH[jnp.dtype(x.dtype)], device="meta")


def promoted(x: Any, y: Any, floats: bool = False, exact: bool = True) -> tuple[Any, Any]:
    """Convert the operands of an elementwise operation to the dtype in which torch computes it.

    Args:
        x, y: arrays, or Python numbers, which stay such.
        floats: whether integers become floating-point numbers, as in a quotient.
        exact: whether torch takes Python numbers as they are. Then both are converted to float32
            where one is no number of the half format of the arrays; else it is rounded to that.
    """
    dtype = common_dtype(x, y)
    if floats and not is_inexact(dtype):
        dtype = default_float()
    if exact and is_half(dtype) and not (_in_format(x, dtype) and _in_format(y, dtype)):
        dtype = jnp.dtype(np.float32)
    return _converted(x, dtype), _converted(y, dtype)


def rounded(number: Any, dtype: Any) -> Any:
    """Round a Python number to a half format, as torch does with the factors of sums."""
    return float(np.asarray(number).astype(dtype)) if is_half(dtype) else number


def _in_format(operand: Any, dtype: Any) -> bool:
    if hasattr(operand, "dtype") or operand != operand:
        return True
    return float(np.asarray(operand, dtype=np.float64).astype(dtype)) == operand


def _converted(operand: Any, dtype: Any) -> Any:
    return operand.astype(dtype) if hasattr(operand, "dtype") else operand
