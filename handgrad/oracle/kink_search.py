"""The gradients on all sides of the ties at a point.

Where every tie has a hyperplane of its own, whatever side the others take, a step across one
changes the gradient by the same edge everywhere, and the sides are sums of such steps. Otherwise
they are found one by one.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import EQUAL, GREATER, LESS, Comparisons, Where
from handgrad.oracle.hyperplanes import beyond_the_walls, hyperplanes, same_hyperplanes, units
from handgrad.oracle.subgradients import Kink, UndecidableKinkError

#: With more hyperplanes than this through one point the question is given up.
MOST = 64

#: So many sets of hyperplanes are crossed at once where the sides are taken for sums, beside all of
#: them. Where two ties together do what neither does alone, one set in four shows it, and all miss
#: it once in thirty times.
TRIED = 12

#: So many steps in a row must find no new side before the search ends, and it goes on to so many
#: while there are walls that were not crossed.
IN_VAIN, MOST_IN_VAIN = 32, 128

#: With more sides than this the question is given up.
MOST_SIDES = 24

Compared = TypeVar("Compared", bound=Comparisons)

#: Evaluate with ties decided so: the loss and its gradient.
Sides = Callable[[Compared], tuple[arb, np.ndarray]]

#: Evaluate for a small step in a direction, objects of shape (size,): the ties, which have normals
#: along that direction and along each parameter, the loss, and its gradient.
Step = Callable[[np.ndarray], tuple[Comparisons, arb, np.ndarray]]


@dataclass(frozen=True)
class KnownSide(Generic[Compared]):
    """A side that is known, and the means to know others."""

    sides: Sides[Compared]
    step: Step
    direction: np.ndarray  #: that of the side that is known, objects, shape (size,)
    found: Compared  #: what tied there
    loss: arb
    gradient: np.ndarray  #: objects, shape (size,)

    def kink(self) -> Kink | None:
        """The gradients around the point; None if they are all one.

        Raises:
            UndecidableKinkError: too many hyperplanes or sides, the loss jumps, or has no slope.
        """
        found = self.found
        check_flat_ties(self.sides, found, (self.loss, self.gradient))
        if not found.ties:
            return None
        at_the_point, _ = self.sides(found.otherwise(dict.fromkeys(found.ties, EQUAL)))
        _check_continuous(self.loss, at_the_point)
        planes = hyperplanes(found.ties)
        if len(planes) > MOST:
            many = f"{len(planes)} ties meet at this point, {MOST} can be tried"
            raise UndecidableKinkError(many)
        edges = self._edges(planes)
        if edges is None or not self._adds_up(planes, edges):
            return self._of_many()
        edges = [edge for edge in edges if edge is not None]
        return self._made(edges, [-self.direction]) if edges else None

    def _edges(self, planes: list[list[Where]]) -> list[np.ndarray | None] | None:
        """What changes across each hyperplane; None if another tie's hyperplane does."""
        edges = []
        for plane in planes:
            loss, gradient, same = self._flipped(plane)
            if not same:
                return None
            self._check(loss, gradient)
            edges.append(gradient - self.gradient if differ(gradient, self.gradient) else None)
        return edges

    def _flipped(self, ties: list[Where]) -> tuple[arb, np.ndarray, bool]:
        """With these ties the other way: loss, gradient, whether hyperplanes are the same."""
        beyond = self.found.otherwise({where: -self.found.ties[where].outcome for where in ties})
        return *self.sides(beyond), same_hyperplanes(self.found, beyond)

    def _adds_up(self, planes: list[list[Where]], edges: list[np.ndarray | None]) -> bool:
        """Whether other sides have the gradient that single steps add up to."""
        if len(planes) == 1:
            return True
        some = np.random.default_rng(0).integers(2, size=(TRIED, len(planes)))
        for crossed in np.vstack([np.ones(len(planes)), some]):
            ties = [where for plane, c in zip(planes, crossed, strict=True) if c for where in plane]
            _, gradient, same = self._flipped(ties)
            if not same or differ(gradient, self._sum(edges, crossed)):
                return False
        return True

    def _sum(self, edges: list[np.ndarray | None], crossed: np.ndarray) -> np.ndarray:
        total = self.gradient
        for edge, over in zip(edges, crossed, strict=True):
            if over and edge is not None:
                total = total + edge
        return total

    def _of_many(self) -> Kink | None:
        """The kink where sides are found one by one: by a walk from cell to cell, and at random.

        Cells with a gradient of their own are left first. The walk ends where all walls were
        crossed, or when so many steps were in vain that it will not find more.
        """
        gradients, directions, in_vain = [self.gradient], [self.direction], 0
        seen, rng = {_cell(self.found)}, np.random.default_rng(self.gradient.size)
        unit = units(self.found.ties)
        ways = deque([beyond_the_walls(self.found.ties, rng)])
        while in_vain < IN_VAIN or (in_vain < MOST_IN_VAIN and ways):
            through = _next(ways) if in_vain % 2 else None
            direction = _at_random(rng, unit) if through is None else balls.exact(through)
            there, loss, gradient = self.step(direction)
            in_vain += 1
            if any(tie.outcome == EQUAL for tie in there.ties.values()):
                continue  # on a hyperplane, and on neither side
            self._check(loss, gradient)
            new = all(differ(gradient, known) for known in gradients)
            if new:
                in_vain = 0
                gradients.append(gradient)
                directions.append(direction)
            if len(gradients) > MOST_SIDES:
                raise UndecidableKinkError(f"more than {MOST_SIDES} gradients meet at this point")
            if _cell(there) not in seen:
                seen.add(_cell(there))
                put = ways.appendleft if new else ways.append
                put(beyond_the_walls(there.ties, rng))
        edges = [gradient - self.gradient for gradient in gradients[1:]]
        return self._made(edges, directions[1:], shared=True) if edges else None

    def _check(self, loss: arb, gradient: np.ndarray) -> None:
        _check_continuous(self.loss, loss)
        if not np.isfinite(balls.magnitudes(gradient)).all():
            raise UndecidableKinkError("on one side of this point the loss has no slope")

    def _made(self, edges: list[Any], ways: list[Any], shared: bool = False) -> Kink:
        rows = [np.array(v, dtype=object).reshape(-1, self.gradient.size) for v in (edges, ways)]
        return Kink(self.gradient, *rows, shared=shared)


def check_flat_ties(sides: Sides[Compared], found: Compared, here: tuple[arb, Any]) -> None:
    """Ties that no small step decides to first order must not matter, whichever way they go.

    Raises:
        UndecidableKinkError: they do, as in where(x·x > 0, 5·x, 0) at 0.
    """
    if not found.flat:
        return
    mixed = np.random.default_rng(0).choice([LESS, GREATER], size=len(found.flat)).tolist()
    below, above = [LESS] * len(mixed), [GREATER] * len(mixed)
    for outcomes in (below, above, mixed):
        forced = dict(zip(sorted(found.flat), outcomes, strict=True))
        loss, gradient = sides(found.otherwise(forced))
        if not loss.overlaps(here[0]) or differ(gradient, here[1]):
            raise UndecidableKinkError("a tie that no small step decides to first order")


def check_sides(
    sides: Sides[Compared], found: Compared, here: tuple[arb, np.ndarray], generic: int = 1
) -> None:
    """Whether loss and slopes are the same on other sides of the ties, as far as can be seen.

    Args:
        sides: the slopes with ties decided in another way.
        found: what tied on the side that is given.
        here: loss and slopes on that side.
        generic: how many of the directions, from the first on, may decide ties.

    Raises:
        UndecidableKinkError: they are not.
    """
    check_flat_ties(sides, found, here)
    if not found.ties:
        return
    others = [found.otherwise(backwards=True)]
    for k in range(1, generic):
        others += [found.otherwise(along=k), found.otherwise(along=k, backwards=True)]
    # No small step may do this, but it shows a cone that none of the directions is in.
    others.append(found.otherwise({where: -tie.outcome for where, tie in found.ties.items()}))
    for other in others:
        loss, slopes = sides(other)
        if not loss.overlaps(here[0]) or differ(slopes, here[1]):
            raise UndecidableKinkError("a kink in a gradient of so many elements")


def _at_random(rng: np.random.Generator, unit: np.ndarray) -> np.ndarray:
    """A direction with some parameters far ahead of others, in their units: objects, (size,)."""
    return balls.exact(rng.normal(size=unit.size) * np.exp(2 * rng.normal(size=unit.size)) / unit)


def _next(ways: deque[Iterator[np.ndarray]]) -> np.ndarray | None:
    """What the first of the iterators that are not exhausted has; the exhausted ones are left."""
    while ways:
        for direction in ways[0]:
            return direction
        ways.popleft()
    return None


def _cell(found: Comparisons) -> frozenset[tuple[Where, int]]:
    return frozenset((where, tie.outcome) for where, tie in found.ties.items())


def _check_continuous(a: arb, b: arb) -> None:
    if not a.overlaps(b):
        raise UndecidableKinkError("the loss jumps at this point")


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two vectors of balls are certainly different."""
    return not all(p.overlaps(q) for p, q in zip(a, b, strict=True))
