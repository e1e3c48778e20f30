"""Bessel's and the incomplete functions: values to a few ulps, slopes to a thousand bits."""

import math
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rules import RULES
from handgrad.program.rules.special import MOST_TERMS
from tests.handgrad.oracle.problems import certified, gradient

#: Bits, and the step of the difference quotient; its error is h²·f‴/6, f‴/f′ below 2^60 here.
BITS, STEP, SLACK = 1200, arb(2) ** -200, arb(2) ** -330

#: The name, the function in float64, its arguments, and which of them may move.
CASES: list[tuple[str, Any, tuple[float, ...], tuple[int, ...]]] = [
    *(("bessel_i0e", scipy.special.i0e, (x,), (0,)) for x in (-30.5, -0.7, 1e-5, 0.3, 700.0)),
    *(("bessel_i1e", scipy.special.i1e, (x,), (0,)) for x in (-30.5, -0.7, 1e-5, 0.3, 700.0)),
    *(
        (name, f, (a, x), (0, 1))
        for name, f in (("igamma", scipy.special.gammainc), ("igammac", scipy.special.gammaincc))
        for a, x in ((2.5, 0.3), (0.5, 30.0), (1.0, 1.0), (30.0, 2.0), (12.0, 14.5), (0.01, 1e-3))
    ),
    *(
        ("regularized_incomplete_beta", scipy.special.betainc, (a, b, x), (2,))
        for a, b, x in ((2.5, 0.5, 0.3), (1.0, 1.0, 0.9), (0.2, 30.0, 1e-3))
    ),
]


def applied(name: str, *operands: Dual) -> Dual:
    eqn: Any = SimpleNamespace(params={}, primitive=SimpleNamespace(name=name))
    return RULES[name](Run(RULES, Comparisons(), {}), eqn, *operands)


def value(name: str, *operands: Dual) -> Any:
    return applied(name, *operands).value[()]


def slope(name: str, *operands: Dual) -> Any:
    tangent = applied(name, *operands).tangent
    assert tangent is not None
    return tangent[0]


def dual(x: Any, tangent: float | None = None) -> Dual:
    return Dual(balls.boxed([arb(x)], ()), None if tangent is None else balls.exact([tangent]))


@pytest.mark.parametrize(("name", "f", "x", "moving"), CASES, ids=repr)
def test_a_value_and_its_slopes(name: str, f: Any, x: Any, moving: Any) -> None:
    known = float(f(*x))
    with balls.precision(BITS):
        assert abs(value(name, *map(dual, x)) - known) <= 64 * math.ulp(known)
        for place in moving:
            step = STEP * x[place]
            ends = [
                value(name, *(dual(arb(v) + s * step * (i == place)) for i, v in enumerate(x)))
                for s in (1, -1)
            ]
            quotient = (ends[0] - ends[1]) / (2 * step)
            given = [dual(v, 1.0 if i == place else None) for i, v in enumerate(x)]
            gap = abs(slope(name, *given) - quotient)
            assert gap <= SLACK * abs(quotient) + arb(2) ** -900


@pytest.mark.parametrize(("name", "x", "moving"), [(n, x, m) for n, _, x, m in CASES], ids=repr)
def test_few_bits_enclose_what_many_say(name: str, x: Any, moving: Any) -> None:
    for place in (None, *moving):
        given = [dual(v, 1.0 if i == place else None) for i, v in enumerate(x)]
        what = value if place is None else slope
        with balls.precision(BITS):
            many = what(name, *given)
        for bits in (20, 64, 200):
            with balls.precision(bits):
                few = what(name, *given)
            assert few.contains(many) or not few.is_finite()


def test_bessel_without_its_exponential_has_no_kink_at_0() -> None:
    """e^|x| takes back what e^-|x| bends."""
    for loss, known in ((jax.scipy.special.i0, 0.0), (jax.scipy.special.i1, 0.5)):
        reference = certified(loss, 0.0)
        assert reference.kink is None
        assert balls.midpoints(reference.gradient).tolist() == [known]
    kink = certified(jax.scipy.special.i0e, 0.0).kink
    assert kink is not None
    ends = sorted(float(end[0]) for end in (kink.vertex, kink.vertex + kink.edges.sum(axis=0)))
    assert ends == [-1.0, 1.0]


def test_at_the_ends_of_the_domain() -> None:
    for a, known in ((2.0, 0.0), (1.0, 1.0)):
        assert float(slope("igamma", dual(a), dual(0.0, 1.0))) == known
    assert slope("igamma", dual(2.0, 1.0), dual(0.0)) == 0
    for outside in ((dual(-1.0), dual(2.0)), (dual(2.0), dual(-1.0))):
        assert not value("igamma", *outside).is_finite()
        assert not value("igammac", *outside).is_finite()
    assert value("regularized_incomplete_beta", dual(2), dual(3), dual(1)) == 1
    assert not value("regularized_incomplete_beta", *map(dual, (2, 3, 1.5))).is_finite()


def test_a_parameter_that_takes_too_many_terms_has_no_rule() -> None:
    with pytest.raises(UncertifiedPrimitiveError, match="igamma_grad_a"):
        applied("igamma", dual(2.0, 1.0), dual(float(MOST_TERMS)))
    assert value("igamma", dual(2.0), dual(float(MOST_TERMS), 1.0)).is_finite()


@pytest.mark.parametrize("place", [0, 1])
def test_the_parameters_of_the_incomplete_beta_must_stand_still(place: int) -> None:
    operands = [dual(2.0, 1.0 if i == place else None) for i in range(2)]
    with pytest.raises(UncertifiedPrimitiveError, match="incomplete_beta"):
        applied("regularized_incomplete_beta", *operands, dual(0.5))


@pytest.mark.slow
@pytest.mark.parametrize("x", [-2.5, -1.5, -0.3, 0.3, 2.5])
def test_the_gamma_function_with_its_sign(x: float) -> None:
    """jnp.signbit asks for the bits of its argument."""
    expected = scipy.special.gamma(x) * scipy.special.digamma(x)
    assert gradient(jax.scipy.special.gamma, x) == pytest.approx([expected], rel=1e-13)
    assert gradient(lambda p: jnp.copysign(p * p, -p), x) == [-2 * x * np.sign(x)]


def test_a_function_that_is_called_signbit_is_what_it_does() -> None:
    @jax.jit
    def signbit(p: Any) -> Any:
        return p * p * p

    assert gradient(signbit, 2.0).tolist() == [12.0]
