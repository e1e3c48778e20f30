"""PyTorch's primitives, `prims`, of which it makes all operations that have no rule here.

Its own decompositions have brought the operands to the dtype in which it computes, and one shape; a
Python number among them stays one.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad.program.aten.operations.axes import axes_of
from handgrad.program.aten.operations.promotion import common_dtype, is_inexact
from handgrad.program.aten.registry import operation


def _times_growth(scaled: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a Bessel function I of the one that is scaled by e^-|x|."""
    return lambda x: scaled(x) * jnp.exp(jnp.abs(x))


_OF_ONE: dict[str, Callable[[Any], Any]] = {
    "abs": jnp.abs,
    "acos": jnp.arccos,
    "acosh": jnp.arccosh,
    "asin": jnp.arcsin,
    "asinh": jnp.arcsinh,
    "atan": jnp.arctan,
    "atanh": jnp.arctanh,
    "bessel_i0": _times_growth(lax.bessel_i0e),
    "bessel_i0e": lax.bessel_i0e,
    "bessel_i1": _times_growth(lax.bessel_i1e),
    "bessel_i1e": lax.bessel_i1e,
    "bitwise_not": jnp.bitwise_not,
    "cbrt": jnp.cbrt,
    "ceil": jnp.ceil,
    "clone": lambda x: x,
    "conj_physical": jnp.conj,
    "cos": jnp.cos,
    "cosh": jnp.cosh,
    "digamma": lambda x: lax.digamma(x),
    "erf": lax.erf,
    "erf_inv": lax.erf_inv,
    "erfc": lax.erfc,
    "exp": jnp.exp,
    "exp2": jnp.exp2,
    "expm1": jnp.expm1,
    "floor": jnp.floor,
    "imag": jnp.imag,
    "isfinite": jnp.isfinite,
    "lgamma": lax.lgamma,
    "log": jnp.log,
    "log10": lambda x: jnp.log(x) / math.log(10),
    "log1p": jnp.log1p,
    "log2": jnp.log2,
    # That of jax.scipy is a fit, whose slope is not the function's.
    "ndtri": lambda x: math.sqrt(2) * lax.erf_inv(2 * x - 1),
    "neg": jnp.negative,
    "real": jnp.real,
    "reciprocal": lambda x: 1 / x,
    "round": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "rsqrt": lax.rsqrt,
    "sign": jnp.sign,
    "signbit": jnp.signbit,
    "sin": jnp.sin,
    "sinh": jnp.sinh,
    "sqrt": jnp.sqrt,
    "tan": jnp.tan,
    "tanh": jnp.tanh,
    "trunc": jnp.trunc,
    "view_of": lambda x: x,
}


def _divided(x: Any, y: Any) -> Any:
    return x / y if is_inexact(x) or is_inexact(y) else lax.div(x, y)


def _raised(x: Any, y: Any) -> Any:
    """x to the power y; to a whole number by products, which has a slope at 0 and below."""
    if isinstance(y, float) and y.is_integer() and abs(y) < 2**31:
        return lax.integer_pow(x, int(y))
    return jnp.power(x, y)


_OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "add": jnp.add,
    "atan2": jnp.arctan2,
    "bitwise_and": jnp.bitwise_and,
    "bitwise_or": jnp.bitwise_or,
    "bitwise_xor": jnp.bitwise_xor,
    "div": _divided,
    "eq": jnp.equal,
    "fmax": jnp.fmax,
    "fmin": jnp.fmin,
    "fmod": lax.rem,
    "gcd": jnp.gcd,
    "ge": jnp.greater_equal,
    "gt": jnp.greater,
    "hypot": jnp.hypot,
    "igamma": lax.igamma,
    "igammac": lax.igammac,
    "le": jnp.less_equal,
    "lt": jnp.less,
    "maximum": jnp.maximum,
    "minimum": jnp.minimum,
    "mul": jnp.multiply,
    "ne": jnp.not_equal,
    "nextafter": lax.nextafter,
    "pow": _raised,
    "remainder": jnp.remainder,
    "shift_left": jnp.left_shift,
    "shift_right_arithmetic": jnp.right_shift,
    "sub": jnp.subtract,
    "zeta": jax.scipy.special.zeta,
}

#: Those that take a Python number as it is.
_WITH_NUMBERS = {"add", "div", "mul", "sub", "pow"}


def _alike(*operands: Any) -> list[Any]:
    """Return operands as arrays of one shape."""
    dtype = common_dtype(*operands)
    return jnp.broadcast_arrays(*(jnp.asarray(each, dtype) for each in operands))


for _name, _of_one in _OF_ONE.items():
    operation(f"prims.{_name}")(lambda x, f=_of_one: f(x))

for _name, _of_two in _OF_TWO.items():
    if _name in _WITH_NUMBERS:
        operation(f"prims.{_name}")(_of_two)
    else:
        operation(f"prims.{_name}")(lambda x, y, f=_of_two: f(*_alike(x, y)))


@operation("prims.where")
def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition holds, else y."""
    return jnp.where(condition, *_alike(x, y))


@operation("prims.convert_element_type")
def converted(x: Any, dtype: Any) -> Any:
    """Convert to a dtype; of a complex number the real part, if that is real."""
    if jnp.iscomplexobj(x) and not jnp.issubdtype(dtype, np.complexfloating):
        x = x != 0 if np.issubdtype(dtype, np.bool_) else jnp.real(x)
    return x.astype(dtype)


# Forms.


_FORMS: dict[str, Callable[..., Any]] = {
    "broadcast_in_dim": lax.broadcast_in_dim,
    "cat": lax.concatenate,
    "device_put": lambda x, *_: x,  # a trace is on no device
    "reshape": jnp.reshape,
    "rev": lax.rev,
    "slice": lax.slice,
    "slice_in_dim": lax.slice_in_dim,
    "squeeze": lax.squeeze,
    "transpose": jnp.transpose,
}

for _name, _of_form in _FORMS.items():
    operation(f"prims.{_name}")(_of_form)


@operation("prims.collapse_view")
def collapse(x: Any, start: int, end: int) -> Any:
    """Make one axis of those from start to end, the last one included."""
    joined = math.prod(x.shape[start : end + 1])
    return jnp.reshape(x, (*x.shape[:start], joined, *x.shape[end + 1 :]))


@operation("prims.split_dim")
def split_dim(x: Any, dim: int, outer: int) -> Any:
    """Make two axes of one."""
    return jnp.reshape(x, (*x.shape[:dim], outer, x.shape[dim] // outer, *x.shape[dim + 1 :]))


# Reductions.


def _reduced(
    f: Callable[..., Any], x: Any, dims: Sequence[int] | None, *, output_dtype: Any = None
) -> Any:
    found = f(x, axis=axes_of(x, dims))
    return found if output_dtype is None else converted(found, output_dtype)


for _name, _of_axes in {"sum": jnp.sum, "prod": jnp.prod, "amax": jnp.max, "amin": jnp.min}.items():
    operation(f"prims.{_name}")(partial(_reduced, _of_axes))


@operation("prims.var")
def variance(x: Any, dims: Sequence[int] | None, correction: float = 1) -> Any:
    """Return the mean square of the deviations, the count lessened by the correction."""
    axes = axes_of(x, dims)
    count = math.prod(x.shape[axis] for axis in axes)
    gaps = x - jnp.sum(x, axes, keepdims=True) / count
    squares = jnp.square(jnp.abs(gaps)) if jnp.iscomplexobj(x) else jnp.square(gaps)
    return jnp.sum(squares, axes) / max(0, count - correction)
