"""Numbers of the kernel: whatever is computed contains what mpmath says, and its slope."""

import operator
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp

from handgrad.arithmetic import jets
from handgrad.arithmetic.balls import precision
from handgrad.arithmetic.jets import Jet
from tests.tiers import fewer

BITS, DIGITS = 192, 50

#: Of two numbers: by Python's operators, which both kinds of numbers have.
OF_TWO = (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow)

#: Of one number: by methods of balls, and in mpmath.
OF_ONE: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "sech": mpmath.sech,
    "inverse": lambda x: 1 / x,
    "__neg__": operator.neg,
}

numbers = st.floats(0.25, 4.0, width=32)
slopes = st.floats(-4.0, 4.0, width=32)


def contains(ball: arb, value: Any) -> bool:
    """Tell whether a narrow ball contains a number of `DIGITS` digits."""
    exact = arb(mpmath.nstr(value, DIGITS), 1e-45)
    return bool(ball.overlaps(exact)) and float(ball.rad()) < 1e-30


def holds(found: Jet, function: Callable[[Any], Any], at: float, along: float) -> None:
    """Check a number and its slope: that of a function of mpmath's along a direction."""
    with mp.workdps(2 * DIGITS):
        value, slope = mpmath.taylor(lambda t: function(mpmath.mpf(at) + along * t), 0, 1)
    assert contains(found.c, value)
    assert contains(found.d, slope)


@fewer(4)
@given(numbers, slopes, numbers, slopes)
@pytest.mark.parametrize("operation", OF_TWO)
def test_two_numbers(operation: Any, a: float, s: float, b: float, t: float) -> None:
    with precision(BITS):
        x, y = Jet(arb(a), arb(s)), Jet(arb(b), arb(t))
        both = [(operation(x, y), lambda e: operation(a + s * e, b + t * e))]
        both += [(operation(x, arb(b)), lambda e: operation(a + s * e, mpmath.mpf(b)))]
        both += [(operation(arb(a), y), lambda e: operation(mpmath.mpf(a), b + t * e))]
        for found, function in both:
            holds(found, function, 0.0, 1.0)


@fewer(4)
@given(numbers, slopes)
@pytest.mark.parametrize("name", OF_ONE)
def test_one_number(name: str, x: float, along: float) -> None:
    with precision(BITS):
        holds(getattr(Jet(arb(x), arb(along)), name)(), OF_ONE[name], x, along)


@fewer(4)
@given(numbers, slopes)
def test_power_series(x: float, along: float) -> None:
    with precision(BITS):
        value, slope = jets.by_taylor(lambda series: series.sin(), Jet(arb(x), arb(along)))
        holds(value, mpmath.sin, x, along)
        holds(slope, mpmath.cos, x, along)
