"""Claims for all real numbers: proved by algebra, refuted at a rational point, or undecided.

Where lines take |z|, a minimum or z > 0, each case of signs is a formula of its own, and everything
is asked in each. On the border between two cases the lines have to take one of the two sides
throughout, so that what they compute there is that side's formula.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import prod
from random import Random
from typing import Any, NamedTuple

import sympy as sp

from compare.proof.symbols import EITHER, Above, UndecidedError

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"

#: The most cases of signs that are gone through.
MOST_CASES = 64

#: Points that are tried for a refutation, and the digits of the values there.
POINTS, DIGITS = 60, 30

#: Values that differ by more than this, of their size, are not the same: they have 40 digits.
APART = sp.Rational(1, 10**20)

#: How far from a border its sides are looked at: nearer than any other border.
NEAR = sp.Rational(1, 10**9)

#: Factors of the numbers of a point, each drawn from one of these rows.
SCALES = tuple(
    tuple(map(sp.Rational, row.split()))
    for row in ("1", "1", "1 5 20", "1/1000000000 1 10", "1/10 1 100")
)


class Difference(NamedTuple):
    """A point at which lines are wrong, and both values there, as decimal digits."""

    point: dict[str, Fraction]
    by_hand: str
    exact: str


@dataclass(frozen=True)
class Claim:
    """What is claimed for all real numbers, and what became of it."""

    says: str
    verdict: str
    name: str = ""  #: of the parameter or lemma
    factors: Sequence[Any] = ()  #: what the lines compute, as a product; empty if it is none
    difference: Difference | None = None
    kinks: tuple[str, ...] = ()  #: where there is no derivative, which is excluded
    cases: int = 1  #: of signs


class Side(NamedTuple):
    """The answer to whether a difference is above 0, which has a name from then on."""

    name: Any
    difference: Any
    above: bool


def claim(says: str, due: Any, by_hand: Any, at: Sequence[Any] = (), **about: Any) -> Claim:
    """Decide whether what is written by hand is what is due.

    Args:
        says: the claim.
        due: a formula, which may have forks, as what is written by hand.
        by_hand: what is written by hand.
        at: the symbols that a point gives numbers, in their order; by their names, if none.
        about: further fields of the claim.
    """
    gap = due - by_hand
    at = at or sorted(gap.free_symbols | by_hand.free_symbols, key=str)
    wanted, found = (
        of.replace(lambda part: hasattr(part, "example"), lambda part: part.example())
        for of in (due, by_hand)
    )
    if wrong := _refutation(wanted, found, at, range(1)):  # most of what is wrong is seen at once
        return Claim(says, REFUTED, difference=wrong, **about)
    try:
        each = [piece for _, piece in cases(gap)]
        if all(map(vanishes, each)):
            return Claim(says, PROVED, cases=len(each), **about)
    except UndecidedError:
        pass
    wrong = _refutation(wanted, found, at, range(1, POINTS))
    return Claim(says, REFUTED if wrong else UNDECIDED, difference=wrong, **about)


def worst(says: str, claims: Sequence[Claim], name: str) -> Claim:
    """Join claims to one, which is as certain as the least certain of them."""
    order = (REFUTED, UNDECIDED, PROVED)
    least = min(claims, key=lambda claim: order.index(claim.verdict))
    places = dict.fromkeys(place for claim in claims for place in claim.kinks)
    most = max(claim.cases for claim in claims)
    return replace(least, says=says, name=name, kinks=(*places,), cases=most)


def cases(asked: Any) -> Iterator[tuple[tuple[Side, ...], Any]]:
    """Yield the sides of each case, and what an expression is there: without forks.

    Differences are variables of their own, where one may be in place of another.

    Raises:
        UndecidedError: on a border the lines take neither of its sides, after the last case; or
            there are more than `MOST_CASES`.
    """
    at_borders: dict[Any, set[int]] = defaultdict(lambda: {0, 1})
    for count, found in enumerate(_cases(asked, (), at_borders)):
        if count == MOST_CASES:
            raise UndecidedError(f"more than {MOST_CASES} cases of signs")
        yield found
    if not all(at_borders.values()):
        raise UndecidedError("where two cases meet, the lines take neither throughout")


def _cases(
    asked: Any, sides: tuple[Side, ...], at_borders: dict[Any, set[int]]
) -> Iterator[tuple[tuple[Side, ...], Any]]:
    forks = [fork for fork in asked.atoms(Above) if not fork.args[0].has(Above)]
    if not forks:
        yield sides, asked
        return
    known = {of: side for side in sides for of in (side.name, side.difference)}
    of = min(
        (fork.args[0] for fork in forks), key=lambda of: (of not in known, sp.default_sort_key(of))
    )
    forks = [fork for fork in forks if fork.args[0] == of]
    moved: dict[Any, Any] = {}
    if of in known:
        branches = [(known[of], sides)]
    else:
        name, moved = _renamed(of)
        both = Side(name, of, True), Side(name, of, False)
        branches = [
            (further, (*sides, further))
            for further in both
            if not any(_contradict(side, further) for side in sides)
        ]
    for side, beside in branches:
        for _, at_0 in (fork.args for fork in forks):
            at_borders[side.name] &= {0, 1} if at_0 == EITHER else {int(at_0)}
        answers = {fork: sp.Integer(side.above) for fork in forks}
        yield from _cases(asked.xreplace(moved | answers), beside, at_borders)


def _renamed(difference: Any) -> tuple[Any, dict[Any, Any]]:
    """Return a variable in place of a sum, and what one in it is by that; the sum itself, if none.

    For z = w x + b that is z, and b = z - w x.
    """
    for term in sp.Add.make_args(difference):
        sign, of = term.as_coeff_Mul()
        if abs(sign) == 1 and of.is_Symbol and not of.is_Dummy and term != difference:
            name = sp.Dummy("z", real=True)
            rest = difference - term
            if not rest.has(of):
                return name, {of: sign * (name - rest)}
    return difference, {}


def _contradict(side: Side, other: Side) -> bool:
    """Whether one difference is the other plus a number, and no number has both answers."""
    apart = other.difference - side.name, other.difference - side.difference
    return any(gap.is_number and side.above == (gap > 0) != other.above for gap in apart)


def vanishes(formula: Any) -> bool:
    """Whether a formula without forks is 0 for all real numbers, by algebra alone.

    Exponentials are variables of their own, one for each summand in an exponent.
    """
    formula = formula.rewrite(sp.exp) if formula.has(sp.tanh) else formula
    names: dict[Any, Any] = {}

    def variable(power: Any) -> Any:
        pairs = (term.as_coeff_Mul() for term in sp.Add.make_args(sp.expand(power.args[0])))
        whole = [(c, of) if c.is_Integer else (1, c * of) for c, of in pairs]
        return prod(names.setdefault(of, sp.Dummy("e", positive=True)) ** c for c, of in whole)

    formula = formula.xreplace({power: variable(power) for power in formula.atoms(sp.exp)})
    return sp.expand(sp.fraction(sp.together(formula))[0]) == 0


def kinks(function: Any, by: Any) -> tuple[str, ...]:
    """Name the places where a function with forks has no derivative by a variable.

    There is one on a border where both sides have the same value and slope, as at |r| = 1 in
    Huber's loss.

    Args:
        function: a sum, of which the summands with the variable count.
        by: the variable, in which the differences are linear.
    """
    _, function = sp.expand(function).as_independent(by, as_Add=True)
    found = {}
    for sides, _ in cases(function):
        inside: dict[Any, Any] = {}
        for side in sides:
            inside[side.name] = side.difference.xreplace(inside)
            (place,) = sp.solve(inside[side.name], by)
            found[place] = None
    return tuple(f"{by} = {place}" for place in found if not _is_smooth(function, by, place))


def _is_smooth(function: Any, by: Any, place: Any) -> bool:
    forks = function.atoms(Above)
    left, right = (
        function.xreplace({fork: fork.subs(by, place + off) for fork in forks})
        for off in (-NEAR, NEAR)
    )
    return all(vanishes(of.subs(by, place)) for of in (left - right, sp.diff(left - right, by)))


@cache
def unknown(name: str, by: int = 0) -> Any:
    """Return a function of which nothing is known, or its derivative by an argument, from 1 up."""

    def slope(self: Any, index: int = 1) -> Any:
        return unknown(name, index)(*self.args)

    def example(self: Any) -> Any:
        """Return what it is at the points of a refutation: some polynomial, or its derivative."""
        if by:
            return 2 * (by + ord(name)) * self.args[by - 1] + 1
        return sum((k + ord(name)) * t**2 + t for k, t in enumerate(self.args, 1))

    return type(f"{name}_{by}", (sp.Function,), {"fdiff": slope, "example": example})


def _refutation(
    due: Any, by_hand: Any, at: Sequence[Any], attempts: Iterable[int]
) -> Difference | None:
    """Find a rational point where two formulas have different values; None if none is found."""
    for attempt in attempts:
        point = _point(attempt, at)
        found, exact = (of.xreplace(point).evalf(DIGITS + 10) for of in (by_hand, due))
        if not exact.is_finite:
            continue
        if found is sp.nan or abs(exact - found) > APART * max(abs(exact), abs(found)):
            shown = {str(symbol): Fraction(str(value)) for symbol, value in point.items()}
            return Difference(shown, *(str(sp.N(value, DIGITS)) for value in (found, exact)))
    return None


def _point(attempt: int, at: Sequence[Any]) -> dict[Any, Any]:
    """Return a point of small rational numbers, some of them tiny or large; always the same."""
    draw, scales = Random(attempt), SCALES[attempt % len(SCALES)]
    point = {}
    for of in at:
        over, under = draw.choice((-3, -2, -1, 1, 2, 3)), draw.choice((1, 2, 3, 4))
        point[of] = sp.Rational(over, under) * draw.choice(scales)
    return point
