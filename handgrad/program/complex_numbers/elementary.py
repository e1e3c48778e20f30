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
    if angle is None:
        return Pair(size, None)
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
    if z.imag is None:
        return Pair(lax.expm1(z.real), None)
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
        return parts.div(Pair(lax.full_like(z.real, 1), None), integer_power(z, -n))
    result, factor = None, z
    while n:
        if n % 2:
            result = factor if result is None else parts.mul(result, factor)
        n //= 2
        factor = parts.mul(factor, factor) if n else factor
    return Pair(lax.full_like(z.real, 1), None) if result is None else result


def sin(z: Pair) -> Pair:
    """sin x cosh y + i cos x sinh y."""
    return _sine(z, lax.sin, lax.cos, 1)


def cos(z: Pair) -> Pair:
    """cos x cosh y - i sin x sinh y."""
    return _sine(z, lax.cos, lax.sin, -1)


def _sine(z: Pair, f: Callable[[Any], Any], other: Callable[[Any], Any], sign: int) -> Pair:
    if z.imag is None:
        return Pair(f(z.real), None)
    along = times(other(z.real), lax.sinh(z.imag))
    return Pair(times(f(z.real), lax.cosh(z.imag)), along if sign > 0 else negative(along))


def sinh(z: Pair) -> Pair:
    """sinh x cos y + i cosh x sin y."""
    return _hyperbolic(z, lax.sinh, lax.cosh)


def cosh(z: Pair) -> Pair:
    """cosh x cos y + i sinh x sin y."""
    return _hyperbolic(z, lax.cosh, lax.sinh)


def _hyperbolic(z: Pair, f: Callable[[Any], Any], other: Callable[[Any], Any]) -> Pair:
    if z.imag is None:
        return Pair(f(z.real), None)
    return Pair(times(f(z.real), lax.cos(z.imag)), times(other(z.real), lax.sin(z.imag)))


def tanh(z: Pair) -> Pair:
    """(tanh x + i sin y cos y / cosh² x) / (cos² y + tanh² x sin² y); nothing overflows in it."""
    t = lax.tanh(z.real)
    if z.imag is None:
        return Pair(t, None)
    s, c, r = lax.sin(z.imag), lax.cos(z.imag), lax.cosh(z.real)
    below = plus(times(c, c), times(times(t, t), times(s, s)))
    return Pair(over(t, below), over(over(over(times(s, c), r), r), below))


def tan(z: Pair) -> Pair:
    """tan z = -i tanh(i z)."""
    if z.imag is None:
        return Pair(lax.tan(z.real), None)
    w = tanh(Pair(lax.neg(z.imag), z.real))
    return Pair(w.imag, lax.neg(w.real))


def logistic(z: Pair) -> Pair:
    """1 / (1 + e^-z)."""
    if z.imag is None:
        return Pair(lax.logistic(z.real), None)
    one = Pair(lax.full_like(z.real, 1), None)
    return parts.div(one, parts.add(one, exp(Pair(lax.neg(z.real), lax.neg(z.imag)))))


def sign(z: Pair) -> Pair:
    """z / |z|, and 0 at 0."""
    if z.imag is None:
        return Pair(lax.sign(z.real), None)
    r = parts.size(z)
    zero, nothing = lax.eq(r, lax.full_like(r, 0)), lax.full_like(r, 0)
    return Pair(*(lax.select(zero, nothing, over(part, r)) for part in z))


def absolute(z: Pair) -> Any:
    """|z|."""
    return parts.size(z)


def _i_times(z: Pair) -> Pair:
    return Pair(lax.neg(imag(z)), z.real)


def _one_like(z: Pair) -> Pair:
    return Pair(lax.full_like(z.real, 1), None)


def asinh(z: Pair) -> Pair:
    """log(z + √(z² + 1))."""
    return log(parts.add(z, sqrt(parts.add(parts.mul(z, z), _one_like(z)))))


def atanh(z: Pair) -> Pair:
    """(log(1 + z) - log(1 - z)) / 2."""
    apart = parts.sub(log1p(z), log1p(Pair(lax.neg(z.real), negative(z.imag))))
    return Pair(half(apart.real), half(apart.imag))


def asin(z: Pair) -> Pair:
    """asin z = -i asinh(i z)."""
    w = asinh(_i_times(z))
    return Pair(w.imag, lax.neg(w.real))


def atan(z: Pair) -> Pair:
    """atan z = -i atanh(i z)."""
    w = atanh(_i_times(z))
    return Pair(w.imag, lax.neg(w.real))


def acosh(z: Pair) -> Pair:
    """log(z + √(z + 1) √(z - 1))."""
    one = _one_like(z)
    root = parts.mul(sqrt(parts.add(z, one)), sqrt(parts.sub(z, one)))
    return log(parts.add(z, root))


def acos(z: Pair) -> Pair:
    """-i log(z + i √(1 - z²))."""
    w = log(parts.add(z, _i_times(sqrt(parts.sub(_one_like(z), parts.mul(z, z))))))
    return Pair(w.imag, lax.neg(w.real))


def _both(f: Callable[[Any, Any], Any], z: Pair, w: Pair) -> Any:
    """Combine what a comparison says of the parts."""
    real, other = (lax.eq(*parts.alike(a, b)) for a, b in zip(full(z), full(w), strict=True))
    return f(real, other)


def full(z: Pair) -> Pair:
    """Return a pair with both parts."""
    return Pair(z.real, imag(z))


def equal(z: Pair, w: Pair) -> Any:
    """Tell where z = w."""
    return _both(lax.bitwise_and, z, w)


def unequal(z: Pair, w: Pair) -> Any:
    """Tell where z ≠ w."""
    return lax.bitwise_not(_both(lax.bitwise_and, z, w))


def is_finite(z: Pair) -> Any:
    """Tell where both parts are finite."""
    return lax.bitwise_and(lax.is_finite(z.real), lax.is_finite(imag(z)))


def real(z: Pair) -> Any:
    """The real part."""
    return z.real


def _square(z: Pair) -> Pair:
    return parts.mul(z, z)


#: Functions of operands that are pairs, by the name of JAX's operation; a new one is a row.
RULES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("add", "add_any"), parts.add),
    "sub": parts.sub,
    "mul": parts.mul,
    "div": parts.div,
    "neg": lambda z: Pair(lax.neg(z.real), negative(z.imag)),
    "conj": parts.conj,
    "real": real,
    "imag": imag,
    "abs": absolute,
    "sign": sign,
    "square": _square,
    "exp": exp,
    "log": log,
    "log1p": log1p,
    "expm1": expm1,
    "sqrt": sqrt,
    "rsqrt": rsqrt,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "asinh": asinh,
    "atanh": atanh,
    "asin": asin,
    "atan": atan,
    "acos": acos,
    "acosh": acosh,
    "logistic": logistic,
    "eq": equal,
    "ne": unequal,
    "is_finite": is_finite,
}
