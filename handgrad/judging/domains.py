"""The domains of a case: those that were stated, and what its parameters may be meant to be.

Where no domain is stated, points are moved at random out of one that the parameters may be in. A
gradient that is wrong only where a parameter left it may be right wherever it is used; and one that
is wrong only in directions that leave it is right for such parameters.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.levels import WRONG
from handgrad.data.complex_pairs import Pair, is_pair
from handgrad.data.domains.domain import Domain, Interval, Mask, Positive
from handgrad.data.domains.matrices import LowerTriangular, Orthogonal, Symmetric, mirrored
from handgrad.data.domains.named import check_inside, domains_of
from handgrad.data.domains.rows import Simplex, UnitSphere
from handgrad.data.domains.tangent import BITS, Tangent, tangent_of
from handgrad.data.point import Point, shortly
from handgrad.data.pytrees import is_real
from handgrad.judging.case import Case
from handgrad.judging.ruling import Ruling


def check_all_directions(option: str, domain: Any, tangent: Tangent | None) -> None:
    """Raise ValueError if a domain has directions that leave it, along which nothing is judged.

    `option` is what asks for others: `order: got 2`. At second order a random direction, or what is
    normal to the domain, would enter the slope.
    """
    if tangent is not None:
        what = (
            "expected one of the two, or a domain that no direction leaves: positive, an interval"
        )
        raise ValueError(f"{option} and domain={shortly(domain)}, {what}")


def in_domains(case: Case, given: Point) -> Case:
    """Return a case with the domain of each parameter, as `domain=` states them.

    Of a part, they are stated for all its arguments.

    Raises:
        TypeError, ValueError: there is no such domain, or the point is not in it.
    """
    if case.domain is None or case.domains:
        return case
    given = case.claim.of_caller(given)
    whole = case.claim.whole(given.params)
    found = domains_of(case.domain, whole)
    leaves = jax.tree_util.tree_leaves(whole)
    found = [found[k] for k in case.claim.places(leaves, len(given.leaves))]
    for path, domain, of_complex in zip(given.paths, found, in_parts(case, given), strict=True):
        if of_complex and type(domain) not in (Domain, Mask):
            what = "expected a boolean array or None for what is complex"
            name = path.removesuffix(f".{Pair._fields[0]}")
            raise ValueError(f"domain: got {domain.words} for {name}, {what}")
    check_inside(given, found)
    if case.claim.of_hessian:
        for domain in found:
            if domain.projects and not isinstance(domain, Mask):
                what = "expected positive, an interval or a mask"
                raise ValueError(f"domain: got {domain.words} for a Hessian, {what}")
    tangent = tangent_of(found, given.leaves)
    if tangent is not None and tangent.fixed.all():
        what = "expected one in which some element can vary"
        raise ValueError(f"domain: got {shortly(case.domain)}, {what}; nothing would be judged")
    return replace(case, domains=tuple(found))


def in_parts(case: Case, given: Point) -> list[bool]:
    """Tell of each leaf whether it is a part of a complex array, for which no domain is guessed."""
    found, whole = list[bool](), case.claim.whole(given.params)
    for part in jax.tree_util.tree_leaves(whole, is_leaf=is_pair):
        found += [True, True] if is_pair(part) else [False] * is_real(part)
    return found if len(found) == len(given.leaves) else [False] * len(given.leaves)


class Guess(NamedTuple):
    """A domain that parameters are meant to keep, most of them, if they are in it."""

    domain: Domain
    by_chance: bool = (
        False  #: whether ordinary weights may be in it; then only that of wrong leaves
    )

    def holds(self, leaf: np.ndarray) -> bool:
        """Tell whether an array is in it, and might well not be."""
        if not leaf.size or not self.domain.inside(leaf).all():
            return False
        if isinstance(self.domain, Interval):
            # What is right at 0 or at an end alone says nothing of the numbers inside.
            return bool(leaf.any()) and not np.isin(leaf, self.domain.ends).all()
        return _may_leave(self.domain, leaf)

    def outside(self, leaf: np.ndarray) -> np.ndarray:
        """Return the indices of the elements that are not as the domain wants them."""
        return np.argwhere(~self.domain.inside(leaf))


class _Negative(Interval):
    """Numbers below 0."""

    def __init__(self) -> None:
        super().__init__(-np.inf, 0.0)
        self.left = "is no longer negative"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        return leaf < 0


#: In order: of several that a leaf has left, the first is named.
GUESSES = (
    Guess(Symmetric()),
    Guess(Positive()),
    Guess(Interval(0, np.inf)),
    Guess(_Negative()),
    Guess(Interval(-np.inf, 0)),
    Guess(Interval(0, 1)),
    Guess(Interval(-1, 1), by_chance=True),
    Guess(Simplex()),
    Guess(LowerTriangular(), by_chance=True),
    Guess(UnitSphere(), by_chance=True),
    Guess(Orthogonal(), by_chance=True),
)


def _may_leave(domain: Domain, leaf: np.ndarray) -> bool:
    """Tell whether a leaf is no member of its domain by its shape alone, or as 1 is."""
    if not domain.projects:
        return True
    if min(leaf.shape[-domain.axes :]) < 2:
        return False
    if isinstance(domain, LowerTriangular):
        return leaf.shape[-1] == leaf.shape[-2] and bool(np.tril(leaf, -1).any())
    # A matrix may start as the identity.
    return not isinstance(domain, Orthogonal) or not (leaf == np.eye(*leaf.shape[-2:])).all()


def right_in_domains(ruling: Ruling, case: Case) -> Iterator[str]:
    """Yield in which domains leaves are by which a derivative is wrong, if it is right along them.

    Only where none was stated for them. Of a symmetric matrix a gradient may count each pair of
    elements as one parameter, whose derivative is g + gᵀ off the diagonal; that is said, too.
    """
    mine, allowed = ruling.yours, np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    given, parts = case.claim.of_caller(ruling.given), ruling.given.parts()
    stated, of_complex = case.domains or [Domain()] * len(given.leaves), in_parts(case, given)
    for k, (path, leaf, domain, apart) in enumerate(
        zip(given.paths, given.leaves, stated, of_complex, strict=True)
    ):
        # Of a Jacobian those of all results; each row is a gradient.
        own = np.r_[tuple(parts[k :: len(given.leaves)])]
        wrong = (mine.level[own] == WRONG).any()
        if apart or not wrong or not np.isfinite(mine.answer[own]).all():
            continue
        yours, exact, within = (
            a.reshape(-1, *leaf.shape)
            for a in (balls.exact(mine.answer[own]), mine.reference[own], allowed[own])
        )
        found = None if domain.projects else _right_for(leaf, yours, exact, within)
        if found is not None:
            option = case.wording.domain.format(found.spec, found.words)
            yield f"right for {found.of_one.format(path)}: {option}"
        elif Guess(Symmetric()).holds(leaf):
            left = balls.magnitudes(yours - _of_pairs(exact))
            if (left <= _of_pairs(within)).all():
                what = "if each pair of off-diagonal elements counts as one parameter"
                yield f"right for symmetric {path} {what}"


def _right_for(
    leaf: np.ndarray, yours: np.ndarray, exact: np.ndarray, within: np.ndarray
) -> Domain | None:
    """Return a domain of a leaf along which two derivatives, in balls, are the same."""
    with balls.precision(BITS):
        for guess in GUESSES:
            domain = guess.domain
            if not domain.projects or not guess.holds(leaf):
                continue
            left = balls.magnitudes(domain.projected(balls.exact(leaf), yours - exact))
            if (left <= domain.widened(leaf.astype(np.float64), within)).all():
                return domain
    return None


def _of_pairs(matrices: np.ndarray) -> np.ndarray:
    """Return g + gᵀ, and the diagonal of g: the derivatives by pairs of elements."""
    diagonal = np.eye(matrices.shape[-1], dtype=bool)
    return np.where(diagonal, matrices, matrices + mirrored(matrices))
