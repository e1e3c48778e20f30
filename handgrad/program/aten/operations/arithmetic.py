"""Sums, products, quotients and powers, element by element."""

import math
from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.promotion import (
    aligned,
    common_dtype,
    inexact,
    is_float,
    is_inexact,
    promoted,
    rounded,
    wide,
)
from handgrad.program.aten.registry import operation


@operation("add.Tensor", "add.Scalar")
def add(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x + alpha·y."""
    x, y = promoted(x, y, exact=False)
    if x.dtype == bool:
        return x | (y if alpha else False)
    return x + y if alpha == 1 else _sum(x, alpha, y)


@operation("sub.Tensor", "sub.Scalar")
def subtract(x: Any, y: Any, alpha: Any = 1) -> Any:
    """x - alpha·y."""
    x, y = promoted(x, y, exact=False)
    return x - y if alpha == 1 else _sum(x, -alpha, y)


@operation("rsub.Tensor", "rsub.Scalar")
def subtracted(x: Any, y: Any, alpha: Any = 1) -> Any:
    """y - alpha·x."""
    x, y = promoted(x, y, exact=False)
    return y - x if alpha == 1 else _sum(y, -alpha, x)


def _sum(x: Any, alpha: Any, y: Any) -> Any:
    """x + alpha·y, of half floats in float32 with all numbers in their format."""
    dtype = (x if hasattr(x, "dtype") else y).dtype
    x, y = (wide(each) if hasattr(each, "dtype") else rounded(each, dtype) for each in (x, y))
    return x + rounded(alpha, dtype) * y


@operation("mul.Tensor", "mul.Scalar")
def multiply(x: Any, y: Any) -> Any:
    """x·y."""
    x, y = promoted(x, y)
    return x & y if x.dtype == bool else x * y


@operation("div.Tensor", "div.Scalar", "true_divide.Tensor")
def divide(x: Any, y: Any) -> Any:
    """x / y, of integers as of real numbers."""
    x, y = promoted(x, y, floats=True)
    return x / y


@operation("div.Tensor_mode", "div.Scalar_mode")
def divide_and_round(x: Any, y: Any, *, rounding_mode: str | None) -> Any:
    """x / y, rounded towards 0 (trunc) or down (floor)."""
    if rounding_mode is None:
        return divide(x, y)
    if rounding_mode == "floor":
        return floor_divide(x, y)
    x, y = promoted(x, y)
    return jnp.trunc(x / y) if is_float(x) else lax.div(*aligned(x, y))


@operation("floor_divide", "floor_divide.Scalar")
def floor_divide(x: Any, y: Any) -> Any:
    """x / y, rounded down; for floats by the remainder, as Python does it."""
    x, y = promoted(x, y)
    if not is_float(x):
        x, y = aligned(x, y)
        quotient, rest = lax.div(x, y), lax.rem(x, y)
        return jnp.where((rest != 0) & ((rest < 0) != (y < 0)), quotient - 1, quotient)
    x, y = aligned(wide(x), wide(y))
    rest = lax.rem(x, y)
    quotient = (x - rest) / y
    quotient = jnp.where((rest != 0) & ((y < 0) != (rest < 0)), quotient - 1, quotient)
    whole = jnp.floor(quotient)
    whole = jnp.where(quotient - whole > 0.5, whole + 1, whole)
    whole = jnp.where(quotient == 0, x / y * 0, whole)
    return jnp.where(y == 0, x / y, whole)


@operation("remainder.Tensor", "remainder.Scalar", "remainder.Scalar_Tensor")
def remainder(x: Any, y: Any) -> Any:
    """x - y·floor(x / y), of the sign of y."""
    x, y = aligned(*promoted(x, y))
    rest = lax.rem(x, y)
    return jnp.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)


@operation("fmod.Tensor", "fmod.Scalar")
def fmod(x: Any, y: Any) -> Any:
    """x - y·trunc(x / y), of the sign of x."""
    return lax.rem(*aligned(*promoted(x, y)))


@operation("neg")
def negative(x: Any) -> Any:
    """-x."""
    return -x


@operation("reciprocal")
def reciprocal(x: Any) -> Any:
    """1 / x."""
    return 1 / inexact(x)


@operation("square")
def square(x: Any) -> Any:
    """x²."""
    return jnp.square(x)


@operation("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar")
def power(x: Any, y: Any) -> Any:
    """x to the power y; whole powers, roots and reciprocals as torch computes them."""
    dtype = common_dtype(x, y)
    if hasattr(y, "dtype"):
        x, y = promoted(x, y)
        return _power_of_arrays(x, y)
    if isinstance(y, float) and y.is_integer() and abs(y) < 2**31:
        y = int(y)
    x = wide(x.astype(dtype))
    if isinstance(y, (int, bool)):
        return lax.integer_pow(x, int(y)) if is_inexact(x) or y >= 0 else _inverse_power(x, y)
    special = {0.5: jnp.sqrt, -0.5: lax.rsqrt}
    return special[y](x) if y in special else jnp.power(x, rounded(y, dtype))


def _power_of_arrays(x: Any, y: Any) -> Any:
    if is_inexact(y):
        return jnp.power(wide(x), wide(y))
    x, y = aligned(x, y)
    positive = jnp.power(x, jnp.maximum(y, 0))
    return jnp.where(y < 0, _inverse_power(x, y), positive)


def _inverse_power(x: Any, y: Any) -> Any:
    """Return a negative power of whole numbers: 0 but for ±1."""
    odd = jnp.where(y % 2 == 0, 1, x) if hasattr(y, "dtype") else (x if y % 2 else jnp.ones_like(x))
    return jnp.where(abs(x) == 1, odd, jnp.zeros_like(x))


@operation("float_power.Tensor_Scalar", "float_power.Tensor_Tensor", "float_power.Scalar")
def float_power(x: Any, y: Any) -> Any:
    """x to the power y in float64."""
    wider = jnp.promote_types(common_dtype(x, y), jnp.float64)
    x = x.astype(wider) if hasattr(x, "dtype") else jnp.asarray(x, wider)
    return power(x, y.astype(wider) if hasattr(y, "dtype") else float(y))


@operation("addcmul")
def add_product(x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    """x + value·y·z."""
    x, y, z = map(wide, promoted(x, y, z))
    return x + y * z if value == 1 else x + value * y * z


@operation("addcdiv")
def add_quotient(x: Any, y: Any, z: Any, *, value: Any = 1) -> Any:
    """x + value·y / z."""
    x, y, z = map(wide, promoted(x, y, z, floats=True))
    return x + y / z if value == 1 else x + value * y / z


@operation("lerp.Scalar", "lerp.Tensor")
def interpolate(start: Any, end: Any, weight: Any) -> Any:
    """start + weight·(end - start), from the nearer end."""
    start, end, weight = wide(start), wide(end), wide(weight)
    if not hasattr(weight, "dtype"):
        near_start = abs(weight) < 0.5
        return start + weight * (end - start) if near_start else end - (end - start) * (1 - weight)
    return jnp.where(
        abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight)
    )


@operation("hypot")
def hypotenuse(x: Any, y: Any) -> Any:
    """√(x² + y²)."""
    x, y = promoted(x, y)
    return jnp.hypot(wide(x), wide(y))


@operation("deg2rad")
def radians(x: Any) -> Any:
    """Convert degrees to radians."""
    return wide(inexact(x)) * (math.pi / 180)


@operation("rad2deg")
def degrees(x: Any) -> Any:
    """Convert radians to degrees."""
    return wide(inexact(x)) * (180 / math.pi)


@operation("gcd")
def greatest_divisor(x: Any, y: Any) -> Any:
    """Return the greatest common divisor of integers."""
    return jnp.gcd(*promoted(x, y))


@operation("lcm")
def least_multiple(x: Any, y: Any) -> Any:
    """Return the least common multiple of integers."""
    return jnp.lcm(*promoted(x, y))


@operation("ldexp.Tensor")
def scaled_by_two(x: Any, y: Any) -> Any:
    """x·2^y."""
    x, y = promoted(x, y, floats=True)
    return wide(x) * jnp.exp2(wide(y))
