"""Comparisons of balls: certain, refused until the precision is high enough, or exact ties.

Where two numbers are exactly equal, the answer differs from one side of the point to the other.
It is then decided *along a direction*: x + t·ε is compared with y + s·ε by comparing t with s. This
is the first tangent direction, so that all ties of a run are decided consistently, for the same
small step away from the point. Where t and s are equal too, the tie is *flat* and the
answer is equality. `handgrad.oracle.kink_search` finds out whether a flat tie matters, and what
happens on the other side of every tie. Two numbers that depend on no parameter are no tie: no step
moves them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self, TypeVar

import numpy as np

from handgrad.arithmetic import balls, sorting
from handgrad.arithmetic.dual import Dual

#: Outcomes of a comparison; UNORDERED is that of a comparison with NaN.
LESS, EQUAL, GREATER, UNORDERED = -1, 0, 1, 2

#: The number of a decision in the run, and of the element within it, or of the pair sorted.
Where = tuple[int, int]


class MorePrecisionNeededError(ArithmeticError):
    """Two balls overlap: only a higher precision can tell which number is larger."""


class PatchedError(ArithmeticError):
    """A number is not finite here, and that decides something."""

    def __init__(self) -> None:
        super().__init__("the loss depends on whether a number is finite, which is not, here")


class AnotherPathError(ArithmeticError):
    """A run does not make the comparisons of the run that it repeats."""

    def __init__(self) -> None:
        super().__init__("it made other comparisons than at the same point before")


@dataclass(frozen=True)
class Tie:
    """Two numbers that are exactly equal at the point."""

    outcome: int  #: as decided along the direction
    normal: np.ndarray  #: the derivative of their difference in each direction, objects


@dataclass
class Decisions:
    """All decisions of one run: outcomes, sorted orders, whole numbers, in the order of the run.

    Runs on slightly different numbers repeat them, so that what is selected stays the same: the
    gradient jumps where another number is selected, and no rounding error is that large.
    """

    made: list[np.ndarray] = field(default_factory=list)
    tied: list[np.ndarray] = field(default_factory=list)  #: where each was a tie, bool
    #: For each run that repeated them with numbers that are certainly ordered otherwise, except at
    #: ties: its decisions instead, by their number. Rounding may select these.
    others: list[dict[int, np.ndarray]] = field(default_factory=list)


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
    #: The decisions of an earlier run of the same program, to repeat.
    frozen: Decisions | None = None
    #: Some decisions by their number, instead of those that the numbers of this run lead to.
    instead: Mapping[int, np.ndarray] = field(default_factory=dict)
    #: The ties whose difference changes in some direction.
    ties: dict[Where, Tie] = field(default_factory=dict)
    #: The ties whose difference depends on the parameters but changes in no direction.
    flat: set[Where] = field(default_factory=set)
    decided: Decisions = field(default_factory=Decisions)
    #: What was treated as equal without a proof; no result may depend on it.
    unproved: set[Where] = field(default_factory=set)
    #: Whether a run is refused in which NaN decided something.
    strict: bool = False
    #: What NaN decided, in the order of the run; of a run and its reruns.
    patched: list[Where] = field(default_factory=list)
    #: Of a rerun, the decisions of the run at the point.
    first: Decisions | None = None
    _other: dict[int, np.ndarray] = field(default_factory=dict)

    def for_rerun(self, forced: Mapping[Where, int] | None = None) -> Self:
        """Return comparisons for a run at the same precision, by which ties may be decided."""
        same = {"strict": self.strict, "patched": self.patched, "first": self.decided}
        return type(self)(self.final, self.undefined, forced or {}, **same)

    @property
    def on_another_path(self) -> bool:
        """Whether a rerun has compared other arrays than the run at the point."""
        runs = (self.decided, self.first or self.decided)
        path, before = ([decision.shape for decision in run.made] for run in runs)
        return path != before

    def check_patches(self) -> None:
        """Refuse a run in which NaN decided something: perhaps it does so at this point alone.

        Where 0/0 is replaced by 1, the slope is not that of 1, but that of what is replaced.

        Raises:
            PatchedError: it did.
        """
        if self.strict and self.patched:
            raise PatchedError

    def order(self, a: Dual, b: Dual) -> np.ndarray:
        """Compare each pair of elements: LESS, EQUAL, GREATER or UNORDERED, int8."""
        x, y = (np.broadcast_to(d.value, np.broadcast_shapes(a.shape, b.shape)) for d in (a, b))
        less, greater = (np.asarray(c).astype(bool) for c in (x < y, x > y))
        result = np.where(less, LESS, np.where(greater, GREATER, EQUAL)).astype(np.int8)
        unclear = np.asarray(~(less | greater))
        if self.frozen is not None:
            return self._as_before(result)
        here, open_ones = len(self.decided.made), np.flatnonzero(unclear)
        if open_ones.size:
            slopes = _flat_tangent(a, x.shape), _flat_tangent(b, x.shape)
            outcomes = [self._settle((here, int(i)), x, y, *slopes) for i in open_ones]
            result.reshape(-1)[open_ones] = outcomes
        return self._made(result, unclear)

    def sorted(self, keys: list[Dual]) -> np.ndarray:
        """Return the permutation that sorts along the last axis, stably; NaN comes last.

        Numbers that the first key does not tell apart are in the order that they have a small step
        along the direction. Of these only neighbours are ties: between others lie more numbers.

        Args:
            keys: all of one shape; the first one counts most.
        """
        rows = math.prod(keys[0].shape[:-1])
        values = [key.value.reshape(rows, key.shape[-1]) for key in keys]
        if self.frozen is not None:
            return self._sorted_as_before(values[0]).reshape(keys[0].shape)
        order = sorting.by_midpoints(values)
        nan = np.array([self.is_nan(v, i) for i, v in enumerate(values[0].flat)], dtype=bool)
        tied = sorting.tied(values[0], order, nan.reshape(order.shape))
        for row in np.flatnonzero(tied.any(axis=-1)):
            for group in sorting.groups(tied[row]):
                places = row * order.shape[-1] + order[row, group]
                places = self._sorted_ties([key.reshape(-1) for key in keys], places)
                order[row, group] = places - row * order.shape[-1]
        return self._made(order, tied).reshape(keys[0].shape)

    def repeated(self, work: Callable[[], np.ndarray]) -> np.ndarray:
        """Return whole numbers that this run finds, or those of the run that it repeats."""
        if self.frozen is not None:
            return self._made(*self._before())
        found = work()
        return self._made(found, np.zeros(found.shape, dtype=bool))

    def is_nan(self, ball: Any, element: int) -> bool:
        """Tell whether a number is NaN, which decides something about an element.

        Raises:
            MorePrecisionNeededError: it may be a number at more bits. (NaN in data is exact, and so
                are 0 times an infinity in data and the difference of two.)
        """
        if not ball.is_nan():
            return False
        if not (ball.is_exact() or self.undefined):
            raise MorePrecisionNeededError
        self.patched.append((len(self.decided.made), element))
        return True

    def _made(self, decision: np.ndarray, tied: np.ndarray) -> np.ndarray:
        other = self.instead.get(len(self.decided.made))
        if other is not None and other.shape == decision.shape:
            decision = other
        self.decided.made.append(decision)
        self.decided.tied.append(tied)
        return decision

    def _before(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the next decision to repeat, and its ties."""
        before, here = self.frozen or Decisions(), len(self.decided.made)
        if here >= len(before.made):
            raise AnotherPathError
        return before.made[here], before.tied[here]

    def _as_before(self, result: np.ndarray) -> np.ndarray:
        """Repeat outcomes: in a perturbed run, nothing must fall to another side by chance."""
        outcomes, tied = self._before()
        if outcomes.shape != result.shape:
            raise AnotherPathError
        other = (result != EQUAL) & (result != outcomes) & ~tied
        if other.any():
            self._contest(np.where(other, result, outcomes))
        return self._made(outcomes, tied)

    def _sorted_as_before(self, values: np.ndarray) -> np.ndarray:
        order, tied = self._before()
        if order.shape != values.shape:
            raise AnotherPathError
        # What was tied counts as the first of them, so that it stays together.
        first = np.maximum.accumulate(np.where(tied, 0, np.arange(order.shape[-1])), axis=-1)
        values = np.take_along_axis(values, np.take_along_axis(order, first, -1), -1)
        if sorting.descend(values):
            self._contest(np.take_along_axis(order, sorting.by_midpoints([values]), -1))
        return self._made(order, tied)

    def _contest(self, decision: np.ndarray) -> None:
        if self.frozen is not None and not self._other:
            self.frozen.others.append(self._other)
        self._other[len(self.decided.made)] = decision

    def _settle(self, where: Where, x: np.ndarray, y: np.ndarray, s: Any, t: Any) -> int:
        p, q = x.flat[where[1]], y.flat[where[1]]
        if self.is_nan(p, where[1]) or self.is_nan(q, where[1]):
            return UNORDERED
        if not p.mid().is_finite() and p.mid() == q.mid():
            return EQUAL  # an infinity stays what it is, and has no finite slope
        self._check_equal(where, p, q)
        changes = (None if slopes is None else slopes[:, where[1]] for slopes in (s, t))
        return self._along_the_direction(where, _difference(*changes), p is q)

    def _sorted_ties(self, keys: list[Dual], places: np.ndarray) -> np.ndarray:
        """Sort numbers that tie; `places` are theirs in the flattened keys.

        A tie that is forced to another outcome exchanges its two numbers. The pair is named by its
        places, so that it is the same tie from every direction.
        """
        first, here = keys[0], len(self.decided.made)
        for i, j in pairwise(places):
            self._check_equal((here, _pair(i, j, first)), first.value[i], first.value[j])
        if first.tangent is None:
            return places
        by = [first.tangent[0], *(key.value for key in keys[1:])]
        places = np.array(sorted(places, key=lambda i: [*(numbers[i].mid() for numbers in by), i]))
        exchanged = [False]
        for i, j in pairwise(places):
            low, high = min(i, j), max(i, j)
            normal = _difference(first.tangent[:, low], first.tangent[:, high])
            same = first.value[i] is first.value[j]
            outcome = self._along_the_direction((here, _pair(i, j, first)), normal, same)
            exchanged.append(outcome == (GREATER if i < j else LESS))
        for run in sorting.groups(np.array(exchanged)):
            places[run] = places[run][::-1]
        return places

    def _check_equal(self, where: Where, p: Any, q: Any) -> None:
        if not (p is q or p == q):  # balls of some radius are never certainly equal
            self._accept_unproved(where)

    def _along_the_direction(self, where: Where, normal: Any, same: bool) -> int:
        """Decide a tie; `same` says that both numbers are one object, copied unchanged."""
        if normal is None or not normal.size:
            return EQUAL
        if all(n.is_zero() for n in normal):
            return EQUAL if same else self._flat(where)
        first = normal[0]
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


def _pair(i: int, j: int, key: Dual) -> int:
    """Number a pair of places."""
    return int(min(i, j)) * key.value.size + int(max(i, j))


def _difference(a: Any, b: Any) -> Any:
    """Return the tangents of one number less those of another; None if both are constant."""
    if a is None or b is None:
        return a if b is None else -b
    # A ball minus itself is not exactly 0; a number minus itself is.
    pairs = [balls.ZERO if p is q else p - q for p, q in zip(a, b, strict=True)]
    return balls.boxed(pairs, (len(pairs),))


def _flat_tangent(dual: Dual, shape: tuple[int, ...]) -> np.ndarray | None:
    """Return the tangent broadcast to a shape and flattened, (k, elements); None if constant."""
    t = dual.tangent_for(len(shape))
    if t is None:
        return None
    return np.broadcast_to(t, (t.shape[0], *shape)).reshape(t.shape[0], math.prod(shape))
