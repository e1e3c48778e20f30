"""Comparisons, choices, and the operations of bits and truth values."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.promotion import (
    common_dtype,
    inexact,
    is_float,
    is_inexact,
    promoted,
    wide,
)
from handgrad.program.aten.registry import operation

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": jnp.equal,
    "ne": jnp.not_equal,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
}


def _compared(f: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: f(*promoted(x, y))


for _name, _function in _COMPARISONS.items():
    operation(f"{_name}.Tensor", f"{_name}.Scalar")(_compared(_function))


def truth(x: Any) -> Any:
    """Tell which elements are not 0."""
    return x if x.dtype == bool else x != 0


_LOGICAL: dict[str, Callable[..., Any]] = {
    "logical_and": jnp.logical_and,
    "logical_or": jnp.logical_or,
    "logical_xor": jnp.logical_xor,
    "logical_not": jnp.logical_not,
}

for _name, _function in _LOGICAL.items():
    operation(_name)(lambda *xs, f=_function: f(*map(truth, xs)))

_BITWISE: dict[str, Callable[[Any, Any], Any]] = {
    "bitwise_and": jnp.bitwise_and,
    "bitwise_or": jnp.bitwise_or,
    "bitwise_xor": jnp.bitwise_xor,
}

for _name, _function in _BITWISE.items():
    _overloads = [f"{_name}.{which}" for which in ("Tensor", "Scalar", "Scalar_Tensor")]
    operation(*_overloads)(_compared(_function))


@operation("bitwise_not")
def bitwise_not(x: Any) -> Any:
    """Flip every bit; of a truth value, the other one."""
    return ~x


@operation("__lshift__.Tensor", "__lshift__.Scalar")
@operation("bitwise_left_shift.Tensor", "bitwise_left_shift.Tensor_Scalar")
def shift_left(x: Any, y: Any) -> Any:
    """x·2^y, of integers."""
    return jnp.left_shift(*promoted(x, y))


@operation("__rshift__.Tensor", "__rshift__.Scalar")
@operation("bitwise_right_shift.Tensor", "bitwise_right_shift.Tensor_Scalar")
def shift_right(x: Any, y: Any) -> Any:
    """x / 2^y rounded down, of integers."""
    return jnp.right_shift(*promoted(x, y))


@operation("isnan")
def is_nan(x: Any) -> Any:
    """Tell which elements are NaN."""
    return jnp.isnan(x) if is_inexact(x) else jnp.zeros(x.shape, bool)


@operation("isinf")
def is_infinite(x: Any) -> Any:
    """Tell which elements are infinite."""
    return jnp.isinf(x) if is_inexact(x) else jnp.zeros(x.shape, bool)


@operation("isposinf")
def is_positive_infinite(x: Any) -> Any:
    """Tell which elements are +∞."""
    return x == jnp.inf if is_float(x) else jnp.zeros(x.shape, bool)


@operation("isneginf")
def is_negative_infinite(x: Any) -> Any:
    """Tell which elements are -∞."""
    return x == -jnp.inf if is_float(x) else jnp.zeros(x.shape, bool)


@operation("signbit")
def sign_bit(x: Any) -> Any:
    """Tell which elements are negative, -0 among them."""
    return jnp.signbit(x) if is_float(x) else (x < 0 if x.dtype != bool else jnp.zeros_like(x))


@operation("equal")
def equal(x: Any, y: Any) -> bool:
    """Tell whether two tensors are of one shape and equal: a Python bool."""
    return x.shape == y.shape and bool(jnp.all(jnp.equal(*promoted(x, y))))


@operation("where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar")
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y."""
    dtype = common_dtype(x, y)
    return jnp.where(truth(condition), jnp.asarray(x, dtype), jnp.asarray(y, dtype))


@operation("maximum")
def maximum(x: Any, y: Any) -> Any:
    """Return the larger, NaN if either is NaN."""
    return jnp.maximum(*promoted(x, y))


@operation("minimum")
def minimum(x: Any, y: Any) -> Any:
    """Return the smaller, NaN if either is NaN."""
    return jnp.minimum(*promoted(x, y))


@operation("fmax")
def larger_number(x: Any, y: Any) -> Any:
    """Return the larger, of a number and NaN the number."""
    return jnp.fmax(*promoted(x, y))


@operation("fmin")
def smaller_number(x: Any, y: Any) -> Any:
    """Return the smaller, of a number and NaN the number."""
    return jnp.fmin(*promoted(x, y))


@operation("clamp", "clamp.Tensor", "clip", "clip.Tensor")
def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """Hold x between two bounds; the upper one if they cross."""
    x, low, high = promoted(x, min, max)
    x = x if low is None else jnp.maximum(x, low)
    return x if high is None else jnp.minimum(x, high)


@operation("clamp_min", "clamp_min.Tensor")
def clamp_min(x: Any, min: Any) -> Any:
    """Return the larger of x and a bound."""
    return clamp(x, min)


@operation("clamp_max", "clamp_max.Tensor")
def clamp_max(x: Any, max: Any) -> Any:
    """Return the smaller of x and a bound."""
    return clamp(x, None, max)


@operation("nan_to_num")
def numbers_for_nan(
    x: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Replace NaN by 0, and infinities by the largest numbers, or by what is given."""
    if not is_inexact(x):
        return x
    return jnp.nan_to_num(x, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


@operation("heaviside")
def heaviside(x: Any, at_zero: Any) -> Any:
    """0 below 0, 1 above, and at 0 what is given."""
    x, at_zero = promoted(x, at_zero)
    return jnp.where(x == 0, at_zero, jnp.where(x > 0, jnp.ones_like(x), jnp.zeros_like(x)))


@operation("copysign.Tensor", "copysign.Scalar")
def with_sign_of(x: Any, y: Any) -> Any:
    """|x| with the sign of y."""
    x, y = promoted(x, y, floats=True)
    negative = jnp.signbit(y) if hasattr(y, "dtype") else bool(np.signbit(y))
    return jnp.where(negative, -jnp.abs(x), jnp.abs(x))


@operation("nextafter")
def next_after(x: Any, y: Any) -> Any:
    """Return the next number of the format after x, towards y."""
    return lax.nextafter(*jnp.broadcast_arrays(*promoted(x, y)))


@operation("isin.Tensor_Tensor", "isin.Tensor_Scalar", "isin.Scalar_Tensor")
def is_in(x: Any, among: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Tell which elements are among others."""
    x, among = (jnp.asarray(each) for each in promoted(x, among))
    found = jnp.any(x[..., None] == among.reshape(-1), axis=-1)
    return ~found if invert else found


@operation("allclose")
def all_close(
    x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Tell whether all elements are within tolerances: a Python bool."""
    near = (x == y) | (jnp.abs(inexact(x - y)) <= atol + jnp.abs(rtol * wide(y)))
    both = jnp.isnan(x) & jnp.isnan(y) if equal_nan else False
    return bool(jnp.all(near | both))
