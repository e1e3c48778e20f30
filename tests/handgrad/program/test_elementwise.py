"""Functions of one or more numbers: values to a few ulps, slopes to a thousand bits."""

import math
from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.special as sp
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rules import RULES
from handgrad.program.rules.elementwise import BY_SERIES, WITH_SLOPE
from handgrad.program.rules.special import MOST_TERMS
from tests.tiers import one_of_each

#: The libraries in float64 are right to so many ulps at the points below.
ULPS = 64

#: Bits, and the step of the difference quotient relative to x. Its error is h²·f‴/6, and f‴/f′ is
#: below 2^90·max(1, x⁻²) at the points below; the subtraction costs at most 300 + 2·500 bits.
BITS, STEP, SLACK = 3000, arb(2) ** -300, arb(2) ** -500

ALL = [-1e150, -30.5, -0.7, -1e-150, 1e-150, 0.3, 1.0, 30.5, 1e150]
MODERATE = [-700.0, -30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 30.5, 700.0]
POSITIVE = [1e-150, 0.3, 1.0, 30.5, 1e150]
WITHIN_ONE = [-0.9999, -0.7, -1e-150, 0.0, 1e-150, 0.3, 0.9999]

#: By name: the function in float64, and points of its domain.
OF_ONE: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
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
    "erf": (sp.erf, [-6.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 6.5]),
    "erfc": (sp.erfc, [-6.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 6.5, 25.0]),
    "logistic": (sp.expit, [-700.0, -30.5, -1e-150, 0.0, 1e-150, 0.3, 31.0, 700.0]),
    "lgamma": (sp.gammaln, [-30.5, -3.7, -0.5, *POSITIVE[:2], 30.5, 1e150]),
    "log1p": (np.log1p, [-0.9999, -0.7, -1e-150, 0.0, 1e-150, 30.5, 1e150]),
    "expm1": (np.expm1, MODERATE),
    "exp2": (np.exp2, MODERATE),
    "log2": (np.log2, [*POSITIVE, 1.0001]),
    "tanh": (np.tanh, [-30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 300.0]),
    "sinh": (np.sinh, MODERATE),
    "cosh": (np.cosh, MODERATE),
    "asinh": (np.arcsinh, ALL),
    "acosh": (np.arccosh, [1.0001, 1.5, 30.5, 1e150]),
    "atanh": (np.arctanh, WITHIN_ONE),
    "square": (np.square, ALL),
    "one_minus_square": (lambda x: (1 - x) * (1 + x), ALL),
    "cbrt": (np.cbrt, ALL),
    "erf_inv": (sp.erfinv, WITHIN_ONE),
    "digamma": (sp.digamma, [-30.5, -1.5, -0.3, 1e-150, 0.3, 30.5, 1e150]),
    **{f"integer_pow {n}": (lambda x, n=n: x**n, [-1.7, 1e-40]) for n in (-3, -1, 0, 1, 2, 7)},
}

GAMMAS = [(2.5, 0.3), (0.5, 30.0), (1.0, 1.0), (30.0, 2.0), (12.0, 14.5), (0.01, 1e-3)]
BETAS = [(2.5, 0.5, 0.3), (1.0, 1.0, 0.9), (0.2, 30.0, 1e-3), (9.0, 0.25, 0.95)]

#: The same with each point's numbers, of the functions that FLINT has no series of.
SPECIAL: dict[str, tuple[Callable[..., Any], list[tuple[float, ...]]]] = {
    "bessel_i0e": (sp.i0e, [(x,) for x in (-30.5, -0.7, 1e-5, 0.3, 700.0)]),
    "bessel_i1e": (sp.i1e, [(x,) for x in (-30.5, -0.7, 1e-5, 0.3, 700.0)]),
    "igamma": (sp.gammainc, GAMMAS),
    "igammac": (sp.gammaincc, GAMMAS),
    "regularized_incomplete_beta": (sp.betainc, BETAS),
}

FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[float, ...]]]] = {
    **{name: (f, [(x,) for x in points]) for name, (f, points) in OF_ONE.items()},
    "add": (np.add, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "sub": (np.subtract, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "mul": (np.multiply, [(0.3, -1.7), (1e150, 1e-150), (0.0, 2.0)]),
    "div": (np.divide, [(0.3, -1.7), (1e-150, 1e150), (0.0, 2.0), (-7.0, 1e-150)]),
    "pow": (np.power, [(0.3, -1.7), (1.7, 0.0), (2.0, 3.0), (1e-100, 1.5), (1e100, -1.5)]),
    "atan2": (np.arctan2, [(0.3, -1.7), (-0.3, -1.7), (0.0, 2.0), (2.0, 0.0), (1e-150, 1e9)]),
    "rem": (np.fmod, [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.0), (-7.3, -2.0), (1.0, 1e150)]),
    **SPECIAL,
}


def applied(name: str, *operands: Dual) -> Any:
    """Run the rule of a function; the exponent of `integer_pow` is a word of its name."""
    name, _, exponent = name.partition(" ")
    params = {"y": int(exponent)} if exponent else {}
    eqn: Any = SimpleNamespace(params=params, primitive=SimpleNamespace(name=name))
    return RULES[name](Run(RULES, Comparisons(), {}), eqn, *operands)


def dual(x: Any, *tangents: float) -> Dual:
    return Dual(balls.boxed([arb(x)], ()), balls.exact(tangents) if tangents else None)


def value(name: str, *operands: Dual) -> Any:
    return applied(name, *operands).value[()]


def slope(name: str, *operands: Dual) -> Any:
    tangent = applied(name, *operands).tangent
    return balls.ZERO if tangent is None else tangent[0]


def assert_right(name: str, known: float, x: tuple[float, ...], along: tuple[float, ...]) -> None:
    """Compare the value with a library's, and the slope in a direction with a quotient."""
    step = STEP * min(1.0, *(abs(v) or 1.0 for v in x))
    given = [dual(v, t) if t else dual(v) for v, t in zip(x, along, strict=True)]
    ends = [
        value(name, *(dual(v + s * step * t) for v, t in zip(x, along, strict=True)))
        for s in (1, -1)
    ]
    quotient = (ends[0] - ends[1]) / (2 * step)
    for operands in (given, map(dual, x)):
        assert abs(value(name, *operands) - known) <= ULPS * math.ulp(known)
    lost = arb(2) ** -1500 * (1 + abs(known))
    assert abs(slope(name, *given) - quotient) <= SLACK * abs(quotient) + lost


def test_every_function_of_the_tables_has_its_points() -> None:
    assert {*BY_SERIES, *WITH_SLOPE} <= set(OF_ONE)


#: The incomplete beta function sums for long.
@pytest.mark.parametrize(
    "name", one_of_each(FUNCTIONS, set(FUNCTIONS) - {"regularized_incomplete_beta"})
)
def test_a_function(name: str) -> None:
    """In directions in which one number moves, and in one in which two do."""
    function, points = FUNCTIONS[name]
    directions = [*np.eye(len(points[0])).tolist()]
    directions += [[3.0, -5.0]] if len(points[0]) == 2 and name not in SPECIAL else []
    with balls.precision(BITS):
        for x, along in product(points, directions):
            assert_right(name, float(function(*x)), x, tuple(along))
            if len(x) == 1 and name != "integer_pow 0":
                one, three = applied(name, dual(x[0], 1.0, -3.0)).tangent
                assert (3 * one + three).contains(0)
        assert applied(name, *map(dual, points[0])).tangent is None


@pytest.mark.parametrize("name", one_of_each(SPECIAL, ["bessel_i0e", "bessel_i1e", "igamma"]))
def test_few_bits_enclose_what_many_say(name: str) -> None:
    for x in SPECIAL[name][1]:
        for place in (None, *range(len(x))):
            given = [dual(v, 1.0) if i == place else dual(v) for i, v in enumerate(x)]
            what = value if place is None else slope
            with balls.precision(BITS):
                many = what(name, *given)
            for bits in (20, 64, 200):
                with balls.precision(bits):
                    few = what(name, *given)
                assert few.contains(many) or not few.is_finite()


@pytest.mark.parametrize(
    ("name", "x"), [("sqrt", 0), ("log", 0), ("rsqrt", 0), ("cbrt", 0), ("asin", 1), ("acosh", 1)]
)
def test_at_an_end_of_the_domain_nothing_that_may_move_has_a_slope(name: str, x: float) -> None:
    """√(x²) does not move at 0 to first order, and yet its slope there is none."""
    with balls.precision(200):
        slopes = applied(name, dual(x, 0.0, 1.0)).tangent
        assert applied(name, dual(x)).tangent is None
    assert not any(slope.is_finite() for slope in slopes)


OUTSIDE = [(name, (-7.0,)) for name in ("log", "sqrt", "rsqrt", "acosh", "log1p", "erf_inv")]
OUTSIDE += [("asin", (7.0,)), ("regularized_incomplete_beta", (2.0, 3.0, 1.5))]
OUTSIDE += [(name, x) for name in ("igamma", "igammac") for x in ((-1.0, 2.0), (2.0, -1.0))]


@pytest.mark.parametrize(("name", "x"), OUTSIDE)
def test_outside_of_the_domain_nothing_is_finite(name: str, x: tuple[float, ...]) -> None:
    assert not value(name, *map(dual, x)).is_finite()
    assert not value(name, *map(dual, x[:-1]), dual(x[-1], 1.0)).is_finite()


def test_incomplete_functions_at_the_ends_of_their_domain() -> None:
    for a, known in ((2.0, 0.0), (1.0, 1.0)):
        assert float(slope("igamma", dual(a), dual(0.0, 1.0))) == known
    assert slope("igamma", dual(2.0, 1.0), dual(0.0)) == 0
    assert value("regularized_incomplete_beta", dual(2), dual(3), dual(1)) == 1
    with pytest.raises(UncertifiedPrimitiveError, match="igamma_grad_a"):
        applied("igamma", dual(2.0, 1.0), dual(float(MOST_TERMS)))  # it takes too many terms
    assert value("igamma", dual(2.0), dual(float(MOST_TERMS), 1.0)).is_finite()
