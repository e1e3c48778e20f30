"""Comparisons of balls: certain, or refused until there are bits enough, or exact ties.

Where two numbers are exactly equal, a comparison has no one answer for the neighbourhood of the
point. It is then given *along a direction*: x + t·ε against y + s·ε is decided by t against s. The
direction is the first that is followed, if nothing else is said, so that every tie of a run is
decided for the same small step away from the point, and consistently. Where t and s are equal, too,
the tie is *flat*: equality is the answer, and whether it matters is for
`handgrad.oracle.kink_search` to find out, as is what happens on the other side of all ties.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.dual import Dual

#: Outcomes of a comparison, and of one with NaN.
LESS, EQUAL, GREATER, UNORDERED = -1, 0, 1, 2

#: A comparison's number in the run, and the element in it.
Where = tuple[int, int]


class MorePrecisionNeededError(ArithmeticError):
    """Two balls overlap, and only more bits can say which number is larger."""


@dataclass(frozen=True)
class Tie:
    """Two numbers that are exactly equal at the point."""

    outcome: int  #: as decided for the small step
    normal: np.ndarray  #: how their difference changes in each direction, objects


@dataclass
class Comparisons:
    """How the comparisons of one run are decided, and which ones tied."""

    #: Take what cannot be told apart at this precision for equal, instead of asking for more.
    final: bool = False
    #: Take what is not a number at this precision for none at any. (log(0 ± r) is one once r is
    #: small enough to exclude 0.)
    undefined: bool = False
    #: Decide these ties so, whatever the direction says.
    forced: Mapping[Where, int] = field(default_factory=dict)
    #: Decide ties for a small step against the direction, not along it.
    backwards: bool = False
    #: Which of the directions that are followed it is.
    along: int = 0
    #: Decide these elements as an earlier run of the same program did.
    frozen: dict[int, tuple[np.ndarray, np.ndarray]] | None = None
    #: What tied, with a difference that some direction changes.
    ties: dict[Where, Tie] = field(default_factory=dict)
    #: What tied, with a difference that no direction changes, though it depends on parameters.
    flat: set[Where] = field(default_factory=set)
    #: Everything that tied, by comparison: which elements, and what was answered.
    decided: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    #: What was taken for equal without a proof; nothing may depend on it.
    unproved: set[Where] = field(default_factory=set)
    _count: int = 0

    def otherwise(
        self, forced: Mapping[Where, int] | None = None, backwards: bool = False, along: int = 0
    ) -> Self:
        """For another run at the same precision, with ties decided in another way."""
        return type(self)(self.final, self.undefined, forced or {}, backwards, along)

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """LESS, EQUAL, GREATER or UNORDERED for each pair of elements, int8."""
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
        """A perturbed run of a program: exact ties must not fall to either side by chance."""
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
            self._settle_for_less(where)
        return self._along_the_direction(where, a, b, x.shape, p is q)

    def _along_the_direction(
        self, where: Where, a: Dual, b: Dual, shape: tuple[int, ...], same: bool
    ) -> int:
        """How a tie goes; `same` says that one number was taken from the other, unchanged."""
        normal = _difference(a, b, shape, where[1])
        if normal is None or not normal.size:
            return EQUAL
        if all(n.is_zero() for n in normal):
            return EQUAL if same else self._flat(where)
        first = -normal[self.along] if self.backwards else normal[self.along]
        outcome = GREATER if first > 0 else LESS if first < 0 else EQUAL
        if outcome == EQUAL and not first.is_zero():
            self._settle_for_less(where)
            return self._flat(where)
        outcome = self.forced.get(where, outcome)
        self.ties[where] = Tie(outcome, normal)
        return outcome

    def _flat(self, where: Where) -> int:
        self.flat.add(where)
        return self.forced.get(where, EQUAL)

    def _settle_for_less(self, where: Where) -> None:
        if not self.final:
            raise MorePrecisionNeededError
        self.unproved.add(where)


def _difference(a: Dual, b: Dual, shape: tuple[int, ...], element: int) -> Any:
    """How element `element` of a - b changes in each direction; None if neither changes."""
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
    t = dual.along(len(shape))
    if t is None:
        return None
    return np.broadcast_to(t, (t.shape[0], *shape)).reshape(t.shape[0], -1)[:, element]
