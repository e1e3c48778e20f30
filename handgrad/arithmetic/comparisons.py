"""Comparisons of balls: certain, refused until the precision is high enough, or exact ties.

Where two numbers are exactly equal, the answer differs from one side of the point to the other.
It is then decided *along a direction*: x + t·ε is compared with y + s·ε by comparing t with s. By
default this is the first tangent direction, so that all ties of a run are decided consistently, for
the same small step away from the point. Where t and s are equal too, the tie is *flat* and the
answer is equality. `handgrad.oracle.kink_search` finds out whether a flat tie matters, and what
happens on the other side of every tie.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual

#: Outcomes of a comparison; UNORDERED is that of a comparison with NaN.
LESS, EQUAL, GREATER, UNORDERED = -1, 0, 1, 2

#: The number of a comparison in the run, and of the element within it.
Where = tuple[int, int]


class MorePrecisionNeededError(ArithmeticError):
    """Two balls overlap: only a higher precision can tell which number is larger."""


@dataclass(frozen=True)
class Tie:
    """Two numbers that are exactly equal at the point."""

    outcome: int  #: as decided along the direction
    normal: np.ndarray  #: the derivative of their difference in each direction, objects


@dataclass
class Comparisons:
    """How the comparisons of one run are decided, and which ones tied."""

    #: Treat numbers that overlap at this precision as equal, instead of raising.
    final: bool = False
    #: Treat NaN at this precision as NaN at any. (log(x ± r) is NaN until r is small enough to
    #: exclude 0.)
    undefined: bool = False
    #: Outcomes of these ties, which override the direction.
    forced: Mapping[Where, int] = field(default_factory=dict)
    #: Decide ties for a small step against the direction, not along it.
    backwards: bool = False
    #: The index of that direction among the tangents.
    direction: int = 0
    #: Outcomes of an earlier run of the same program, to repeat: as `decided`.
    frozen: dict[int, tuple[np.ndarray, np.ndarray]] | None = None
    #: The ties whose difference changes in some direction.
    ties: dict[Where, Tie] = field(default_factory=dict)
    #: The ties whose difference depends on the parameters but changes in no direction.
    flat: set[Where] = field(default_factory=set)
    #: All ties by comparison: the elements, and their outcomes.
    decided: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    #: What was treated as equal without a proof; no result may depend on it.
    unproved: set[Where] = field(default_factory=set)
    _count: int = 0

    def for_rerun(
        self, forced: Mapping[Where, int] | None = None, backwards: bool = False, direction: int = 0
    ) -> Self:
        """Return comparisons for a run at the same precision that decide ties in another way."""
        return type(self)(self.final, self.undefined, forced or {}, backwards, direction)

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Compare each pair of elements: LESS, EQUAL, GREATER or UNORDERED, int8."""
        here, self._count = self._count, self._count + 1
        x, y = (np.broadcast_to(d.value, np.broadcast_shapes(a.shape, b.shape)) for d in (a, b))
        less, greater = (np.asarray(c).astype(bool) for c in (x < y, x > y))
        result = np.where(less, LESS, np.where(greater, GREATER, EQUAL)).astype(np.int8)
        open_ones = np.flatnonzero(~(less | greater))
        if self.frozen is not None:
            return self._as_before(here, result, open_ones, x, y)
        if open_ones.size:
            outcomes = [self._settle((here, int(i)), a, b, x, y) for i in open_ones]
            result.reshape(-1)[open_ones] = outcomes
            self.decided[here] = (open_ones, np.array(outcomes, dtype=np.int8))
        return result

    def _as_before(
        self, here: int, result: np.ndarray, open_ones: np.ndarray, x: np.ndarray, y: np.ndarray
    ) -> np.ndarray:
        """Repeat earlier outcomes: in a perturbed run, ties must not fall to a side by chance."""
        flat = result.reshape(-1)
        for i in open_ones:
            pair: list[Any] = [x.flat[i], y.flat[i]]
            flat[i] = UNORDERED if any(ball.is_nan() for ball in pair) else EQUAL
        where, outcomes = (self.frozen or {}).get(here, (None, None))
        if where is not None and where.size and where.max() < flat.size:
            flat[where] = outcomes
        return result

    def _settle(self, where: Where, a: Dual, b: Dual, x: np.ndarray, y: np.ndarray) -> int:
        p, q = x.flat[where[1]], y.flat[where[1]]
        if p.is_nan() or q.is_nan():
            if not self.undefined:
                raise MorePrecisionNeededError
            return UNORDERED
        equal = p is q or p == q  # balls of some radius are never certainly equal
        if not equal:
            self._accept_unproved(where)
        return self._along_the_direction(where, a, b, x.shape, p is q)

    def _along_the_direction(
        self, where: Where, a: Dual, b: Dual, shape: tuple[int, ...], same: bool
    ) -> int:
        """Decide a tie; `same` says that both numbers are one object, copied unchanged."""
        normal = _difference(a, b, shape, where[1])
        if normal is None or not normal.size:
            return EQUAL
        if all(n.is_zero() for n in normal):
            return EQUAL if same else self._flat(where)
        first = -normal[self.direction] if self.backwards else normal[self.direction]
        outcome = GREATER if first > 0 else LESS if first < 0 else EQUAL
        if outcome == EQUAL and not first.is_zero():
            self._accept_unproved(where)
            return self._flat(where)
        outcome = self.forced.get(where, outcome)
        self.ties[where] = Tie(outcome, normal)
        return outcome

    def _flat(self, where: Where) -> int:
        self.flat.add(where)
        return self.forced.get(where, EQUAL)

    def _accept_unproved(self, where: Where) -> None:
        if not self.final:
            raise MorePrecisionNeededError
        self.unproved.add(where)


@dataclass
class Decided(Comparisons):
    """Comparisons with given outcomes, in turn, whatever the numbers are; they are counted."""

    outcomes: tuple[int, ...] = (EQUAL,)
    count: int = 0

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Return the next outcome for all elements."""
        outcome = self.outcomes[self.count % len(self.outcomes)]
        self.count += 1
        return np.full(np.broadcast_shapes(a.shape, b.shape), outcome, dtype=np.int8)


#: `Comparisons`, or those of a run that also records something.
Compared = TypeVar("Compared", bound=Comparisons)


def _difference(a: Dual, b: Dual, shape: tuple[int, ...], element: int) -> Any:
    """Return the tangents of one element of a - b; None if both are constant."""
    changes = [_changes(dual, shape, element) for dual in (a, b)]
    if changes[0] is None and changes[1] is None:
        return None
    if changes[0] is None:
        return -changes[1]
    if changes[1] is None:
        return changes[0]
    # A ball minus itself is not exactly 0; a number minus itself is.
    pairs = [balls.ZERO if p is q else p - q for p, q in zip(*changes, strict=True)]
    return balls.boxed(pairs, (len(pairs),))


def _changes(dual: Dual, shape: tuple[int, ...], element: int) -> Any:
    t = dual.tangent_for(len(shape))
    if t is None:
        return None
    return np.broadcast_to(t, (t.shape[0], *shape)).reshape(t.shape[0], -1)[:, element]
