"""Find the gradients on all sides of the ties at a point.

If every tie keeps its hyperplane whatever side the others take, a step across one changes the
gradient by the same edge everywhere, and every other gradient is a sum of such edges. Otherwise the
gradients are found one by one.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
from flint import arb

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import EQUAL, Compared, Comparisons, Where
from handgrad.arithmetic.smoothness import (
    Evaluate,
    UndecidableKinkError,
    at_random,
    check_continuous,
    check_flat_ties,
)
from handgrad.oracle.hyperplanes import beyond_the_walls, hyperplanes, same_hyperplanes, units
from handgrad.oracle.subgradients import Kink

#: The most hyperplanes through one point; with more it is undecidable.
MOST = 64

#: The number of random sets of hyperplanes that are crossed at once to check that edges add up,
#: besides the set of all. If two ties interact, one set in four shows it, and all miss it once in
#: thirty times.
TRIED = 12

#: The search ends after the first number of steps in a row without a new gradient, or while some
#: walls are not crossed after the second.
IN_VAIN, MOST_IN_VAIN = 32, 128

#: The most gradients around one point; with more it is undecidable.
MOST_GRADIENTS = 24

#: Evaluates for a small step in a direction, objects of shape (size,). Returns the ties, whose
#: normals are along that direction and each parameter, the loss, and its gradient.
Step = Callable[[np.ndarray], tuple[Comparisons, arb, np.ndarray]]


@dataclass(frozen=True)
class KinkSearch(Generic[Compared]):
    """The search for other gradients around a point, from the one in a known direction."""

    evaluate: Evaluate[Compared]
    step: Step
    direction: np.ndarray  #: the known direction, objects, shape (size,)
    found: Compared  #: the ties there
    loss: arb
    gradient: np.ndarray  #: objects, shape (size,)

    def kink(self) -> Kink | None:
        """Return the gradients around the point; None if they are all the same.

        Raises:
            UndecidableKinkError: too many hyperplanes or gradients, or the loss jumps or has no
                slope.
        """
        found = self.found
        check_flat_ties(self.evaluate, found, (self.loss, self.gradient))
        if not found.ties:
            return None
        at_the_point, _ = self.evaluate(found.for_rerun(dict.fromkeys(found.ties, EQUAL)))
        check_continuous(self.loss, at_the_point)
        planes = hyperplanes(found.ties, MOST)
        if len(planes) > MOST:
            many = f"more than {MOST} ties meet at this point, too many to try"
            raise UndecidableKinkError(many)
        edges = self._edges(planes)
        if edges is None or not self._adds_up(planes, edges):
            return self._of_many()
        edges = [edge for edge in edges if edge is not None]
        return self._made(edges, [-self.direction]) if edges else None

    def _edges(self, planes: list[list[Where]]) -> list[np.ndarray | None] | None:
        """Return the edge across each hyperplane; None if crossing it changes another one."""
        edges = []
        for plane in planes:
            loss, gradient, same = self._flipped(plane)
            if not same:
                return None
            self._check(loss, gradient)
            same = balls.overlap(gradient, self.gradient)
            edges.append(None if same else gradient - self.gradient)
        return edges

    def _flipped(self, ties: list[Where]) -> tuple[arb, np.ndarray, bool]:
        """Flip these ties: return loss, gradient, and whether the hyperplanes are the same."""
        beyond = self.found.for_rerun({where: -self.found.ties[where].outcome for where in ties})
        return *self.evaluate(beyond), same_hyperplanes(self.found, beyond)

    def _adds_up(self, planes: list[list[Where]], edges: list[np.ndarray | None]) -> bool:
        """Tell whether across several hyperplanes the gradient changes by the sum of the edges."""
        if len(planes) == 1:
            return True
        some = np.random.default_rng(0).integers(2, size=(TRIED, len(planes)))
        for crossed in np.vstack([np.ones(len(planes)), some]):
            ties = [where for plane, c in zip(planes, crossed, strict=True) if c for where in plane]
            _, gradient, same = self._flipped(ties)
            over = (e for e, c in zip(edges, crossed, strict=True) if c and e is not None)
            if not same or not balls.overlap(gradient, sum(over, start=self.gradient)):
                return False
        return True

    def _of_many(self) -> Kink | None:
        """Find the gradients one by one, by a walk from cell to cell and by random steps.

        Cells with a new gradient are explored first. The walk ends when all walls were crossed, or
        after many steps without a new gradient.
        """
        gradients, directions, in_vain = [self.gradient], [self.direction], 0
        seen, rng = {_cell(self.found)}, np.random.default_rng(self.gradient.size)
        unit = units(self.found.ties)
        walls = deque([beyond_the_walls(self.found.ties, rng)])
        while in_vain < IN_VAIN or (in_vain < MOST_IN_VAIN and walls):
            through = _next(walls) if in_vain % 2 else None
            if through is None:
                through = at_random(rng, unit.size) / unit
            direction = balls.exact(through)
            there, loss, gradient = self.step(direction)
            in_vain += 1
            if any(tie.outcome == EQUAL for tie in there.ties.values()):
                continue  # on a hyperplane, and on neither side
            self._check(loss, gradient)
            new = not any(balls.overlap(gradient, known) for known in gradients)
            if new:
                in_vain = 0
                gradients.append(gradient)
                directions.append(direction)
            if len(gradients) > MOST_GRADIENTS:
                many = f"more than {MOST_GRADIENTS} gradients meet at this point"
                raise UndecidableKinkError(many)
            if _cell(there) not in seen:
                seen.add(_cell(there))
                put = walls.appendleft if new else walls.append
                put(beyond_the_walls(there.ties, rng))
        edges = [gradient - self.gradient for gradient in gradients[1:]]
        return self._made(edges, directions[1:], shared=True) if edges else None

    def _check(self, loss: arb, gradient: np.ndarray) -> None:
        check_continuous(self.loss, loss)
        if not np.isfinite(balls.magnitudes(gradient)).all():
            raise UndecidableKinkError("on one side of this point the loss has no slope")

    def _made(self, edges: list[Any], directions: list[Any], shared: bool = False) -> Kink:
        both, size = (edges, directions), self.gradient.size
        rows = [np.array(vectors, dtype=object).reshape(-1, size) for vectors in both]
        return Kink(self.gradient, *rows, shared=shared)


def _next(walls: deque[Iterator[np.ndarray]]) -> np.ndarray | None:
    """Return the next direction of the first iterator that has one; drop exhausted iterators."""
    while walls:
        for direction in walls[0]:
            return direction
        walls.popleft()
    return None


def _cell(found: Comparisons) -> frozenset[tuple[Where, int]]:
    return frozenset((where, tie.outcome) for where, tie in found.ties.items())
