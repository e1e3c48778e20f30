"""Rules for functions of two numbers: powers, angles, polygamma and zeta functions."""

from typing import Any

import numpy as np
from flint import arb

from handgrad.arithmetic import balls, jets
from handgrad.arithmetic.balls import array
from handgrad.arithmetic.comparisons import LESS
from handgrad.arithmetic.dual import Dual, by_slopes, real
from handgrad.arithmetic.jets import Jet
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rule, elementwise
from handgrad.program.rules.comparison import ZERO, choose
from handgrad.program.rules.elementwise import NAN, hurwitz


def integer_pow(run: Run, eqn: Any, a: Dual) -> Dual:
    """a to a constant whole power; a⁰ is 1."""
    n = eqn.params["y"]
    if n == 0:
        return Dual(balls.full(a.shape, balls.ONE))
    return by_slopes(_power(a.value, n), (a, lambda: _power(a.value, n - 1) * n))


def _power(x: Any, n: int) -> Any:
    """Return xⁿ of balls; FLINT's own power is NaN for a ball around 0, such as x - x."""
    if n == 1:
        return x
    if n > 1:
        half = _power(x, n // 2)
        return half * half * x if n % 2 else half * half
    return _other_power(x, n)


@balls.elementwise
def _other_power(x: arb, n: int) -> arb:
    return x**n if n >= 0 or jets.lead(x) != 0 else NAN


def power(run: Run, eqn: Any, x: Dual, y: Any) -> Dual:
    """x to the y, both real; the slopes are y·x^(y-1) and log(x)·x^y."""
    y = real(y)
    value = _real_power(x.value, y.value)
    return by_slopes(
        value,
        (x, lambda: _slope_in_base(x.value, y.value)),
        (y, lambda: value * _log_of_base(x.value, y.value)),
    )


@balls.elementwise
def _slope_in_base(x: arb, y: arb) -> arb:
    """Return y·x^(y-1), which is 0 for y = 0 also where x is 0."""
    return (
        balls.ZERO
        if jets.lead(y).is_zero() and not isinstance(y, Jet)
        else _one_power(x, y - 1) * y
    )


@balls.elementwise
def _log_of_base(x: arb, y: arb) -> arb:
    """Return log(x) for the slope of x^y in y; 0^y is constant for y > 0."""
    return balls.ZERO if jets.lead(x).is_zero() and y > 0 else x.log()


def _one_power(x: arb, y: arb) -> arb:
    if y.is_exact() and y.is_integer() and abs(y) < 2**31:
        return _power(x, int(float(y)))
    if jets.lead(x).is_zero():
        return balls.ZERO if y > 0 and isinstance(x, arb) else NAN
    return x**y


_real_power = balls.elementwise(_one_power)


def atan2(run: Run, eqn: Any, y: Dual, x: Dual) -> Dual:
    """The angle of (x, y), which jumps by 2π where y changes its sign and x is negative."""
    value = array(_angle(y.value, x.value))
    negative = np.asarray(y.value < balls.ZERO).astype(bool)
    below = run.comparisons.order(_height(y, x), ZERO) == LESS
    turns = np.where(x.value < balls.ZERO, below.astype(int) - negative, 0)
    if turns.any():  # a tie at the cut, or a run that repeats the decisions of another
        value = value - array(turns.astype(object) * (2 * arb.pi()))
    change = y * Dual(x.value) - x * Dual(y.value)
    return by_slopes(value, (change, lambda: balls.ONE / (x.value * x.value + y.value * y.value)))


def _height(y: Dual, x: Dual) -> Dual:
    """Return what decides the side of the cut: y if it has a sign, or moves from 0; else 1."""
    signed, on_it = (y.value != balls.ZERO), (y.value == balls.ZERO) & (x.value < balls.ZERO)
    changes = np.False_ if y.tangent is None else np.any(y.tangent != balls.ZERO, axis=0)
    return choose((signed | (on_it & changes)).astype(bool), Dual(balls.full((), balls.ONE)), y)


@balls.elementwise
def _angle(y: Any, x: Any) -> Any:
    if isinstance(y, arb) and isinstance(x, arb):
        return arb.atan2(y, x)
    c, a = jets.lead(y), jets.lead(x)
    change = jets.second(y) * a - jets.second(x) * c
    return Jet(arb.atan2(c, a), change / (c * c + a * a))


def polygamma(run: Run, eqn: Any, order: Dual, x: Dual) -> Dual:
    """The derivatives of ψ: ψ⁽ⁿ⁾(x) = (-1)ⁿ⁺¹ n! ζ(n + 1, x) (DLMF, 5.15).

    JAX has a number for a whole n alone. One that simulated rounding has moved is the nearest.
    """
    must_stand_still(order, eqn)
    n = order.value
    return by_slopes(_polygamma(n, x.value), (x, lambda: _polygamma(n + balls.ONE, x.value)))


@balls.elementwise
def _polygamma(order: arb, x: arb) -> arb:
    n = round(float(order))
    return x.digamma() if n == 0 else (-1) ** (n + 1) * arb.fac_ui(n) * hurwitz(arb(n + 1), x)


def zeta(run: Run, eqn: Any, s: Dual, q: Dual) -> Dual:
    """Hurwitz's ζ(s, q), differentiated with respect to q: -s·ζ(s + 1, q) (DLMF, 25.11)."""
    must_stand_still(s, eqn)
    n = s.value
    return by_slopes(_zeta(n, q.value), (q, lambda: -n * _zeta(n + balls.ONE, q.value)))


_zeta = balls.elementwise(hurwitz)


def must_stand_still(order: Dual, eqn: Any) -> None:
    """Refuse an operand that depends on the parameters, if there is no derivative by it.

    Raises:
        UncertifiedPrimitiveError: the operand depends on the parameters.
    """
    if order.tangent is not None and not all(t.is_zero() for t in order.tangent.flat):
        raise UncertifiedPrimitiveError(eqn.primitive.name)


RULES: dict[str, Rule] = {
    "integer_pow": elementwise(integer_pow),
    "pow": elementwise(power, "float_power"),
    "atan2": elementwise(atan2),
    "polygamma": elementwise(polygamma),
    "zeta": elementwise(zeta),
}
