"""Functions of complex numbers, element by element, by their real and imaginary parts.

The formulas are those of the DLMF, chapter 4 (4.15, 4.21, 4.28 and 4.35), on the branches that JAX
and NumPy take.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jax import lax

from handgrad.data.complex_pairs import Pair
from handgrad.program.complex_numbers import parts
from handgrad.program.complex_numbers.parts import half, imag, minus, negative, over, plus, times


def exp(z: Pair) -> Pair:
    """e^x (cos y + i sin y)."""
    return _polar(lax.exp(z.real), z.imag)


def _polar(size: Any, angle: Any) -> Pair:
    real = times(size, lax.cos(angle))
    with parts.imaginary():
        return Pair(real, times(size, lax.sin(angle)))


def log(z: Pair) -> Pair:
    """log |z| + i arg z."""
    return Pair(half(lax.log(parts.square_of_size(z))), parts.angle(z))


def log1p(z: Pair) -> Pair:
    """log(1 + z), whose real part is log(1 + 2x + |z|²) / 2."""
    above = plus(plus(z.real, z.real), parts.square_of_size(z))
    x = lax.add(z.real, lax.full_like(z.real, 1))
    return Pair(half(lax.log1p(above)), lax.atan2(imag(z), x))


def expm1(z: Pair) -> Pair:
    """e^z - 1, whose real part is (e^x - 1) cos y - 2 sin²(y / 2)."""
    s = lax.sin(half(z.imag))
    real = minus(times(lax.expm1(z.real), lax.cos(z.imag)), plus(times(s, s), times(s, s)))
    return Pair(real, times(lax.exp(z.real), lax.sin(z.imag)))


def sqrt(z: Pair) -> Pair:
    """√|z| at half the angle."""
    return _polar(lax.sqrt(parts.size(z)), half(parts.angle(z)))


def rsqrt(z: Pair) -> Pair:
    """1 / √z."""
    return _polar(lax.rsqrt(parts.size(z)), negative(half(parts.angle(z))))


def power(z: Pair, w: Any) -> Pair:
    """z^w = e^(w log z); of a whole number w, a product."""
    w = parts.of(lax.convert_element_type(w, z.real.dtype) if _whole(w) else w)
    return exp(parts.mul(log(z), w))


def _whole(w: Any) -> bool:
    return not isinstance(w, Pair) and np.issubdtype(w.dtype, np.integer)


def integer_power(z: Pair, n: int) -> Pair:
    """z^n by squaring."""
    if n < 0:
        return parts.div(_one(z), integer_power(z, -n))
    result, factor = None, z
    while n:
        if n % 2:
            result = factor if result is None else parts.mul(result, factor)
        n //= 2
        factor = parts.mul(factor, factor) if n else factor
    return _one(z) if result is None else result


def sin(z: Pair) -> Pair:
    """sin x cosh y + i cos x sinh y."""
    x, y = z
    return Pair(times(lax.sin(x), lax.cosh(y)), times(lax.cos(x), lax.sinh(y)))


def cos(z: Pair) -> Pair:
    """cos x cosh y - i sin x sinh y."""
    x, y = z
    return Pair(times(lax.cos(x), lax.cosh(y)), negative(times(lax.sin(x), lax.sinh(y))))


def sinh(z: Pair) -> Pair:
    """sinh x cos y + i cosh x sin y."""
    x, y = z
    return Pair(times(lax.sinh(x), lax.cos(y)), times(lax.cosh(x), lax.sin(y)))


def cosh(z: Pair) -> Pair:
    """cosh x cos y + i sinh x sin y."""
    x, y = z
    return Pair(times(lax.cosh(x), lax.cos(y)), times(lax.sinh(x), lax.sin(y)))


def tanh(z: Pair) -> Pair:
    """(tanh x + i sin y cos y / cosh² x) / (cos² y + tanh² x sin² y); nothing overflows in it."""
    t, s, c, r = lax.tanh(z.real), lax.sin(z.imag), lax.cos(z.imag), lax.cosh(z.real)
    below = plus(times(c, c), times(times(t, t), times(s, s)))
    return Pair(over(t, below), over(over(over(times(s, c), r), r), below))


def tan(z: Pair) -> Pair:
    """tan z = -i tanh(i z)."""
    return _minus_i_times(tanh(_i_times(z)))


def logistic(z: Pair) -> Pair:
    """1 / (1 + e^-z)."""
    return parts.div(_one(z), parts.add(_one(z), exp(_negative(z))))


def sign(z: Pair) -> Pair:
    """z / |z|, and 0 at 0."""
    r = parts.size(z)
    zero, nothing = lax.eq(r, lax.full_like(r, 0)), lax.full_like(r, 0)
    return Pair(*(lax.select(zero, nothing, over(part, r)) for part in z))


def _negative(z: Pair) -> Pair:
    return Pair(lax.neg(z.real), negative(z.imag))


def _i_times(z: Pair) -> Pair:
    return Pair(lax.neg(imag(z)), z.real)


def _minus_i_times(z: Pair) -> Pair:
    return Pair(z.imag, lax.neg(z.real))


def _one(z: Pair) -> Pair:
    return Pair(lax.full_like(z.real, 1), None)


def asinh(z: Pair) -> Pair:
    """log(z + √(z² + 1))."""
    return log(parts.add(z, sqrt(parts.add(parts.mul(z, z), _one(z)))))


def atanh(z: Pair) -> Pair:
    """(log(1 + z) - log(1 - z)) / 2."""
    apart = parts.sub(log1p(z), log1p(_negative(z)))
    return Pair(half(apart.real), half(apart.imag))


def asin(z: Pair) -> Pair:
    """asin z = -i asinh(i z)."""
    return _minus_i_times(asinh(_i_times(z)))


def atan(z: Pair) -> Pair:
    """atan z = -i atanh(i z)."""
    return _minus_i_times(atanh(_i_times(z)))


def acosh(z: Pair) -> Pair:
    """log(z + √(z + 1) √(z - 1))."""
    root = parts.mul(sqrt(parts.add(z, _one(z))), sqrt(parts.sub(z, _one(z))))
    return log(parts.add(z, root))


def acos(z: Pair) -> Pair:
    """-i log(z + i √(1 - z²))."""
    root = sqrt(parts.sub(_one(z), parts.mul(z, z)))
    return _minus_i_times(log(parts.add(z, _i_times(root))))


def equal(z: Pair, w: Pair) -> Any:
    """Tell where z = w."""
    pairs = zip(parts.full(z), parts.full(w), strict=True)
    return lax.bitwise_and(*(lax.eq(*parts.alike(a, b)) for a, b in pairs))


def is_finite(z: Pair) -> Any:
    """Tell where both parts are finite."""
    return lax.bitwise_and(lax.is_finite(z.real), lax.is_finite(imag(z)))


def _real_if_real(function: Callable[[Pair], Pair]) -> Callable[[Pair], Pair]:
    """Make a function that takes a real number by JAX's function of the same name."""
    of_real = getattr(lax, function.__name__)
    return lambda z: Pair(of_real(z.real), None) if z.imag is None else function(z)


#: Functions of operands that are pairs, by the name of JAX's operation; a new one is a row.
RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("add", "add_any"), parts.add),
    "sub": parts.sub,
    "mul": parts.mul,
    "div": parts.div,
    "neg": _negative,
    "conj": parts.conj,
    "real": lambda z: z.real,
    "imag": imag,
    "abs": parts.size,
    "square": lambda z: parts.mul(z, z),
    "eq": equal,
    "ne": lambda z, w: lax.bitwise_not(equal(z, w)),
    "is_finite": is_finite,
    **{f.__name__: f for f in (log, log1p, sqrt, rsqrt, asinh, atanh, asin, atan, acos, acosh)},
    **{
        f.__name__: _real_if_real(f)
        for f in (exp, expm1, sign, sin, cos, tan, sinh, cosh, tanh, logistic)
    },
}
