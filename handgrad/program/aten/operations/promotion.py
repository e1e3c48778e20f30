"""Bring operands to the dtype in which torch computes: its promotion of types, and half floats.

Torch's rules differ from JAX's: arrays without dimensions and Python numbers raise the kind of the
result (bool, integer, real, complex), never the width within a kind.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from handgrad.data.formats import is_half
from handgrad.program.aten.dtypes import TO_NUMPY
from handgrad.program.aten.installed import torch

_KINDS = (np.bool_, np.integer, np.floating, np.complexfloating)


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


def real_of(dtype: Any) -> Any:
    """Return the dtype of the real part of numbers of a dtype."""
    return jnp.finfo(dtype).dtype if is_inexact(dtype) else dtype


def common_dtype(*operands: Any) -> Any:
    """Return the dtype to which torch promotes arrays and Python numbers (`torch.result_type`)."""
    ranks: tuple[list[Any], ...] = ([], [], [])
    for operand in operands:
        if operand is None:
            continue
        if not hasattr(operand, "dtype"):
            ranks[2].append(_dtype_of_number(operand))
        else:
            ranks[0 if np.ndim(operand) else 1].append(jnp.dtype(operand.dtype))
    of_arrays, of_scalars, of_numbers = map(_widest, ranks)
    return _combined(of_arrays, _combined(of_scalars, of_numbers))


def _dtype_of_number(number: Any) -> Any:
    if isinstance(number, bool):
        return jnp.dtype(bool)
    if isinstance(number, int):
        return jnp.dtype(np.int64)
    complex_kind = np.complex128 if default_float() == np.float64 else np.complex64
    return jnp.dtype(complex_kind) if isinstance(number, complex) else default_float()


def aligned(*operands: Any) -> list[Any]:
    """Convert to arrays of one dtype and one shape."""
    dtype = common_dtype(*operands)
    return jnp.broadcast_arrays(*(jnp.asarray(operand, dtype) for operand in operands))


def _widest(dtypes: Sequence[Any]) -> Any:
    widest = None
    for dtype in dtypes:
        widest = dtype if widest is None else _promoted(widest, dtype)
    return widest


def _promoted(one: Any, other: Any) -> Any:
    with_floats = [dtype for dtype in (one, other) if is_inexact(dtype)]
    return with_floats[0] if len(with_floats) == 1 else jnp.promote_types(one, other)


def _kind(dtype: Any) -> int:
    return next(i for i, kind in enumerate(_KINDS) if jnp.issubdtype(dtype, kind))


def _combined(higher: Any, lower: Any) -> Any:
    """Return the dtype of a higher rank, unless one of a lower rank is of a higher kind."""
    if higher is None or lower is None:
        return lower if higher is None else higher
    if _kind(higher) >= _kind(lower):
        return higher
    return jnp.promote_types(higher, lower) if _kind(lower) == 3 else lower


def promoted(*operands: Any, floats: bool = False, exact: bool = True) -> tuple[Any, ...]:
    """Convert the operands of an elementwise operation to the dtype in which torch computes it.

    Args:
        operands: arrays, Python numbers, which stay such, and None.
        floats: whether integers become floating-point numbers, as in a division.
        exact: whether torch takes Python numbers as they are. Then all are converted to float32
            where one is no number of the half format of the arrays; else it is rounded to that.
    """
    dtype = common_dtype(*operands)
    if floats and not is_inexact(dtype):
        dtype = default_float()
    if exact and is_half(dtype) and not all(_in_format(each, dtype) for each in operands):
        dtype = jnp.dtype(np.float32)
    return tuple(_converted(operand, dtype) for operand in operands)


def rounded(number: Any, dtype: Any) -> Any:
    """Round a Python number to a half format, as torch does with the factors of sums."""
    return float(np.asarray(number).astype(dtype)) if is_half(dtype) else number


def _in_format(operand: Any, dtype: Any) -> bool:
    if operand is None or hasattr(operand, "dtype") or operand != operand:
        return True
    return float(np.asarray(operand, dtype=np.float64).astype(dtype)) == operand


def _converted(operand: Any, dtype: Any) -> Any:
    if operand is None or hasattr(operand, "dtype"):
        return operand if operand is None else operand.astype(dtype)
    kind = (bool, int, float, complex)[_kind(dtype)]
    return kind(operand)
