"""Functions of one or more numbers: values and slopes are mpmath's, to forty digits."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax import lax
from mpmath import mp

from handgrad import exact_gradient
from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run
from handgrad.program.rules import RULES
from tests.tiers import one_of_each

ALL = [-1e150, -30.5, -0.7, -1e-150, 1e-150, 0.3, 1.0, 30.5, 1e150]
MODERATE = [-700.0, -30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 30.5, 700.0]
POSITIVE = [1e-150, 0.3, 1.0, 30.5, 1e150]
WITHIN_ONE = [-0.9999, -0.7, -1e-150, 0.0, 1e-150, 0.3, 0.9999]
ERF = [-6.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 6.5]
BESSEL = [-30.5, -0.7, 1e-5, 0.3, 700.0]
GAMMAS = [(2.5, 0.3), (0.5, 30.0), (1.0, 1.0), (30.0, 2.0), (12.0, 14.5), (0.01, 1e-3)]
BETAS = [(2.5, 0.5, 0.3), (1.0, 1.0, 0.9), (0.2, 30.0, 1e-3), (9.0, 0.25, 0.95)]

#: JAX's function, mpmath's, and points of its domain.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], list[Any]]] = {
    "exp": (jnp.exp, mp.exp, MODERATE),
    "log": (jnp.log, mp.log, [*POSITIVE, 1.0001]),
    "sqrt": (jnp.sqrt, mp.sqrt, POSITIVE),
    "rsqrt": (lax.rsqrt, lambda x: 1 / mp.sqrt(x), POSITIVE),
    "sin": (jnp.sin, mp.sin, MODERATE),
    "cos": (jnp.cos, mp.cos, MODERATE),
    "tan": (jnp.tan, mp.tan, MODERATE),
    "asin": (jnp.arcsin, mp.asin, WITHIN_ONE),
    "acos": (jnp.arccos, mp.acos, WITHIN_ONE),
    "atan": (jnp.arctan, mp.atan, ALL),
    "erf": (lax.erf, mp.erf, ERF),
    "erfc": (lax.erfc, mp.erfc, [*ERF, 25.0]),
    "logistic": (lax.logistic, lambda x: 1 / (1 + mp.exp(-x)), [*MODERATE, 31.0]),
    "lgamma": (lax.lgamma, lambda x: mp.log(abs(mp.gamma(x))), [-30.5, -3.7, -0.5, 0.3, 30.5]),
    "lgamma, far": (lax.lgamma, mp.loggamma, [1e-150, 1e150]),
    "log1p": (jnp.log1p, lambda x: mp.log(1 + x), [-0.9999, -0.7, *MODERATE[3:7], 1e150]),
    "expm1": (jnp.expm1, lambda x: mp.exp(x) - 1, MODERATE),
    "exp2": (jnp.exp2, lambda x: mp.mpf(2) ** x, MODERATE),
    "log2": (jnp.log2, lambda x: mp.log(x) / mp.log(2), [*POSITIVE, 1.0001]),
    "tanh": (jnp.tanh, mp.tanh, [-30.5, -0.7, -1e-150, 0.0, 1e-150, 0.3, 300.0]),
    "sinh": (jnp.sinh, mp.sinh, MODERATE),
    "cosh": (jnp.cosh, mp.cosh, MODERATE),
    "asinh": (jnp.arcsinh, mp.asinh, ALL),
    "acosh": (jnp.arccosh, mp.acosh, [1.0001, 1.5, 30.5, 1e150]),
    "atanh": (jnp.arctanh, mp.atanh, WITHIN_ONE),
    "square": (jnp.square, lambda x: x * x, ALL),
    "cbrt": (jnp.cbrt, lambda x: mp.sign(x) * mp.cbrt(abs(x)), ALL),
    "erf_inv": (lax.erf_inv, mp.erfinv, WITHIN_ONE),
    "digamma": (lax.digamma, mp.digamma, [-30.5, -1.5, -0.3, 1e-150, 0.3, 30.5, 1e150]),
    **{
        f"power {n}": (lambda x, n=n: lax.integer_pow(x, n), lambda x, n=n: x**n, [-1.7, 1e-40])
        for n in (-3, -1, 0, 1, 2, 7)
    },
    "add": (lax.add, lambda x, y: x + y, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "sub": (lax.sub, lambda x, y: x - y, [(0.3, -1.7), (1e150, 1e-150), (0.0, 0.0)]),
    "mul": (lax.mul, lambda x, y: x * y, [(0.3, -1.7), (1e150, 1e-150), (0.0, 2.0)]),
    "div": (lax.div, lambda x, y: x / y, [(0.3, -1.7), (1e-150, 1e150), (0.0, 2.0), (-7, 1e-150)]),
    "pow": (jnp.power, mp.power, [(0.3, -1.7), (1.7, 0), (2, 3), (1e-100, 1.5), (1e100, -1.5)]),
    "atan2": (lax.atan2, mp.atan2, [(0.3, -1.7), (-0.3, -1.7), (0, 2), (2, 0), (1e-150, 1e9)]),
    "rem": (
        *(lax.rem, lambda x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y))),
        [(7.3, 2.0), (-7.3, 2.0), (7.3, -2.0), (-7.3, -2.0), (1.0, 1e150)],
    ),
    "bessel_i0e": (lax.bessel_i0e, lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), BESSEL),
    "bessel_i1e": (lax.bessel_i1e, lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), BESSEL),
    "igamma": (lax.igamma, lambda a, x: mp.gammainc(a, 0, x, regularized=True), GAMMAS),
    "igammac": (lax.igammac, lambda a, x: 1 - mp.gammainc(a, 0, x, regularized=True), GAMMAS),
    "regularized_incomplete_beta": (
        *(lax.betainc, lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), BETAS),
    ),
}

#: Half the step of a difference quotient, relative to numbers below 1.
STEP = mp.ldexp(1, -300)


@pytest.mark.parametrize("name", one_of_each(FUNCTIONS, ["log1p", "erf_inv"]))
def test_a_function(name: str) -> None:
    """Its values are slopes by weights of 1."""
    function, known, points = FUNCTIONS[name]
    points = [np.atleast_1d(point).astype(float) for point in points]
    given = [np.ones(len(points)), *np.array(points).T]
    found = exact_gradient(lambda p: jnp.sum(p[0] * function(*p[1:])), given)
    with mp.workprec(3000):
        for i, point in enumerate(points):
            x = [mp.mpf(float(number)) for number in point]
            right = [known(*x)]
            for k, number in enumerate(x):
                step = STEP * min(1, abs(number) or 1)
                ends = [known(*x[:k], number + h, *x[k + 1 :]) for h in (step, -step)]
                right.append((ends[0] - ends[1]) / (2 * step))
            for all_found, exact in zip(found, right, strict=True):
                off = abs(mp.mpf(all_found[i].midpoint) - exact)
                assert off <= all_found[i].radius + abs(exact) * mp.mpf("1e-39"), (point, exact)
                assert all_found[i].radius <= max(1e-39 * abs(exact), 5e-324)


#: Those that FLINT has no series of.
SPECIAL = [*FUNCTIONS][-5:]


@pytest.mark.parametrize("name", one_of_each(SPECIAL, SPECIAL[:3]))
def test_few_bits_enclose_what_many_say(name: str) -> None:
    for x in map(np.atleast_1d, FUNCTIONS[name][2]):
        for place in range(len(x)):
            ones = [balls.exact([1.0]) if i == place else None for i in range(len(x))]
            found = []
            for bits in (3000, 20, 64, 200):
                with balls.precision(bits):
                    run: Any = Run(RULES, Comparisons(), {})
                    eqn: Any = SimpleNamespace(params={}, primitive=SimpleNamespace(name=name))
                    pairs = zip(x, ones, strict=True)
                    given = [Dual(balls.boxed([arb(v)], ()), one) for v, one in pairs]
                    result = RULES[name](run, eqn, *given)
                    found.append((result.value[()], result.tangent[0]))
            for few in found[1:]:
                for one, many in zip(few, found[0], strict=True):
                    assert one.contains(many) or not one.is_finite()


NONE: list[tuple[Any, tuple[float, ...]]] = [
    *((f, (0.0,)) for f in (jnp.sqrt, jnp.log, lax.rsqrt, jnp.cbrt, lambda x: jnp.sqrt(x * x))),
    *((f, (-7.0,)) for f in (jnp.log, jnp.sqrt, lax.rsqrt, jnp.arccosh, jnp.log1p, lax.erf_inv)),
    *((jnp.arcsin, (1.0,)), (jnp.arccosh, (1.0,)), (jnp.arcsin, (7.0,))),
    *((lax.betainc, (2.0, 3.0, 1.5)), (lax.igamma, (-1.0, 2.0)), (lax.igamma, (2.0, -1.0))),
    *((lax.igammac, (-1.0, 2.0)), (lax.igammac, (2.0, -1.0))),
]


@pytest.mark.parametrize(("function", "at"), NONE)
def test_at_an_end_of_the_domain_and_beyond_there_is_no_slope(function: Any, at: Any) -> None:
    """√(x²) does not move at 0 to first order, and yet its slope there is none."""
    with pytest.raises(ArithmeticError, match="not finite"):
        exact_gradient(lambda p: function(*p[:-1], p[-1]), [np.float64(x) for x in at])


def test_incomplete_functions_at_the_ends_of_their_domain() -> None:
    orders = jnp.array([2.0, 1.0])
    of_0 = exact_gradient(lambda x: jnp.sum(lax.igamma(orders.astype(x.dtype), x)), np.zeros(2))
    assert [found.midpoint for found in of_0] == ["0", "1"]
    of_1 = exact_gradient(lambda w: w * lax.betainc(2.0, 3.0, 1.0), np.float64(1))
    assert of_1.midpoint == "1"
    with pytest.raises(NotImplementedError, match="igamma_grad_a"):  # it takes too many terms
        exact_gradient(lambda a: lax.igamma(a, jnp.asarray(1e5, a.dtype)), np.float64(2))
