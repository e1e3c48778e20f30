"""Arithmetic of real and imaginary parts, in operations of JAX on real arrays.

An imaginary part of None is 0. So a real number that became complex costs no operations, and its
absolute value is that of a real number, which has two slopes at 0 and not a disc of them.
"""

from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend import core as jex

from handgrad.data.complex_pairs import Pair
from handgrad.program.equations import IMAGINARY


def of(operand: Any) -> Pair:
    """Return an operand as a pair; a real one is its real part."""
    return operand if isinstance(operand, Pair) else Pair(operand, None)


def part_dtype(dtype: Any) -> np.dtype:
    """Return the dtype of the parts of a complex dtype; another dtype as it is."""
    return np.real(np.zeros((), dtype)).dtype if np.issubdtype(dtype, np.complexfloating) else dtype


def constant(value: Any) -> Any:
    """Return a constant of a program, of a complex one the parts."""
    if not np.issubdtype(getattr(value, "dtype", None) or type(value), np.complexfloating):
        return value
    real, imag = np.real(value := np.asarray(value)), np.imag(value)  # JAX would trace that
    # Which side of a cut -0 is on counts.
    zero = not np.any(imag) and not np.signbit(imag).any()
    return Pair(np.array(real), None if zero else np.array(imag))


def literal(atom: Any) -> Any:
    """Return the value of a literal in its dtype, or of a complex one the parts."""
    return constant(np.asarray(atom.val, dtype=atom.aval.dtype))


def imag(x: Pair) -> Any:
    """Return an imaginary part as an array."""
    return lax.full_like(x.real, 0) if x.imag is None else x.imag


def full(x: Any) -> Any:
    """Return a pair with both parts, or what is no pair as it is."""
    return Pair(x.real, imag(x)) if isinstance(x, Pair) else x


def alike(x: Any, y: Any) -> tuple[Any, Any]:
    """Give two numbers one shape, where one is a scalar or has axes of length 1."""
    if np.shape(x) == np.shape(y):
        return x, y
    shape = np.broadcast_shapes(np.shape(x), np.shape(y))
    return shaped(x, shape), shaped(y, shape)


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """Give a scalar, or an array with as many axes, a shape."""
    if np.shape(x) == shape:
        return x
    return lax.broadcast_in_dim(x, shape, tuple(range(np.ndim(x))))


def plus(x: Any, y: Any) -> Any:
    """x + y."""
    return y if x is None else x if y is None else lax.add(*alike(x, y))


def minus(x: Any, y: Any) -> Any:
    """x - y."""
    return negative(y) if x is None else x if y is None else lax.sub(*alike(x, y))


def negative(x: Any) -> Any:
    """-x."""
    return None if x is None else lax.neg(x)


def times(x: Any, y: Any) -> Any:
    """x · y."""
    return None if x is None or y is None else lax.mul(*alike(x, y))


def over(x: Any, y: Any) -> Any:
    """x / y."""
    return None if x is None else lax.div(*alike(x, y))


def scaled(x: Any, by: float) -> Any:
    """x times a number that has few bits, and so is exact."""
    return None if x is None else lax.mul(x, lax.full_like(x, by))


def half(x: Any) -> Any:
    """x / 2."""
    return scaled(x, 0.5)


def imaginary() -> Any:
    """Return a context for operations that make imaginary parts; see `equations.is_imaginary`."""
    return jax.named_scope(IMAGINARY)


def add(z: Pair, w: Pair) -> Pair:
    """z + w."""
    with imaginary():
        imag = _of_both(plus(z.imag, w.imag), z, w)
    return Pair(plus(z.real, w.real), imag)


def sub(z: Pair, w: Pair) -> Pair:
    """z - w."""
    with imaginary():
        imag = _of_both(minus(z.imag, w.imag), z, w)
    return Pair(minus(z.real, w.real), imag)


def mul(z: Pair, w: Pair) -> Pair:
    """z · w."""
    real = minus(times(z.real, w.real), times(z.imag, w.imag))
    with imaginary():
        return Pair(real, plus(times(z.real, w.imag), times(z.imag, w.real)))


def div(z: Pair, w: Pair) -> Pair:
    """z / w."""
    if w.imag is None:
        return Pair(over(z.real, w.real), over(z.imag, w.real))
    above, below = mul(z, conj(w)), square_of_size(w)
    return Pair(over(above.real, below), over(above.imag, below))


def conj(z: Pair) -> Pair:
    """The conjugate."""
    with imaginary():
        return Pair(z.real, negative(z.imag))


def square_of_size(z: Pair) -> Any:
    """|z|²."""
    return plus(times(z.real, z.real), times(z.imag, z.imag))


def size(z: Pair) -> Any:
    """|z|."""
    return lax.abs(z.real) if z.imag is None else lax.sqrt(square_of_size(z))


def angle(z: Pair) -> Any:
    """The angle of z, from -π to π."""
    return lax.atan2(imag(z), z.real)


def _of_both(part: Any, z: Pair, w: Pair) -> Any:
    """Give an imaginary part that only one operand has the shape of both."""
    shape = np.broadcast_shapes(np.shape(z.real), np.shape(w.real))
    return part if part is None else shaped(part, shape)


def is_literal_zero(atom: Any) -> bool:
    """Tell whether an operand is the number 0, written so."""
    if not isinstance(atom, jex.Literal):
        return False
    return not np.any(atom.val) and not np.signbit(np.real(atom.val)).any()
