"""What the parameters were at the caller's point, and may be meant to be: positive, symmetric.

Points are moved at random, out of domains that nobody has stated. A gradient that is wrong only
where a parameter left what it was may be right wherever it is used.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.numerals import place, short
from handgrad.data.point import Point
from handgrad.judging.case import Case
from handgrad.judging.outcome import Outcome
from handgrad.judging.ruling import Ruling
from handgrad.judging.witness import WRONG


class Domain(NamedTuple):
    """A property of an array of parameters, which most are meant to keep if they have it."""

    contains: Callable[[np.ndarray], np.ndarray]  #: tells of each element whether it has it
    left: str  #: says that the array no longer has it
    by_chance: bool = False  #: whether ordinary weights may have it; then only that of wrong leaves


def _mirrored(leaf: np.ndarray) -> np.ndarray:
    """Tell which elements of square matrices equal their mirror image; none of other arrays."""
    square = leaf.ndim > 1 and leaf.shape[-1] == leaf.shape[-2] > 1
    return leaf == leaf.swapaxes(-1, -2) if square else np.zeros(leaf.shape, dtype=bool)


def _in_rows_of_sum_1(leaf: np.ndarray) -> np.ndarray:
    """Tell which elements lie in a row that sums to 1, to within its rounding."""
    if leaf.ndim == 0 or leaf.shape[-1] < 2:
        return np.zeros(leaf.shape, dtype=bool)
    sums = leaf.astype(np.float64).sum(axis=-1, keepdims=True)
    allowed = leaf.shape[-1] * formats.of(leaf.dtype).eps
    return np.broadcast_to(np.abs(sums - 1) <= allowed, leaf.shape)


DOMAINS = (
    Domain(_mirrored, "is no longer symmetric"),
    Domain(lambda leaf: leaf > 0, "is no longer positive"),
    Domain(lambda leaf: leaf >= 0, "is no longer 0 or more"),
    Domain(lambda leaf: leaf < 0, "is no longer negative"),
    Domain(lambda leaf: leaf <= 0, "is no longer 0 or less"),
    Domain(lambda leaf: (leaf >= 0) & (leaf <= 1), "is no longer in [0, 1]"),
    Domain(lambda leaf: np.abs(leaf) <= 1, "is no longer in [-1, 1]", by_chance=True),
    Domain(_in_rows_of_sum_1, "no longer sums to 1"),
)


#: What one number among others may do, by chance as well.
SIGN = "changes its sign"

#: An array of at most so many numbers may hold parameters that each mean something else; among more
#: numbers the sign of some would change at the wrong points by chance.
FEW = 8


class Exit(NamedTuple):
    """A parameter that left a domain at another point."""

    path: str
    left: str
    element: str  #: one that did, and its value
    leaf: str
    by_chance: bool


def exits(outcomes: Sequence[Outcome], case: Case) -> dict[int, list[Exit]]:
    """Return what was left at each wrong point, by its number, if that is so at all of them.

    Of the parameters that left their domains, these are the ones that did so at the fewest right
    points; a number among others at none.
    """
    points = [case.of_caller(outcome.given) for outcome in outcomes]
    given, wrong = points[0], [i for i, outcome in enumerate(outcomes) if outcome.wrong]
    if any(outcomes[i].findings for i in wrong):
        return {}
    right = [at for at, o in zip(points, outcomes, strict=True) if o.ruling and not o.wrong]
    also = Counter((e.path, e.left) for at in right for e in _exits(given, at))
    found = {}
    for i in wrong:
        whole = points[i] is outcomes[i].given
        guilty = _wrong_leaves(outcomes[i]) if whole else set(given.paths)
        left = [
            e
            for e in _exits(given, points[i])
            if not e.by_chance or (e.leaf in guilty and not also[e[:2]])
        ]
        fewest = min((also[e[:2]] for e in left), default=0)
        first = {e.path: e for e in reversed(left) if also[e[:2]] == fewest}
        found[i] = list(first.values())[::-1]
    return found if all(found.values()) else {}


def _wrong_leaves(outcome: Outcome) -> set[str]:
    if outcome.ruling is None:
        return set()
    given, level = outcome.ruling.given, outcome.ruling.yours.level
    parts = zip(given.paths, given.parts(), strict=True)
    return {path for path, part in parts if (level[part] == WRONG).any()}


def _exits(given: Point, other: Point) -> Iterator[Exit]:
    """Yield every parameter that has left a domain at another point."""
    for path, before, after in zip(given.paths, given.leaves, other.leaves, strict=True):
        had = [d for d in DOMAINS if before.size and d.contains(before).all()]
        left = [(d, np.argwhere(~d.contains(after))) for d in had if not d.contains(after).all()]
        for domain, outside in left:
            value = _valued(path, after, outside[0])
            yield Exit(path, domain.left, value, path, domain.by_chance)
        if 1 < before.size <= FEW and not left:
            for index in np.argwhere(np.sign(before) * np.sign(after) < 0):
                element = f"{path}{place(tuple(index.tolist()))}"
                yield Exit(element, SIGN, _valued(path, after, index), path, by_chance=True)


def _valued(path: str, leaf: np.ndarray, index: np.ndarray) -> str:
    where = tuple(index.tolist())
    return f"{path}{place(where)} is {short(float(leaf[where]), 3)}"


def right_for_symmetric_changes(ruling: Ruling) -> Iterator[str]:
    """Yield the wrong leaves that are symmetric, and right for changes that leave them so.

    For such a change the loss changes by Σ (g + gᵀ)/2·change. Instead, a gradient may count each
    pair of elements as one parameter, whose derivative is g + gᵀ off the diagonal.
    """
    mine, allowed = ruling.yours, np.maximum(ruling.tolerance.sharp, ruling.tolerance.loose)
    parts = zip(ruling.given.paths, ruling.given.leaves, ruling.given.parts(), strict=True)
    for path, leaf, part in parts:
        wrong = (mine.level[part] == WRONG).any() and np.isfinite(mine.answer[part]).all()
        if not wrong or not _mirrored(leaf).all():
            continue
        yours = balls.exact(mine.answer[part]).reshape(leaf.shape)
        exact, within = (a[part].reshape(leaf.shape) for a in (mine.reference, allowed))
        in_pairs = _sum_of_pairs(exact)
        diagonal = np.eye(leaf.shape[-1], dtype=bool)
        once = np.where(diagonal, exact, in_pairs)
        off = (_sum_of_pairs(yours) - in_pairs, yours - once)
        if any((balls.magnitudes(gap) <= _sum_of_pairs(within)).all() for gap in off):
            yield path


def _sum_of_pairs(matrices: np.ndarray) -> np.ndarray:
    return matrices + matrices.swapaxes(-1, -2)
