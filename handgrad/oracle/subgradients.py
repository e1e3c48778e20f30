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
no new one has come up for a while (`handgrad.oracle.kink_search`), and a right gradient is a mean
of theirs: weights λᵢ >= 0 that sum to 1. That is Clarke's set and no more.
"""

from dataclasses import dataclass

import numpy as np

from handgrad.arithmetic import balls


class UndecidableKinkError(ArithmeticError):
    """The gradients around a point cannot be told: too many ties, or the loss itself jumps."""


@dataclass(frozen=True, eq=False)
class Kink:
    """The gradients that are right at a kink: `corner` + Σ λᵢ·`edges`[i], 0 <= λᵢ <= 1."""

    corner: np.ndarray  #: objects, shape (size,)
    edges: np.ndarray  #: objects, shape (edges, size)
    ways: np.ndarray  #: a direction to every other side that was seen, objects, shape (ways, size)
    shared: bool = False  #: whether the λᵢ sum to at most 1

    def nearest(self, answer: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The right gradient nearest to an answer, and the choices λ that it makes.

        Args:
            answer: floats, shape (size,), finite.
            allowed: what counts as one step away in each element, floats.
        """
        edges = balls.midpoints(self.edges)
        # What no choice changes has no say in it.
        moved = (edges != 0).any(axis=0)
        gap = balls.midpoints(balls.exact(answer) - self.corner)[moved]
        weight = 1 / np.maximum(allowed[moved], np.finfo(float).tiny)
        fit = _fit_of_mean if self.shared else _fit
        best = fit(edges[:, moved].T * weight[:, None], gap * weight)
        tries = [best, *(_snapped(best, step) for step in (1e-9, 1e-6))]
        tries += [
            self._refined(choices, answer, margin, with_corner)
            for choices in tries
            for margin in (0.0, 1e-6)
            for with_corner in ((True, False) if self.shared else (True,))
        ]
        candidates = [self.at(choices) for choices in tries]
        gaps = [balls.magnitudes((balls.exact(answer) - c)[moved]) for c in candidates]
        chosen = int(np.argmin([np.max(gap * weight, initial=0.0) for gap in gaps]))
        return candidates[chosen], tries[chosen]

    def _refined(
        self, choices: np.ndarray, answer: np.ndarray, margin: float, with_corner: bool
    ) -> np.ndarray:
        """Choices inside of their bounds, corrected by what an exact gap leaves.

        Args:
            choices: those to begin with.
            answer: what they are to give.
            margin: choices that are closer to 0 or 1 stay where they are.
            with_corner: whether the corner has a part in a mean; if not, the others sum to 1.
        """
        free = (choices > margin) & (choices < 1 - margin)
        edges = balls.midpoints(self.edges)[free].T
        size = 0.0 if with_corner else np.max(np.abs(edges), initial=0.0)
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
