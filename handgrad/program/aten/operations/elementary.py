"""Functions of one number: exponentials, circular and special functions, roundings.

Most are a row of a table. JAX rounds its result to half formats once, as torch does.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.operations.promotion import inexact, is_float, is_inexact, promoted, wide
from handgrad.program.aten.registry import operation

#: Functions that make integers floating-point numbers first.
_OF_REALS: dict[str, Callable[[Any], Any]] = {
    "exp": jnp.exp,
    "exp2": jnp.exp2,
    "expm1": jnp.expm1,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "log2": jnp.log2,
    "log10": lambda x: jnp.log(wide(x)) / math.log(10),
    "sqrt": jnp.sqrt,
    "rsqrt": lax.rsqrt,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "tanh": lambda x: jnp.tanh(wide(x)),
    "asinh": jnp.arcsinh,
    "acosh": jnp.arccosh,
    "atanh": jnp.arctanh,
    "sigmoid": lambda x: jax.nn.sigmoid(wide(x)),
    "erf": lax.erf,
    "erfc": lax.erfc,
    "erfinv": lax.erf_inv,
    "lgamma": lax.lgamma,
    "digamma": lambda x: lax.digamma(x),
    "i0": lambda x: lax.bessel_i0e(wide(x)) * jnp.exp(jnp.abs(wide(x))),
    "special_i0e": lax.bessel_i0e,
    "special_i1": lambda x: lax.bessel_i1e(wide(x)) * jnp.exp(jnp.abs(wide(x))),
    "special_i1e": lax.bessel_i1e,
    # That of jax.scipy is a fit, whose slope is not the function's.
    "special_ndtri": lambda x: math.sqrt(2) * lax.erf_inv(2 * wide(x) - 1),
    "special_log_ndtr": lambda x: jax.scipy.special.log_ndtr(wide(x)),
    "special_entr": lambda x: jax.scipy.special.entr(wide(x)),
    "sinc": lambda x: jnp.sinc(wide(x)),
}

#: Functions that leave integers as they are.
_OF_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "ceil": jnp.ceil,
    "floor": jnp.floor,
    "trunc": jnp.trunc,
    "round": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    "frac": lambda x: x - jnp.trunc(x),
}

for _name, _function in _OF_REALS.items():
    operation(_name)(lambda x, f=_function: f(inexact(x)))

for _name, _function in _OF_NUMBERS.items():
    operation(_name)(lambda x, f=_function: f(x) if is_inexact(x) else x)


@operation("abs")
def absolute(x: Any) -> Any:
    """|x|; of a bool it is the bool."""
    return x if x.dtype == bool else jnp.abs(x)


@operation("sign")
def sign(x: Any) -> Any:
    """-1, 0 or 1; 0 for NaN."""
    if not is_float(x):
        return x if x.dtype == bool else jnp.sign(x)
    return jnp.where(jnp.isnan(x), jnp.zeros_like(x), jnp.sign(x))


@operation("sgn")
def direction(x: Any) -> Any:
    """sign(x), of complex numbers x / |x|."""
    return sign(x) if not jnp.iscomplexobj(x) else jnp.where(x == 0, 0, x / jnp.abs(x))


@operation("round.decimals")
def round_to_decimals(x: Any, *, decimals: int) -> Any:
    """Round to so many digits after the point, by a power of ten, as torch does it."""
    if not is_float(x):
        return x
    scale, even = 10.0 ** abs(decimals), lax.RoundingMethod.TO_NEAREST_EVEN
    if decimals >= 0:
        return lax.round(wide(x) * scale, even) / scale
    return lax.round(wide(x) / scale, even) * scale


@operation("atan2")
def angle_of(y: Any, x: Any) -> Any:
    """Return the angle of the point (x, y)."""
    return jnp.arctan2(*promoted(y, x, floats=True))


@operation("polygamma")
def polygamma(n: int, x: Any) -> Any:
    """Return the n-th derivative of digamma."""
    x = wide(inexact(x))
    if n == 0:
        return lax.digamma(x)
    return lax.polygamma(jnp.full_like(x, n), x)


@operation("mvlgamma")
def multivariate_log_gamma(x: Any, p: int) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension p."""
    x = wide(inexact(x))
    parts = [lax.lgamma(x - j / 2) for j in range(p)]
    return sum(parts) + p * (p - 1) / 4 * math.log(math.pi)


@operation("igamma")
def lower_gamma(a: Any, x: Any) -> Any:
    """Return the regularized lower incomplete gamma function."""
    return lax.igamma(*jnp.broadcast_arrays(*promoted(a, x, floats=True)))


@operation("igammac")
def upper_gamma(a: Any, x: Any) -> Any:
    """Return the regularized upper incomplete gamma function."""
    return lax.igammac(*jnp.broadcast_arrays(*promoted(a, x, floats=True)))


@operation("special_zeta", "special_zeta.other_scalar", "special_zeta.self_scalar")
def zeta(x: Any, q: Any) -> Any:
    """Return the Hurwitz zeta function."""
    x, q = (jnp.asarray(each) for each in promoted(x, q, floats=True))
    return jax.scipy.special.zeta(x, q)


@operation("logit")
def logit(x: Any, eps: float | None = None) -> Any:
    """log(x / (1 - x)), of x held to [eps, 1 - eps]."""
    x = wide(inexact(x))
    x = x if eps is None else jnp.clip(x, eps, 1 - eps)
    return jnp.log(x / (1 - x))


@operation("logaddexp")
def log_add_exp(x: Any, y: Any) -> Any:
    """log(eˣ + eʸ)."""
    x, y = promoted(x, y, floats=True)
    return jnp.logaddexp(wide(x), wide(y))


@operation("logaddexp2")
def log_add_exp2(x: Any, y: Any) -> Any:
    """log₂(2ˣ + 2ʸ)."""
    x, y = promoted(x, y, floats=True)
    return jnp.logaddexp2(wide(x), wide(y))


def _times_log(log: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Make x·log(y), which is 0 where x is 0, unless y is NaN."""

    def function(x: Any, y: Any) -> Any:
        x, y = (jnp.asarray(wide(each)) for each in promoted(x, y, floats=True))
        product = jnp.where(x == 0, 0.0, x) * log(jnp.where(x == 0, 1.0, y))
        return jnp.where(jnp.isnan(y), jnp.nan, product)

    return function


operation("xlogy.Tensor", "xlogy.Scalar_Self", "xlogy.Scalar_Other")(_times_log(jnp.log))
operation("special_xlog1py", "special_xlog1py.self_scalar", "special_xlog1py.other_scalar")(
    _times_log(jnp.log1p)
)
