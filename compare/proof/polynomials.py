"""Polynomials with rational coefficients, as far as SymPy's do not have it."""

from collections.abc import Iterable
from fractions import Fraction
from math import prod
from typing import Any

#: SymPy says nothing of its type.
Polynomial = Any


def used(polynomial: Polynomial) -> set[int]:
    """Which variables are in it."""
    return {at for powers in polynomial for at, power in enumerate(powers) if power}


def divided(polynomial: Polynomial, by: Polynomial) -> tuple[Polynomial, int]:
    """What is left of a polynomial without a factor, and how often that was there."""
    times = 0
    while polynomial:
        quotient, rest = polynomial.div(by)
        if rest:
            break
        polynomial, times = quotient, times + 1
    return polynomial, times


def sign_between_0_and_1(polynomial: Polynomial, variables: Iterable[Polynomial]) -> int | None:
    """1, -1 or 0 if it has that sign wherever all variables are between 0 and 1, and it is seen.

    With s = e / (1 + e) for every variable s, e is any number above 0. Multiplied by 1 + e as often
    as there is an s, what comes out is a polynomial in e; if all its coefficients have one sign,
    it has that sign, too.

    Args:
        polynomial: in no other variables.
        variables: all that it may have.
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
    """A coefficient as Python has it."""
    return Fraction(int(value.numerator), int(value.denominator))
