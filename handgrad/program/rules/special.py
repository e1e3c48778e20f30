"""Rules for Bessel functions and the incomplete gamma and beta functions.

FLINT gives the values. The slopes are written beside them, by formulas of the Digital Library of
Mathematical Functions (DLMF); the tests compare them with difference quotients.
"""

from collections.abc import Callable
from typing import Any

from flint import arb, ctx

from handgrad.arithmetic import balls
from handgrad.arithmetic.balls import array
from handgrad.arithmetic.comparisons import LESS
from handgrad.arithmetic.dual import Dual, by_slopes
from handgrad.arithmetic.jets import Jet
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rule, elementwise
from handgrad.program.rules.binary import must_stand_still
from handgrad.program.rules.comparison import ZERO, choose
from handgrad.program.rules.elementwise import NAN, quietly, with_slope

#: The most terms of the derivative of an incomplete gamma function by its parameter.
MOST_TERMS = 20_000


def _scaled(n: int) -> Callable[[arb], arb]:
    """Return the function e⁻ᵘ·Iₙ(u), u >= 0; I₀′ = I₁, Iₙ′ = (Iₙ₋₁ + Iₙ₊₁) / 2 (DLMF, 10.29)."""

    def function(u: Any) -> Any:
        if not isinstance(u, Jet):
            return u.bessel_i(arb(n), scaled=True)
        beside = [_scaled(abs(n - 1))(u.c), _scaled(n + 1)(u.c)]
        value = function(u.c)
        return u.chained(value, (beside[0] + beside[1]) / 2 - value)

    return function


#: Rules for e⁻ᵘ·Iₙ(u), u >= 0.
_OF_THE_MODULUS = (
    with_slope(_scaled(0), lambda u, f: _scaled(1)(u) - f),
    with_slope(_scaled(1), lambda u, f: (_scaled(0)(u) + _scaled(2)(u)) / 2 - f),
)


def _bessel(n: int) -> Callable[..., Dual]:
    """e^-|x|·Iₙ(x), with the kink of |x|; I₀ is even and I₁ odd."""

    def rule(run: Run, eqn: Any, x: Dual) -> Dual:
        negative = run.comparisons.order(x, ZERO) == LESS
        found = _OF_THE_MODULUS[n](run, eqn, choose(negative, x, -x))
        return choose(negative, found, -found) if n % 2 else found

    return rule


def _incomplete_gamma(sign: int) -> Callable[..., Dual]:
    """P(a, x), or (sign -1) Q = 1 - P; ∂P/∂x = x^(a - 1)·e⁻ˣ / Γ(a) (DLMF, 8.8.13)."""
    values = _lower if sign > 0 else _upper

    def rule(run: Run, eqn: Any, a: Dual, x: Dual) -> Dual:
        return by_slopes(
            values(a.value, x.value),
            (x, lambda: _density(a.value, x.value) * sign),
            (a, lambda: _by_parameter(a.value, x.value) * sign),
        )

    return rule


@balls.elementwise
def _lower(a: arb, x: arb) -> arb:
    if not a > 0 or x < 0:
        return NAN
    return balls.ZERO if x.is_zero() else x.gamma_lower(a, regularized=1)


@balls.elementwise
def _upper(a: arb, x: arb) -> arb:
    if not a > 0 or x < 0:
        return NAN
    return balls.ONE if x.is_zero() else x.gamma_upper(a, regularized=1)


@balls.elementwise
def _density(a: arb, x: arb) -> arb:
    if x.is_zero():
        return balls.ZERO if a > 1 else balls.ONE if a == 1 else NAN
    return x ** (a - 1) * (-x).exp() * a.rgamma()


@balls.elementwise
def _by_parameter(a: arb, x: arb) -> arb:
    """Return ∂P/∂a = Σ Tₖ·(log x - ψ(a + k + 1)), the termwise derivative of P = Σ Tₖ.

    Tₖ = x^(a + k)·e⁻ˣ / Γ(a + k + 1) (DLMF, 8.7.1). Once Tₖ₊₁ <= Tₖ / 2, the rest of the sum is
    below Tₖ·(2·|log x| + 2·log(a + k + 1) + 4), since |ψ(z)| <= log z + 1/z for z >= 1.
    """
    if x.is_zero() and a > 0:
        return balls.ZERO
    if not a > 0 or not x > 0:
        return NAN
    log, digamma = x.log(), (a + 1).digamma()
    term, total = x**a * (-x).exp() * (a + 1).rgamma(), balls.ZERO
    for k in range(MOST_TERMS):
        z = a + k + 1
        if 2 * x < z:
            rest = (term * (2 * abs(log) + 2 * z.log() + 4)).abs_upper()
            if not rest > abs(total) * arb(2) ** -ctx.prec:
                return total + rest * arb(0, 1)
        total = total + term * (log - digamma)
        term, digamma = term * x / z, digamma + 1 / z
    raise UncertifiedPrimitiveError("igamma_grad_a")


def gamma_by_parameter(run: Run, eqn: Any, a: Dual, x: Dual) -> Dual:
    """igamma_grad_a: ∂P/∂a, in gradient programs."""
    must_stand_still(a, eqn)
    must_stand_still(x, eqn)
    return Dual(array(_by_parameter(a.value, x.value)))


def incomplete_beta(run: Run, eqn: Any, a: Dual, b: Dual, x: Dual) -> Dual:
    """The regularized Iₓ(a, b), with the slope x^(a-1)·(1 - x)^(b-1) / B(a, b) (DLMF, 8.17)."""
    operands = a.value, b.value, x.value
    return by_slopes(
        _regularized(*operands),
        (x, lambda: _beta_density(*operands)),
        (a, lambda: _beta_by_first(*operands)),
        (b, lambda: _beta_by_second(*operands)),
    )


@balls.elementwise
def _regularized(a: arb, b: arb, x: arb) -> arb:
    inside = a > 0 and b > 0 and not x < 0 and not x > 1
    return quietly(lambda x: x.beta_lower(a, b, regularized=True))(x) if inside else NAN


@balls.elementwise
def _beta_density(a: arb, b: arb, x: arb) -> arb:
    inverse = (a + b).gamma() * a.rgamma() * b.rgamma()
    return x ** (a - 1) * (1 - x) ** (b - 1) * inverse if x > 0 and x < 1 else NAN


@balls.elementwise
def _beta_by_first(a: arb, b: arb, x: arb) -> arb:
    return _beta_by_parameters(a, b, x)[0]


@balls.elementwise
def _beta_by_second(a: arb, b: arb, x: arb) -> arb:
    return _beta_by_parameters(a, b, x)[1]


def _beta_by_parameters(a: arb, b: arb, x: arb) -> tuple[arb, arb]:
    """Return ∂I/∂a and ∂I/∂b, the termwise derivatives of I = P·Σ Tₖ (DLMF, 8.17.8).

    P = x^a·(1 - x)^b / (a·B(a, b)), T₀ = 1 and Tₖ₊₁ = Tₖ·x·(a + b + k) / (a + 1 + k). That factor
    tends to x monotonically, so from k on it is at most q = x·max(1, (a + b + k) / (a + 1 + k)).
    The derivatives of log Tₖ then grow by at most w = 1 / (k + min(a + b, a + 1)) a step, and with
    the present ones c the rest of a sum is below Tₖ·(|c| / (1 - q) + w·q / (1 - q)²). Where x is
    large, I = 1 - I₁₋ₓ(b, a) converges faster.
    """
    if a > 0 and b > 0 and (x.is_zero() or x == 1):
        return balls.ZERO, balls.ZERO
    if not (a > 0 and b > 0 and x > 0 and x < 1):
        return NAN, NAN
    if x * (a + b + 2) > a + 1 and (1 - x) * (a + b + 2) <= b + 1:
        by_b, by_a = _beta_by_parameters(b, a, 1 - x)
        return -by_a, -by_b
    factor = x**a * (1 - x) ** b * (a + b).gamma() * (a + 1).rgamma() * b.rgamma()
    of_both = (a + b).digamma()
    term, logs, sums = balls.ONE, [balls.ZERO] * 3, [balls.ZERO] * 3
    logs[0] = balls.ONE  # Σ Tₖ, Σ Tₖ·∂log Tₖ/∂a, Σ Tₖ·∂log Tₖ/∂b
    for k in range(MOST_TERMS):
        q = x * ((a + b + k) / (a + 1 + k)).max(balls.ONE)
        if q < 1:
            w = 1 / (k + (a + b).min(a + 1))
            rests = [(term * (abs(c) / (1 - q) + w * q / (1 - q) ** 2)).abs_upper() for c in logs]
            if not max(rests) > sums[0] * arb(2) ** -ctx.prec:
                total, by_a, by_b = (s + r * arb(0, 1) for s, r in zip(sums, rests, strict=True))
                log_by_a = x.log() - (a + 1).digamma() + of_both
                log_by_b = (1 - x).log() - b.digamma() + of_both
                return factor * (total * log_by_a + by_a), factor * (total * log_by_b + by_b)
        sums = [s + term * c for s, c in zip(sums, logs, strict=True)]
        term = term * x * (a + b + k) / (a + 1 + k)
        logs[1] = logs[1] + 1 / (a + b + k) - 1 / (a + 1 + k)
        logs[2] = logs[2] + 1 / (a + b + k)
    raise UncertifiedPrimitiveError("regularized_incomplete_beta")


RULES: dict[str, Rule] = {
    "bessel_i0e": elementwise(_bessel(0)),
    "bessel_i1e": elementwise(_bessel(1)),
    "igamma": elementwise(_incomplete_gamma(1)),
    "igammac": elementwise(_incomplete_gamma(-1)),
    "igamma_grad_a": elementwise(gamma_by_parameter),
    "regularized_incomplete_beta": elementwise(incomplete_beta),
}
