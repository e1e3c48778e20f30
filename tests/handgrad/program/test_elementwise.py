"""Functions of one number or two: values to a few ulps, slopes to a thousand bits."""

import math
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.special
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from handgrad.program.rules.elementwise import BY_SERIES, WITH_SLOPE

#: The libraries in float64 are right to so many ulps at the points below.
ULPS = 16

#: Bits, and the step of the difference quotient relative to x. Its error is h²·f‴/6, and f‴/f′ is
#: below 2^90·max(1, x⁻²) at the points below; the subtraction costs at most 300 + 2·500 bits.
BITS, STEP, SLACK = 3000, arb(2) ** -300, arb(2) ** -500

ALL = [-1e150, -30.5, -0.7, -1e-150, 1e-150, 0.3, 1.0, 30.5, 1e150]
MODERATE = [-700.0, -30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 30.5, 700.0]
POSITIVE = [1e-150, 0.3, 1.0, 30.5, 1e150]
WITHIN_ONE = [-0.9999, -0.7, -1e-150, 0.0, 1e-150, 0.3, 0.9999]

#: By name: the function in float64, and points of its domain.
KNOWN: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "exp": (np.exp, MODERATE),
    "log": (np.log, [*POSITIVE, 1.0001]),
    "sqrt": (np.sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / np.sqrt(x), POSITIVE),
    "sin": (np.sin, MODERATE),
    "cos": (np.cos, MODERATE),
    "tan": (np.tan, MODERATE),
    "asin": (np.arcsin, WITHIN_ONE),
    "acos": (np.arccos, WITHIN_ONE),
    "atan": (np.arctan, ALL),
    "erf": (scipy.special.erf, [-6.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 6.5]),
    "erfc": (scipy.special.erfc, [-6.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 6.5, 25.0]),
    "logistic": (scipy.special.expit, [-700.0, -30.5, -1e-150, 0.0, 1e-150, 0.3, 31.0, 700.0]),
    "lgamma": (scipy.special.gammaln, [-30.5, -3.7, -0.5, *POSITIVE[:2], 30.5, 1e150]),
    "log1p": (np.log1p, [-0.9999, -0.7, -1e-150, 0.0, 1e-150, 30.5, 1e150]),
    "expm1": (np.expm1, MODERATE),
    "exp2": (np.exp2, MODERATE),
    "tanh": (np.tanh, [-30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 300.0]),
    "sinh": (np.sinh, MODERATE),
    "cosh": (np.cosh, MODERATE),
    "asinh": (np.arcsinh, ALL),
    "acosh": (np.arccosh, [1.0001, 1.5, 30.5, 1e150]),
    "atanh": (np.arctanh, WITHIN_ONE),
    "square": (np.square, ALL),
    "one_minus_square": (lambda x: (1 - x) * (1 + x), ALL),
    "cbrt": (np.cbrt, ALL),
    "erf_inv": (scipy.special.erfinv, WITHIN_ONE),
    "digamma": (scipy.special.digamma, [-30.5, -1.5, -0.3, 1e-150, 0.3, 30.5, 1e150]),
}
elementwise = pytest.mark.parametrize("name", KNOWN)


def run() -> Run:
    return Run(RULES, Comparisons(), {})


def dual(x: Any, *tangents: float) -> Dual:
    return Dual(balls.boxed([arb(x)], ()), balls.exact(tangents) if tangents else None)


def value(name: str, x: arb) -> arb:
    return (BY_SERIES.get(name) or WITH_SLOPE[name][0])(x)


def close(ball: arb, number: float, ulps: float = ULPS) -> bool:
    return bool(abs(ball - number) <= ulps * math.ulp(number))


def test_every_function_of_the_tables_has_its_points() -> None:
    assert set(KNOWN) == {*BY_SERIES, *WITH_SLOPE}


@elementwise
def test_a_value_is_that_of_the_libraries(name: str) -> None:
    function, points = KNOWN[name]
    with balls.precision(200):
        for x in points:
            plain, moving = (RULES[name](run(), None, d).value[()] for d in (dual(x), dual(x, 1.0)))
            assert close(plain, float(function(x))), x
            assert abs(plain - moving) <= arb(2) ** -150 * abs(plain), x


@elementwise
def test_a_slope_is_the_limit_of_difference_quotients(name: str) -> None:
    with balls.precision(BITS):
        for x in KNOWN[name][1]:
            h = STEP * (min(1.0, abs(x)) or 1.0)
            quotient = (value(name, x + h) - value(name, x - h)) / (2 * h)
            one, three = RULES[name](run(), None, dual(x, 1.0, -3.0)).tangent
            allowed = SLACK * abs(quotient) + arb(2) ** -2000
            assert abs(one - quotient) < allowed, x
            assert abs(three + 3 * quotient) < 3 * allowed, x


@pytest.mark.parametrize(
    ("name", "x"), [("sqrt", 0), ("log", 0), ("rsqrt", 0), ("cbrt", 0), ("asin", 1), ("acosh", 1)]
)
def test_at_an_end_of_the_domain_nothing_that_may_move_has_a_slope(name: str, x: float) -> None:
    """√(x²) does not move at 0 to first order, and yet its slope there is none."""
    with balls.precision(200):
        slopes = RULES[name](run(), None, dual(x, 0.0, 1.0)).tangent
        assert RULES[name](run(), None, dual(x)).tangent is None
    assert not any(slope.is_finite() for slope in slopes)


@pytest.mark.parametrize("name", ["log", "sqrt", "rsqrt", "asin", "acosh", "log1p", "erf_inv"])
def test_outside_of_the_domain_nothing_is_finite(name: str) -> None:
    outside = -7.0 if name != "asin" else 7.0
    assert not RULES[name](run(), None, dual(outside)).value[()].is_finite()
    assert not RULES[name](run(), None, dual(outside, 1.0)).value[()].is_finite()


#: By name: the function in float64, the equation's parameters, and pairs of arguments.
PAIRS: dict[str, tuple[Callable[..., Any], dict[str, int], list[tuple[float, float]]]] = {
    "add": (np.add, {}, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "sub": (np.subtract, {}, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "mul": (np.multiply, {}, [(0.3, -1.7), (1e150, 1e-150), (0.0, 2.0)]),
    "div": (np.divide, {}, [(0.3, -1.7), (1e-150, 1e150), (0.0, 2.0), (-7.0, 1e-150)]),
    "pow": (np.power, {}, [(0.3, -1.7), (1.7, 0.0), (2.0, 3.0), (1e-100, 1.5), (1e100, -1.5)]),
    "atan2": (np.arctan2, {}, [(0.3, -1.7), (-0.3, -1.7), (0.0, 2.0), (2.0, 0.0), (1e-150, 1e9)]),
    "rem": (np.fmod, {}, [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.0), (-7.3, -2.0), (1.0, 1e150)]),
    **{
        f"integer_pow {n}": (
            *(lambda a, _, n=n: np.power(a, float(n)), {"y": n}),
            [(-1.7, 1.0), (1e-40, 1.0)],
        )
        for n in (-3, -1, 0, 1, 2, 7)
    },
}


def applied(name: str, a: Dual, b: Dual) -> Any:
    eqn = SimpleNamespace(params=PAIRS[name][1])
    operands = (a,) if "y" in eqn.params else (a, b)
    return RULES[name.split()[0]](run(), eqn, *operands)


@pytest.mark.parametrize("name", PAIRS)
def test_a_function_of_two_numbers_and_its_slopes(name: str) -> None:
    function, _, points = PAIRS[name]
    along = ((1.0, 0.0), (0.0, 1.0), (3.0, -5.0))
    with balls.precision(BITS):
        for (a, b), (t, s) in product(points, along):
            known, h = float(function(a, b)), STEP * arb(2) ** -600
            ends = [applied(name, dual(a + u * h * t), dual(b + u * h * s)) for u in (1, -1)]
            quotient = (ends[0].value[()] - ends[1].value[()]) / (2 * h)
            found = applied(name, dual(a, t), dual(b, s))
            assert close(found.value[()], known, 4)
            slope = balls.ZERO if found.tangent is None else found.tangent[0]
            lost = arb(2) ** -1900 * (1 + abs(found.value[()]))
            assert abs(slope - quotient) <= SLACK * abs(quotient) + lost


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "atan2", "rem"])
def test_one_of_two_numbers_may_be_constant(name: str) -> None:
    with balls.precision(300):
        both = [applied(name, dual(3.3, t), dual(1.7, s)).tangent for t, s in ((1, 0), (0, 1))]
        first = applied(name, dual(3.3, 1.0), dual(1.7)).tangent
        second = applied(name, dual(3.3), dual(1.7, 1.0)).tangent
        neither = applied(name, dual(3.3), dual(1.7)).tangent
    assert neither is None
    assert abs(both[0] - first)[0] < 1e-60
    assert abs(both[1] - second)[0] < 1e-60
