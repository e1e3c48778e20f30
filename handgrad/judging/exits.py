"""What parameters left at the points where a gradient is wrong, if it is right elsewhere.

Points are moved at random out of a domain that the parameters may be meant to stay in; a gradient
that is wrong only there may be right wherever it is used.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from handgrad.arithmetic.levels import WRONG
from handgrad.data.domains.domain import Domain, Interval
from handgrad.data.numerals import place, short
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.domains import GUESSES, in_parts
from handgrad.judging.outcome import Outcome

#: What one number among others may do, by chance as well.
SIGN = "changes its sign"

#: An array of at most so many numbers may hold parameters that each mean something else; among more
#: numbers the sign of some would change at the wrong points by chance.
FEW = 8


class Exit(NamedTuple):
    """A parameter that left a domain at another point."""

    path: str
    left: str  #: says so of it
    element: str  #: one that did, and its value
    leaf: str
    by_chance: bool
    domain: Domain | None  #: which one; None if there is no such domain
    alone: bool = False  #: whether it is about one number of a leaf, and not about all


def exits(outcomes: Sequence[Outcome], case: Case) -> dict[int, list[Exit]]:
    """Return what was left at each wrong point, by its number, if that is so at all of them.

    Of the parameters that left their domains, these are the ones that did so at the fewest right
    points; a number among others at none.
    """
    points = [case.claim.of_caller(outcome.given) for outcome in outcomes]
    given, wrong = points[0], [i for i, outcome in enumerate(outcomes) if outcome.wrong]
    if any(outcomes[i].findings for i in wrong):
        return {}
    right = [at for at, o in zip(points, outcomes, strict=True) if o.ruling and not o.wrong]
    also = Counter((e.path, e.left) for at in right for e in _exits(case, given, at))
    at_wrong = {i: list(_exits(case, given, points[i])) for i in wrong}
    of_all = Counter(e[:2] for left in at_wrong.values() for e in left)
    found = {}
    for i in wrong:
        whole = points[i] is outcomes[i].given
        guilty = _wrong_leaves(outcomes[i]) if whole else set(given.paths)
        left = [e for e in at_wrong[i] if not e.by_chance or (e.leaf in guilty and not also[e[:2]])]
        at_all = {e[:2] for e in left if of_all[e[:2]] == len(wrong)}
        left = _by_numbers(left, guilty, at_all, also)
        fewest = min((also[e[:2]] for e in left), default=0)
        first = {e.path: e for e in reversed(left) if also[e[:2]] == fewest}
        found[i] = list(first.values())[::-1]
    return found if all(found.values()) else {}


def _by_numbers(
    left: Sequence[Exit],
    guilty: set[str],
    at_all: set[tuple[str, str]],
    also: Mapping[tuple[str, str], int],
) -> list[Exit]:
    """Return the arrays that left a domain, or single numbers where an array explains nothing.

    A few numbers may each mean something else, as a mean and a deviation. An array that left its
    domain at a right point, too, explains no mistake; then only its numbers are named that left it
    at all wrong points and at no right one.
    """
    several = {e.leaf for e in left if e.alone and e.leaf in guilty}
    alone = [
        e for e in left if e.leaf in several and e.alone and e[:2] in at_all and not also[e[:2]]
    ]
    found: list[Exit] = []
    for e in left:
        if e.alone or e.leaf not in several:
            found += [] if e.alone else [e]
        elif not also[e[:2]]:
            shown = [one.element for one in alone if one.leaf == e.leaf]
            found.append(e._replace(element=shown[0]) if shown else e)
    of_arrays = {e.leaf for e in found}
    return found + [e for e in alone if e.leaf not in of_arrays]


def _wrong_leaves(outcome: Outcome) -> set[str]:
    if outcome.ruling is None:
        return set()
    given, level = outcome.ruling.given, outcome.ruling.yours.level
    parts = zip(given.paths, given.parts(), strict=True)
    return {path for path, part in parts if (level[part] == WRONG).any()}


def _exits(case: Case, given: Point, other: Point) -> Iterator[Exit]:
    """Yield every parameter that has left a domain at another point, where none was stated."""
    stated, of_complex = case.domains or [Domain()] * len(given.leaves), in_parts(case, given)
    leaves = zip(given.paths, given.leaves, other.leaves, stated, of_complex, strict=True)
    for path, before, after, domain, part in leaves:
        if type(domain) is not Domain or part:
            continue
        had = [guess for guess in GUESSES if guess.holds(before)]
        left = [(guess, outside) for guess in had if len(outside := guess.outside(after))]
        for guess, outside in left:
            value = _valued(path, after, outside[0])
            yield Exit(path, guess.domain.left, value, path, guess.by_chance, guess.domain)
        if 1 < before.size <= FEW and any(
            not (guess.by_chance or guess.domain.projects) for guess, _ in left
        ):
            yield from _alone(path, before, after)
        if 1 < before.size <= FEW and not left:
            for index in np.argwhere(np.sign(before) * np.sign(after) < 0):
                element = f"{path}{place(tuple(index.tolist()))}"
                yield Exit(element, SIGN, _valued(path, after, index), path, True, None)


def _alone(path: str, before: np.ndarray, after: np.ndarray) -> Iterator[Exit]:
    """Yield the numbers of an array that left a domain, each by itself."""
    for index in np.ndindex(before.shape):
        one, other = before[index].reshape(1), after[index].reshape(1)
        for guess in GUESSES:
            domain = guess.domain
            if guess.by_chance or domain.projects or not guess.holds(one):
                continue
            if len(guess.outside(other)):
                ends = domain.ends if isinstance(domain, Interval) else (0.0, np.inf)
                low, high = np.full(before.shape, -np.inf), np.full(before.shape, np.inf)
                low[index], high[index] = ends
                value = _valued(path, after, np.array(index))
                element = f"{path}{place(index)}"
                yield Exit(
                    element, domain.left, value, path, False, Interval(low, high), alone=True
                )
                break


def _valued(path: str, leaf: np.ndarray, index: np.ndarray) -> str:
    where = tuple(index.tolist())
    return f"{path}{place(where)} is {short(float(leaf[where]), 3)}"


def kept_by(left: Sequence[Exit], given: Point, option: str) -> Iterator[str]:
    """Yield what keeps points in the domains that parameters have left."""
    domains: dict[str, Domain] = {}
    for one in left:
        if one.domain is None:
            continue
        known = domains.get(one.leaf)
        if one.alone and isinstance(known, Interval) and isinstance(one.domain, Interval):
            # Numbers of one array: all their ends together.
            low, high = (
                np.maximum(known.low, one.domain.low),
                np.minimum(known.high, one.domain.high),
            )
            domains[one.leaf] = Interval(low, high)
        else:
            domains.setdefault(one.leaf, one.domain)
    for leaf, domain in domains.items():
        # A command takes the same ends for all numbers alone.
        if "{0" in option or not (isinstance(domain, Interval) and domain.shape):
            of = f" for {leaf}" if len(given.paths) > 1 else ""
            yield option.format(domain.spec, domain.words) + of
