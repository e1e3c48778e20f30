"""Helpers for polynomials with rational coefficients that SymPy lacks."""

from collections.abc import Iterable
from fractions import Fraction
from math import prod
from typing import Any

#: SymPy has no type to annotate with.
Polynomial = Any


def used(polynomial: Polynomial) -> set[int]:
    """Return the indices of the variables that occur."""
    return {at for powers in polynomial for at, power in enumerate(powers) if power}


def divided(polynomial: Polynomial, by: Polynomial) -> tuple[Polynomial, int]:
    """Divide out a factor as often as possible; return the rest and the multiplicity."""
    times = 0
    while polynomial:
        quotient, rest = polynomial.div(by)
        if rest:
            break
        polynomial, times = quotient, times + 1
    return polynomial, times


def sign_between_0_and_1(polynomial: Polynomial, variables: Iterable[Polynomial]) -> int | None:
    """Return 1, -1 or 0 if it provably has that sign wherever all variables lie in (0, 1).

    Substitute s = e / (1 + e) with e > 0 for every variable s and multiply by the powers of 1 + e:
    the result is a polynomial in e; if all its coefficients have one sign, so has the polynomial.

    Args:
        polynomial: a polynomial in these variables only.
        variables: the variables that it may contain.
    """
    if not polynomial:
        return 0
    places = {polynomial.ring.index(s): s for s in variables}
    degrees, in_e = polynomial.degrees(), polynomial.ring.zero
    for powers, coefficient in polynomial.terms():
        # The same symbol serves for e.
        factors = (
            e ** powers[at] * (1 + e) ** (degrees[at] - powers[at]) for at, e in places.items()
        )
        in_e += coefficient * prod(factors, start=polynomial.ring.one)
    signs = {1 if coefficient > 0 else -1 for coefficient in in_e.coeffs()}
    return signs.pop() if len(signs) == 1 else None


def fraction(value: Any) -> Fraction:
    """Convert a coefficient to a Python fraction."""
    return Fraction(int(value.numerator), int(value.denominator))
