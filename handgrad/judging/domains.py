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
from handgrad.data.complex_pairs import Pair, in_pairs, is_pair
from handgrad.data.domains.domain import Domain, Interval, Mask, Positive
from handgrad.data.domains.matrices import LowerTriangular, Orthogonal, Symmetric, mirrored
from handgrad.data.domains.named import check_inside, domains_of
from handgrad.data.domains.rows import Simplex, UnitSphere
from handgrad.data.domains.tangent import Tangent, tangent_of
from handgrad.data.point import Point, shortly
from handgrad.data.pytrees import is_real
from handgrad.judging.case import BackwardStep, Case, CustomRule
from handgrad.judging.matrix_parts import Matrix
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import WRONG


def check_all_directions(domain: Any, tangent: Tangent | None) -> None:
    """Raise ValueError if a domain has directions that leave it, along which nothing is judged.

    At second order a random direction, or what is normal to the domain, would enter the slope.
    """
    if tangent is not None:
        got = f"order: got 2 and domain={shortly(domain)}"
        raise ValueError(f"{got}, expected a domain that no direction leaves, or order=1")


def in_domains(case: Case, given: Point) -> Case:
    """Return a case with the domain of each parameter, as `domain=` states them.

    Of a part, they are stated for all its arguments.

    Raises:
        TypeError, ValueError: there is no such domain, or the point is not in it.
    """
    if case.domain is None or case.domains:
        return case
    given = case.of_caller(given) if isinstance(case.part, Matrix) else given
    whole = _whole(case, given)
    found = domains_of(case.domain, whole)
    leaves = jax.tree_util.tree_leaves(whole)
    if isinstance(case.part, CustomRule):
        found = [found[k] for k in case.part.places]
    elif len(leaves) > len(given.leaves):
        found = [d for d, leaf in zip(found, leaves, strict=True) if is_real(leaf)]
        without = case.part.without if isinstance(case.part, BackwardStep) else ()
        found = [d for k, d in enumerate(found) if k not in without]
    for path, domain, of_complex in zip(given.paths, found, in_parts(case, given), strict=True):
        if of_complex and type(domain) not in (Domain, Mask):
            what = "expected a boolean array or None for what is complex"
            name = path.removesuffix(f".{Pair._fields[0]}")
            raise ValueError(f"domain: got {domain.words} for {name}, {what}")
    check_inside(given, found)
    mixing = next((domain for domain in found if domain.mixes), None)
    if mixing is not None and case.of_second_order:
        what = "expected positive, an interval, lower triangular or a mask"
        raise ValueError(f"domain: got {mixing.words} for a Hessian, {what}")
    tangent = tangent_of(found, given.leaves)
    if tangent is not None and tangent.fixed.all():
        what = "expected one in which some element can vary"
        raise ValueError(f"domain: got {shortly(case.domain)}, {what}; nothing would be judged")
    return replace(case, domains=tuple(found))


def _whole(case: Case, given: Point) -> Any:
    """Return all arguments that are judged, or the parameters, with pairs for complex arrays."""
    part = case.part
    of_part = isinstance(part, BackwardStep | CustomRule)
    return in_pairs(part.together(given.params)) if of_part else given.params


def in_parts(case: Case, given: Point) -> list[bool]:
    """Tell of each leaf whether it is a part of a complex array, for which no domain is guessed."""
    found: list[bool] = []
    for part in jax.tree_util.tree_leaves(_whole(case, given), is_leaf=is_pair):
        found += [True, True] if is_pair(part) else [False] * is_real(part)
    return found if len(found) == len(given.leaves) else [False] * len(given.leaves)


class Guess(NamedTuple):
    """A domain that parameters are meant to keep, most of them, if they are in it."""

    domain: Domain
    by_chance: bool = (
        False  #: whether ordinary weights may be in it; then only that of wrong leaves
    )

    def holds(self, leaf: np.ndarray) -> bool:
        """Tell whether an array is in it and might well not be."""
        # Of an array without axes an index has size 0.
        return bool(leaf.size) and _may_leave(self.domain, leaf) and not len(self.outside(leaf))

    def outside(self, leaf: np.ndarray) -> np.ndarray:
        """Return the indices of the elements that are not as the domain wants them."""
        return np.argwhere(~self.domain.inside(leaf))


class _Negative(Interval):
    """Numbers below 0."""

    def __init__(self) -> None:
        super().__init__(-np.inf, 0.0)
        self.left = "is no longer negative"

    def inside(self, leaf: np.ndarray) -> np.ndarray:
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
    """Tell whether a leaf of this shape is no member of a domain by its shape alone, or as 1 is."""
    if not domain.projects:
        return True
    if isinstance(domain, Simplex | UnitSphere):
        return leaf.ndim > 0 and leaf.shape[-1] > 1
    if leaf.ndim < 2 or min(leaf.shape[-2:]) < 2:
        return False
    if isinstance(domain, LowerTriangular):
        return leaf.shape[-1] == leaf.shape[-2] and bool(np.tril(leaf, -1).any())
    # A matrix may start as the identity.
    return isinstance(domain, Symmetric) or not (leaf == np.eye(*leaf.shape[-2:])).all()


#: The message for a gradient that is g + gᵀ off the diagonal.
BY_PAIRS = "right for symmetric {} if each pair of off-diagonal elements counts as one parameter"


def right_in_domains(ruling: Ruling, case: Case) -> Iterator[str]:
    """Yield in which domains wrong leaves are, if they are right in the directions that stay there.

    Only where none was stated for them. Of a symmetric matrix a gradient may count each pair of
    elements as one parameter, whose derivative is g + gᵀ off the diagonal; that is said, too.
    """
    mine, allowed = ruling.yours, np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    given, stated = ruling.given, case.domains or [Domain()] * len(ruling.given.leaves)
    of_complex = in_parts(case, given)
    for path, leaf, part, domain, apart in zip(
        given.paths, given.leaves, given.parts(), stated, of_complex, strict=True
    ):
        wrong = (mine.level[part] == WRONG).any()
        if apart or not wrong or not np.isfinite(mine.answer[part]).all():
            continue
        yours = balls.exact(mine.answer[part]).reshape(leaf.shape)
        exact, within = (a[part].reshape(leaf.shape) for a in (mine.reference, allowed))
        symmetric = Guess(Symmetric()).holds(leaf)
        if not domain.projects:
            found = _right_for(path, leaf, yours - exact, within, case.wording.domain)
            if found is not None:
                yield found
                continue
        if symmetric and (balls.magnitudes(yours - of_pairs(exact)) <= of_pairs(within)).all():
            yield BY_PAIRS.format(path)


def _right_for(
    path: str, leaf: np.ndarray, gap: np.ndarray, within: np.ndarray, option: str
) -> str | None:
    """Return in which domain a leaf is whose gap, in balls, has no part in its tangent space."""
    with balls.precision(192):
        for guess in GUESSES:
            domain = guess.domain
            if not domain.projects or not guess.holds(leaf):
                continue
            left = balls.magnitudes(domain.projected(balls.exact(leaf), gap))
            if (left <= domain.widened(leaf.astype(np.float64), within)).all():
                return said_right(path, domain, option)
    return None


def said_right(path: str, domain: Domain, option: str) -> str:
    """Say in which domain a derivative is right, and by which option that is stated."""
    return f"right for {domain.of_one.format(path)}: {option.format(domain.spec, domain.words)}"


def of_pairs(matrices: np.ndarray) -> np.ndarray:
    """Return g + gᵀ, and the diagonal of g: the derivatives by pairs of elements."""
    diagonal = np.eye(matrices.shape[-1], dtype=bool)
    return np.where(diagonal, matrices, matrices + mirrored(matrices))
