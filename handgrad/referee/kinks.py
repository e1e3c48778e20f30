"""Points where the loss has a kink: more than one gradient is right there, but not any.

At a tie the loss continues one way for a step to one side and another way for a step to the other. The
ties that one hyperplane decides (as `logaddexp` has two for one) flip together. If nothing changes on
the other side of any of them, there is no kink. Otherwise the gradients on all sides span a set, and a
right gradient is g + Σ λᵢ·eᵢ, one choice 0 <= λᵢ <= 1 for each hyperplane and *the same in every
element*: for |x + y| at 0, (s, s) with |s| <= 1, and not (1, -1). (Clarke, Optimization and Nonsmooth
Analysis, 1983, section 2.5.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb

from handgrad.referee import balls
from handgrad.referee.ties import Tie, Where

#: With more hyperplanes than this through one point the question is given up.
MOST = 64

#: Evaluate with these ties decided so: the loss and its gradient.
Sides = Callable[[dict[Where, int]], tuple[arb, np.ndarray]]


class UndecidableKinkError(ArithmeticError):
    """The gradients around a point cannot be told: too many ties, or the loss itself jumps."""


@dataclass(frozen=True, eq=False)
class Kink:
    """The gradients that are right at a kink: `corner` + Σ λᵢ·`edges`[i], 0 <= λᵢ <= 1."""

    corner: np.ndarray  #: objects, shape (size,)
    edges: np.ndarray  #: objects, shape (hyperplanes, size)

    def nearest(self, answer: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The right gradient nearest to an answer, and the choices λ that it makes.

        Args:
            answer: floats, shape (size,), finite.
            allowed: what counts as one step away in each element, floats.
        """
        edges = balls.midpoints(self.edges)
        gap = balls.midpoints(balls.exact(answer) - self.corner)
        weight = 1 / np.maximum(allowed, np.finfo(float).tiny)
        best = _fit(edges.T * weight[:, None], gap * weight)
        tries = [best, *(_snapped(best, step) for step in (1e-9, 1e-6))]
        candidates = [self.at(choice) for choice in tries]
        misses = [np.max(balls.magnitudes(balls.exact(answer) - c) * weight) for c in candidates]
        chosen = int(np.argmin(misses))
        return candidates[chosen], tries[chosen]

    def at(self, choices: np.ndarray) -> np.ndarray:
        """The gradient with these choices."""
        return self.corner + (balls.exact(choices)[:, None] * self.edges).sum(axis=0)


def _fit(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    from scipy.optimize import lsq_linear

    size = np.max(np.abs(a), axis=1, initial=0.0, keepdims=True)
    size[size == 0] = 1.0
    return np.clip(lsq_linear(a / size, b / size[:, 0], bounds=(0, 1), tol=1e-14).x, 0, 1)


def _snapped(choices: np.ndarray, step: float) -> np.ndarray:
    """Choices that are nearly 0, ½ or 1 are those: conventions choose nothing else."""
    halves = np.rint(choices * 2) / 2
    return np.where(np.abs(choices - halves) < step, halves, choices)


def kink(sides: Sides, ties: dict[Where, Tie], corner: tuple[arb, np.ndarray]) -> Kink | None:
    """What the gradients around a point are, given those on one side; None if they are all one.

    Raises:
        UndecidableKinkError: too many hyperplanes, or the loss jumps.
    """
    loss, gradient = corner
    planes = hyperplanes(ties)
    if len(planes) > MOST:
        raise UndecidableKinkError(f"{len(planes)} ties meet at this point")
    edges = []
    for plane in planes:
        other_loss, other = sides({where: -ties[where].outcome for where in plane})
        if not other_loss.overlaps(loss):
            raise UndecidableKinkError("the loss jumps at this point")
        if differ(other, gradient):
            edges.append(other - gradient)
    if not edges:
        return None
    if len(edges) > 1:
        _check_sum(sides, ties, gradient, np.array(edges))
    return Kink(gradient, np.array(edges, dtype=object).reshape(len(edges), gradient.size))


def _check_sum(sides: Sides, ties: dict[Where, Tie], gradient: Any, edges: np.ndarray) -> None:
    """Where one tie lies inside another, the sides are no sum of single steps."""
    _, opposite = sides({where: -tie.outcome for where, tie in ties.items()})
    if differ(opposite, gradient + edges.sum(axis=0)):
        raise UndecidableKinkError("a tie within a tie")


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two vectors of balls are certainly different."""
    return not all(p.overlaps(q) for p, q in zip(a, b, strict=True))


def hyperplanes(ties: dict[Where, Tie]) -> list[list[Where]]:
    """The ties by the hyperplane that decides them: those with parallel normals go together."""
    groups: list[tuple[np.ndarray, list[Where]]] = []
    for where, tie in ties.items():
        normal = balls.midpoints(tie.normal)
        normal = normal / np.max(np.abs(normal), initial=np.finfo(float).tiny)
        for other, members in groups:
            if _parallel(normal, other):
                members.append(where)
                break
        else:
            groups.append((normal, [where]))
    return [members for _, members in groups]


def _parallel(a: np.ndarray, b: np.ndarray) -> bool:
    i = int(np.argmax(np.abs(a)))
    if b[i] == 0:
        return False
    return bool(np.allclose(b * (a[i] / b[i]), a, rtol=0, atol=1e-12))
