"""Rules for arithmetic and for functions of one number, elementwise.

Where FLINT has the power series of a function, it gives value and slope together: f(v + ε) to first
order. Where it has not, the slope is written beside the value, and the tests compare it with a
difference quotient at a thousand bits. No derivative rule of JAX is used.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_series

from handgrad.arithmetic import balls, jets
from handgrad.arithmetic.balls import array
from handgrad.arithmetic.dual import Dual, by_slopes, stopped
from handgrad.arithmetic.jets import Jet
from handgrad.program.interpreter import Run
from handgrad.program.rule import Rule, choice, elementwise

Number = Any  #: an `arb`, an `arb_series` of a few terms, or a `Jet`

NAN = arb("nan")


def logistic(z: Number) -> Number:
    """Return σ(z), by the formula that is accurate for the sign of z."""
    negative = _first(z) < 0
    e = z.exp() if negative else (-z).exp()
    return e / (1 + e) if negative else 1 / (1 + e)


def _first(x: Number) -> Any:
    return x[0] if isinstance(x, arb_series) else x


def log_gamma(x: Number) -> Number:
    """log |Γ(x)|."""
    if _first(x) > 0:
        return x.lgamma()
    reciprocal = x.rgamma()
    negative = _first(reciprocal) < 0
    return -(-reciprocal if negative else reciprocal).log()


def hurwitz(s: arb, q: Number) -> Number:
    """Return ζ(s, q) = Σ (q + k)^-s over k >= 0; terms with negative q + k are added directly."""
    if isinstance(q, Jet):
        # ∂ζ/∂q = -s·ζ(s + 1, q) (DLMF, 25.11)
        return q.chained(hurwitz(s, q.c), -s * hurwitz(s + 1, q.c))
    total = balls.ZERO
    while q < 0:
        total, q = total + q**-s, q + 1
    return total + s.zeta(q)


#: Functions whose slope FLINT's power series give; a new one is a row.
BY_SERIES: dict[str, Callable[[Number], Number]] = {
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "sqrt": lambda x: x.sqrt(),
    "rsqrt": lambda x: x.rsqrt(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "asin": lambda x: x.asin(),
    "acos": lambda x: x.acos(),
    "atan": lambda x: x.atan(),
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "logistic": logistic,
    "lgamma": log_gamma,
}

#: Functions with their slopes, (x) -> f(x) and (x, f(x)) -> f′(x); a new one is a row.
WITH_SLOPE: dict[str, tuple[Callable[[arb], arb], Callable[[arb, arb], arb]]] = {
    "log1p": (lambda x: x.log1p(), lambda x, f: 1 / (1 + x)),
    "expm1": (lambda x: x.expm1(), lambda x, f: x.exp()),
    "exp2": (lambda x: arb(2) ** x, lambda x, f: f * arb.const_log2()),
    "log2": (lambda x: x.log() / arb.const_log2(), lambda x, f: 1 / (x * arb.const_log2())),
    "tanh": (lambda x: x.tanh(), lambda x, f: x.sech() ** 2),
    "sinh": (lambda x: x.sinh(), lambda x, f: x.cosh()),
    "cosh": (lambda x: x.cosh(), lambda x, f: x.sinh()),
    "asinh": (lambda x: x.asinh(), lambda x, f: (1 + x * x).rsqrt()),
    "acosh": (lambda x: x.acosh(), lambda x, f: ((x - 1) * (x + 1)).rsqrt()),
    "atanh": (lambda x: x.atanh(), lambda x, f: 1 / ((1 - x) * (1 + x))),
    "square": (lambda x: x * x, lambda x, f: 2 * x),
    "one_minus_square": (lambda x: (1 - x) * (1 + x), lambda x, f: -2 * x),
    "cbrt": (
        lambda x: x.root(3) if x > 0 else -(-x).root(3) if x < 0 else balls.ZERO * x,
        lambda x, f: 1 / (3 * f * f),
    ),
    "erf_inv": (lambda x: x.erfinv(), lambda x, f: arb.const_sqrt_pi() / 2 * (f * f).exp()),
    "digamma": (lambda x: x.digamma(), lambda x, f: hurwitz(arb(2), x)),
}


def by_series(f: Callable[[Number], Number]) -> Callable[..., Dual]:
    """Make the rule of a function in `BY_SERIES`."""

    def both(x: Number) -> tuple[Number, Number]:
        try:
            if isinstance(x, Jet):
                return jets.by_taylor(f, x)
            series = f(arb_series([x, balls.ONE], 2))
            return series[0], series[1]
        except (ZeroDivisionError, ValueError):
            return (NAN if isinstance(x, Jet) else f(x)), NAN

    return _rule(quietly(f, both), both)


def with_slope(
    f: Callable[[Number], Number], slope: Callable[[Number, Number], Number]
) -> Callable[..., Dual]:
    """Make the rule of a function in `WITH_SLOPE`."""

    def both(x: Number) -> tuple[Number, Number]:
        if isinstance(x, Jet):
            value = x.chained(*both(x.c))
            return value, slope(x, value)
        value = f(x)
        return value, slope(x, value)

    return _rule(quietly(f, both), both)


def _rule(
    f: Callable[[Number], Number], both: Callable[[Number], tuple[Number, Number]]
) -> Callable[..., Dual]:
    # NaN in data stays exact, so that it is told from NaN of what is computed.
    values = balls.elementwise(lambda x: x if x.is_nan() else f(x))
    pairs = balls.elementwise(lambda x: (x, x) if x.is_nan() else both(x), outputs=2)

    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        if x.tangent is None or not x.value.size:
            return Dual(array(values(x.value)) if x.value.size else x.value, x.tangent)
        value, slope = pairs(x.value)
        return by_slopes(value, (x, lambda: slope))

    return rule


def quietly(
    f: Callable[[Number], Number],
    both: Callable[[Number], tuple[Number, Number]] | None = None,
) -> Callable[[Number], Number]:
    """Return a function that is NaN where FLINT raises; of a `Jet` it is the first of both."""

    def quiet(x: Number) -> Number:
        try:
            return both(x)[0] if both and isinstance(x, Jet) else f(x)
        except (ZeroDivisionError, ValueError):
            return NAN

    return quiet


def _add(run: Run, eqn: Any, a: Dual, b: Dual) -> Dual:
    return a + b


def _same(run: Run, eqn: Any, x: Any) -> Any:
    return x


def div(run: Run, eqn: Any, a: Dual, b: Dual) -> Dual:
    """q = a / b, so q′ = (a′ - q·b′) / b."""
    quotient = array(a.value / b.value)
    change = a if b.tangent is None else a - Dual(quotient) * b
    return by_slopes(quotient, (change, lambda: balls.ONE / b.value))


def polynomial(run: Run, eqn: Any, x: Dual, *coefficients: Dual) -> Dual:
    """c₀ + c₁·x + c₂·x² + ..., by Horner's rule."""
    total = Dual(balls.zeros(()))
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def is_finite(run: Run, eqn: Any, x: Dual) -> np.ndarray:
    """Tell which elements are finite."""

    def finite(i: int, ball: arb) -> bool:
        return ball.is_finite() or (not run.comparisons.is_nan(ball, i) and ball.mid().is_finite())

    found = [finite(i, ball) for i, ball in enumerate(x.value.flat)]
    return np.array(found, dtype=bool).reshape(x.shape)


RULES: dict[str, Rule] = {
    **{name: elementwise(by_series(f)) for name, f in BY_SERIES.items()},
    **{name: elementwise(with_slope(*pair)) for name, pair in WITH_SLOPE.items()},
    "add": elementwise(_add),
    "add_any": elementwise(_add),
    "sub": elementwise(lambda run, eqn, a, b: a - b, "subtract"),
    "mul": elementwise(lambda run, eqn, a, b: a * b, "multiply"),
    "neg": choice(lambda run, eqn, a: -a, "negative"),
    "div": elementwise(div, "divide"),
    "copy": Rule(_same, elementwise=True, rearranges=True),
    "copy_p": Rule(_same, elementwise=True, rearranges=True),
    "reduce_precision": choice(_same),
    "optimization_barrier": Rule(lambda run, eqn, *xs: list(xs)),
    "device_put": Rule(lambda run, eqn, *xs: list(xs)),
    "stop_gradient": Rule(lambda run, eqn, x: stopped(x)),
    "polynomial": elementwise(polynomial),
    "is_finite": choice(is_finite, "isfinite"),
}
