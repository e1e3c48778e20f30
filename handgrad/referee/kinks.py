"""Points where the loss has a kink: more than one gradient is right there, but not any.

At a tie the loss continues one way for a step to one side and another way for a step to the other.
The ties that one hyperplane decides (as `logaddexp` has two for one) flip together. If nothing
changes on the other side of any of them, there is no kink. Otherwise a right gradient makes one
choice λ for each hyperplane, *the same in every element*: g + Σ λᵢ·eᵢ with 0 <= λᵢ <= 1. For |x +
y| at 0 that is (s, s) with |s| <= 1, and not (1, -1). Every Clarke subgradient is among them
(Clarke, Optimization and Nonsmooth Analysis, 1983, section 2.3: the sum rule); where hyperplanes
depend on each other, so are some that are none.

Where one tie lies inside another, as in the maximum of three equal numbers or in relu(|x|), the
outcome of one turns the hyperplane of the other around, and the sides are no sum of single steps.
They are then found one by one, by a walk from cell to cell and by steps in random directions, until
no new one has come up for a while, and a right gradient is a mean of theirs: weights λᵢ >= 0 that
sum to 1.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from flint import arb

from handgrad.referee import balls
from handgrad.referee.hyperplanes import beyond_the_walls, hyperplanes, same_hyperplanes
from handgrad.referee.ties import EQUAL, GREATER, LESS, Comparisons, Where

#: With more hyperplanes than this through one point the question is given up.
MOST = 64

#: So many directions are tried where the sides are taken for sums of single steps.
TRIED = 3

#: At least so many steps in a row must find no new side, and more than these are not made; with
#: more sides than that the question is given up.
IN_VAIN, MOST_IN_VAIN, MOST_SIDES = 32, 128, 24

Compared = TypeVar("Compared", bound=Comparisons)

#: Evaluate with ties decided so: the loss and its gradient.
Sides = Callable[[Compared], tuple[arb, np.ndarray]]

#: Evaluate for a small step in a direction, floats of shape (size,): the ties, which have normals
#: along that direction and along each parameter, the loss, and its gradient.
Step = Callable[[np.ndarray], tuple[Comparisons, arb, np.ndarray]]


class UndecidableKinkError(ArithmeticError):
    """The gradients around a point cannot be told: too many ties, or the loss itself jumps."""


@dataclass(frozen=True, eq=False)
class Kink:
    """The gradients that are right at a kink: `corner` + Σ λᵢ·`edges`[i], 0 <= λᵢ <= 1."""

    corner: np.ndarray  #: objects, shape (size,)
    edges: np.ndarray  #: objects, shape (edges, size)
    shared: bool = False  #: whether the λᵢ sum to at most 1

    def nearest(self, answer: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The right gradient nearest to an answer, and the choices λ that it makes.

        Args:
            answer: floats, shape (size,), finite.
            allowed: what counts as one step away in each element, floats.
        """
        edges = balls.midpoints(self.edges)
        gap = balls.midpoints(balls.exact(answer) - self.corner)
        weight = 1 / np.maximum(allowed, np.finfo(float).tiny)
        fit = _fit_of_mean if self.shared else _fit
        best = fit(edges.T * weight[:, None], gap * weight)
        tries = [best, *(_snapped(best, step) for step in (1e-9, 1e-6))]
        tries += [self._refined(choices, answer) for choices in tries]
        if self.shared:
            tries += [np.zeros(len(edges)), *np.eye(len(edges))]
        candidates = [self.at(choice) for choice in tries]
        misses = [np.max(balls.magnitudes(balls.exact(answer) - c) * weight) for c in candidates]
        chosen = int(np.argmin(misses))
        return candidates[chosen], tries[chosen]

    def _refined(self, choices: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """Choices inside of their bounds, corrected by what an exact gap leaves."""
        free = (choices > 1e-6) & (choices < 1 - 1e-6)
        edges = balls.midpoints(self.edges)[free].T
        # Where the corner has no part in a mean, the others sum to 1.
        size = np.max(np.abs(edges), initial=0.0) * (self.shared and 1 - choices.sum() <= 1e-6)
        edges = np.vstack([edges, np.full(free.sum(), size)])
        refined = choices.copy()
        for _ in range(2):
            left = balls.midpoints(balls.exact(answer) - self.at(refined))
            left = np.append(left, size * (1 - refined.sum()))
            refined[free] += np.linalg.lstsq(edges, left, rcond=None)[0]
        refined = np.clip(refined, 0, 1)
        return refined / max(1.0, refined.sum()) if self.shared else refined

    def at(self, choices: np.ndarray) -> np.ndarray:
        """The gradient with these choices."""
        return self.corner + (balls.exact(choices)[:, None] * self.edges).sum(axis=0)


def _fit(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.optimize import lsq_linear

    size = np.max(np.abs(a), axis=1, initial=0.0, keepdims=True)
    size[size == 0] = 1.0
    return np.clip(lsq_linear(a / size, b / size[:, 0], bounds=(0, 1), tol=1e-14).x, 0, 1)


def _fit_of_mean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.optimize import nnls

    size = max(float(np.max(np.abs(a), initial=0.0)), np.finfo(float).tiny)
    # One weight more is what the others leave of 1, which is held fast by a heavy row.
    heavy = 1e6
    rows = np.vstack([np.hstack([a / size, np.zeros((len(a), 1))]), np.full(a.shape[1] + 1, heavy)])
    weights, _ = nnls(rows, np.append(b / size, heavy))
    return np.clip(weights[:-1] / max(weights.sum(), 1.0), 0, 1)


def _snapped(choices: np.ndarray, step: float) -> np.ndarray:
    """Choices that are nearly 0, ½ or 1 are those: conventions choose nothing else."""
    halves = np.rint(choices * 2) / 2
    return np.where(np.abs(choices - halves) < step, halves, choices)


def kink(sides: Sides[Compared], step: Step, found: Compared, here: tuple[arb, Any]) -> Kink | None:
    """What the gradients around a point are, given those on one side; None if they are all one.

    Args:
        sides: the gradient with ties decided in another way.
        step: the gradient for a small step in a direction.
        found: what tied on the side that is given.
        here: loss and gradient on that side.

    Raises:
        UndecidableKinkError: too many hyperplanes or sides, or the loss jumps.
    """
    loss, gradient = here
    check_flat_ties(sides, found, here)
    if not found.ties:
        return None
    _check_continuous(loss, sides(found.otherwise(dict.fromkeys(found.ties, EQUAL)))[0])
    planes = hyperplanes(found.ties)
    if len(planes) > MOST:
        raise UndecidableKinkError(f"{len(planes)} ties meet at this point, {MOST} can be tried")
    edges = []
    for plane in planes:
        beyond = found.otherwise({where: -found.ties[where].outcome for where in plane})
        other_loss, other = sides(beyond)
        if not same_hyperplanes(beyond, found):
            return _of_many(step, found, here)
        _check_continuous(loss, other_loss)
        edges.append(other - gradient if differ(other, gradient) else None)
    if len(planes) > 1 and not _adds_up(step, found, planes, gradient, edges):
        return _of_many(step, found, here)
    edges = [edge for edge in edges if edge is not None]
    return Kink(gradient, _rows(edges, gradient.size)) if edges else None


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


def _adds_up(step: Step, found: Comparisons, planes: Any, gradient: Any, edges: Any) -> bool:
    """Whether steps in some directions have the gradient that single steps add up to."""
    for direction in np.random.default_rng(0).normal(size=(TRIED, gradient.size)):
        there, _, other = step(direction)
        if not same_hyperplanes(there, found):
            return False
        expected = gradient
        for plane, edge in zip(planes, edges, strict=True):
            crossed = there.ties[plane[0]].outcome != found.ties[plane[0]].outcome
            expected = expected + edge if crossed and edge is not None else expected
        if differ(other, expected):
            return False
    return True


def _of_many(step: Step, found: Comparisons, here: tuple[arb, Any]) -> Kink | None:
    """The kink where the sides are found one by one."""
    gradient = here[1]
    edges = [other - gradient for other in all_sides(step, found, here)[1:]]
    return Kink(gradient, _rows(edges, gradient.size), shared=True) if edges else None


def all_sides(step: Step, found: Comparisons, here: tuple[arb, Any]) -> list[np.ndarray]:
    """The gradients in all cells, by a walk from cell to cell and by steps at random.

    Cells with a gradient of their own are left first. The walk ends with the cells, or when so many
    steps have been in vain that it will not find more.
    """
    loss, gradient = here
    gradients, seen, in_vain = [gradient], {_cell(found)}, 0
    rng = np.random.default_rng(gradient.size)
    ways = deque([beyond_the_walls(found.ties)])
    while in_vain < IN_VAIN or (in_vain < MOST_IN_VAIN and ways):
        direction = _next(ways) if in_vain % 2 else None
        if direction is None:
            # With some parameters far ahead of others.
            direction = rng.normal(size=gradient.size) * np.exp(2 * rng.normal(size=gradient.size))
        there, other_loss, other = step(direction)
        _check_continuous(loss, other_loss)
        new = all(differ(other, known) for known in gradients)
        in_vain = 0 if new else in_vain + 1
        gradients += [other] if new else []
        if len(gradients) > MOST_SIDES:
            raise UndecidableKinkError(f"more than {MOST_SIDES} gradients meet at this point")
        if _cell(there) not in seen:
            seen.add(_cell(there))
            put = ways.appendleft if new else ways.append
            put(beyond_the_walls(there.ties))
    return gradients


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


def _rows(edges: list[np.ndarray], size: int) -> np.ndarray:
    return np.array(edges, dtype=object).reshape(len(edges), size)


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two vectors of balls are certainly different."""
    return not all(p.overlaps(q) for p, q in zip(a, b, strict=True))
