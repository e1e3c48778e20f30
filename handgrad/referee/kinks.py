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
They are then found one by one, by steps in random directions until no new one has come up for a
while, and a right gradient is a mean of theirs: weights λᵢ >= 0 that sum to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from flint import arb

from handgrad.referee import balls
from handgrad.referee.ties import EQUAL, GREATER, LESS, Comparisons, Tie, Where

#: With more hyperplanes than this through one point the question is given up.
MOST = 64

#: So many steps in a row must find no new side; with more sides than these the question is given
#: up.
IN_VAIN, MOST_SIDES = 32, 24

Compared = TypeVar("Compared", bound=Comparisons)

#: Evaluate with ties decided so: the loss and its gradient.
Sides = Callable[[Compared], tuple[arb, np.ndarray]]

#: Evaluate for a small step in a random direction: the loss and its gradient.
Step = Callable[[], tuple[arb, np.ndarray]]


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
        candidates = [self.at(choice) for choice in tries]
        misses = [np.max(balls.magnitudes(balls.exact(answer) - c) * weight) for c in candidates]
        chosen = int(np.argmin(misses))
        return candidates[chosen], tries[chosen]

    def _refined(self, choices: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """Choices inside of their bounds, corrected by what an exact gap leaves."""
        free = (choices > 1e-6) & (choices < 1 - 1e-6)
        edges = balls.midpoints(self.edges)[free].T
        refined = choices.copy()
        for _ in range(2):
            left = balls.midpoints(balls.exact(answer) - self.at(refined))
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
        step: the gradient for a step in a direction that it draws.
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
        if not _same_hyperplanes(beyond, found):
            return _by_steps(step, loss, gradient)
        _check_continuous(loss, other_loss)
        if differ(other, gradient):
            edges.append(other - gradient)
    if len(planes) > 1 and not _adds_up(sides, found, gradient, edges):
        return _by_steps(step, loss, gradient)
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


def _same_hyperplanes(there: Comparisons, found: Comparisons) -> bool:
    """Whether the ties are the same ones there, each with its hyperplane and the same side up."""
    if there.flat != found.flat or there.ties.keys() != found.ties.keys():
        return False
    pairs = ((tie.normal, there.ties[where].normal) for where, tie in found.ties.items())
    return all(_same_way(*normals) for normals in pairs)


def _same_way(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = _scaled(a), _scaled(b)
    return _parallel(a, b) and bool(np.dot(a, b) > 0)


def _adds_up(sides: Sides[Compared], found: Compared, gradient: Any, edges: Any) -> bool:
    """Whether the opposite side is all the single steps together."""
    _, there = sides(found.otherwise(backwards=True))
    return not differ(there, gradient + np.sum(edges, axis=0))


def _by_steps(step: Step, loss: arb, gradient: np.ndarray) -> Kink | None:
    found, in_vain = [gradient], 0
    while in_vain < IN_VAIN:
        other_loss, other = step()
        _check_continuous(loss, other_loss)
        new = all(differ(other, known) for known in found)
        in_vain = 0 if new else in_vain + 1
        found += [other] if new else []
        if len(found) > MOST_SIDES:
            raise UndecidableKinkError(f"more than {MOST_SIDES} gradients meet at this point")
    edges = [other - gradient for other in found[1:]]
    return Kink(gradient, _rows(edges, gradient.size), shared=True) if edges else None


def _check_continuous(a: arb, b: arb) -> None:
    if not a.overlaps(b):
        raise UndecidableKinkError("the loss jumps at this point")


def _rows(edges: list[np.ndarray], size: int) -> np.ndarray:
    return np.array(edges, dtype=object).reshape(len(edges), size)


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two vectors of balls are certainly different."""
    return not all(p.overlaps(q) for p, q in zip(a, b, strict=True))


def hyperplanes(ties: dict[Where, Tie]) -> list[list[Where]]:
    """The ties by the hyperplane that decides them: those with parallel normals go together."""
    groups: list[tuple[np.ndarray, list[Where]]] = []
    for where, tie in ties.items():
        normal = _scaled(tie.normal)
        for other, members in groups:
            if _parallel(normal, other):
                members.append(where)
                break
        else:
            groups.append((normal, [where]))
    return [members for _, members in groups]


def _scaled(normal: np.ndarray) -> np.ndarray:
    normal = balls.midpoints(normal)
    return normal / np.max(np.abs(normal), initial=np.finfo(float).tiny)


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    i = int(np.argmax(np.abs(a)))
    if b[i] == 0:
        return False
    return bool(np.allclose(b * (a[i] / b[i]), a, rtol=0, atol=1e-12))
