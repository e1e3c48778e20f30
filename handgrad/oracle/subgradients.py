"""Subgradients at a kink of the loss, where more than one gradient is right.

On the two sides of a tie the loss continues differently. Ties that one hyperplane decides
(`logaddexp` has two) flip together. If the gradient is the same on all sides, there is no kink.
Otherwise a right gradient is g + Σ λᵢ·eᵢ with one 0 <= λᵢ <= 1 for each hyperplane, *the same in
every element*, where eᵢ is the change of the gradient across it. For |x + y| at 0 that is (s, s)
with |s| <= 1, and not (1, -1). Every Clarke subgradient is of this form (Clarke, Optimization and
Nonsmooth Analysis, 1983, section 2.3: the sum rule); if hyperplanes depend on each other, some
other vectors are too.

With nested ties, as in the maximum of three equal numbers or in relu(|x|), the outcome of one tie
changes the hyperplane of another, and the changes do not add up. The one-sided gradients are then
found one by one, by a walk from cell to cell and by steps in random directions, until no new one
has been found for a while (`handgrad.oracle.kink_search`). A right gradient is a weighted mean of
them, with weights λᵢ >= 0 that sum to 1: exactly Clarke's set.
"""

from dataclasses import dataclass

import numpy as np

from handgrad.arithmetic import balls

#: How often the gap that λ leave is fitted once more: each time it is smaller by many digits.
STEPS = 3


@dataclass(frozen=True, eq=False)
class Kink:
    """The right gradients at a kink: `vertex` + Σ λᵢ·`edges`[i] with 0 <= λᵢ <= 1."""

    vertex: np.ndarray  #: the gradient on one side, objects, shape (size,)
    edges: np.ndarray  #: changes to the gradients on other sides, objects, shape (edges, size)
    directions: np.ndarray  #: one for each other side found, objects, shape (sides, size)
    shared: bool = False  #: whether the λᵢ sum to at most 1

    @property
    def largest(self) -> np.ndarray:
        """The largest size of each element on any side, floats, shape (size,)."""
        sides = np.vstack([self.vertex[None], self.vertex + self.edges])
        return np.max(balls.magnitudes(sides), axis=0)

    def nearest(self, answer: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the right gradient nearest to another one, and its λ, shape (edges,).

        Args:
            answer: the other gradient, floats, shape (size,), finite.
            allowed: the unit of distance in each element, floats.
        """
        edges = balls.midpoints(self.edges)
        # Elements that no λ changes do not matter.
        moved = (edges != 0).any(axis=0)
        gap = balls.midpoints(balls.exact(answer) - self.vertex)[moved]
        weight = 1 / np.maximum(allowed[moved], np.finfo(float).tiny)
        fit = _fit_of_mean if self.shared else _fit
        best = fit(edges[:, moved].T * weight[:, None], gap * weight)
        tries = [*best, *(_snapped(choices, step) for choices in best for step in (1e-9, 1e-6))]
        tries += [self._refined(choices, answer, weight, moved) for choices in best]
        candidates = [self.at(choices) for choices in tries]
        gaps = [balls.magnitudes((balls.exact(answer) - c)[moved]) for c in candidates]
        chosen = int(np.argmin([np.max(gap * weight, initial=0.0) for gap in gaps]))
        return candidates[chosen], tries[chosen]

    def _refined(
        self, choices: np.ndarray, answer: np.ndarray, weight: np.ndarray, moved: np.ndarray
    ) -> np.ndarray:
        """Refine λ by steps within their bounds that fit the gap, which is exact.

        Args:
            choices: the initial λ.
            answer: the gradient to approximate.
            weight: that of each element's gap.
            moved: the elements that some λ changes.
        """
        from scipy.optimize import lsq_linear

        weight = weight / np.max(weight, initial=np.finfo(float).tiny)
        a = balls.midpoints(self.edges)[:, moved].T * weight[:, None]
        if self.shared:  # The vertex has a weight, too, and they sum to 1.
            sums = np.full(a.shape[1] + 1, np.max(np.abs(a), initial=0.0))
            a = np.vstack([np.hstack([a, np.zeros((len(a), 1))]), sums])
        for _ in range(STEPS):
            left = balls.midpoints(balls.exact(answer) - self.at(choices))[moved] * weight
            weights = choices
            if self.shared:
                left = np.append(left, 0.0)
                weights = np.append(choices, max(1 - choices.sum(), 0.0))
            bounds = -weights, 1 - weights
            step = lsq_linear(a, left, bounds=bounds, tol=1e-14, method="bvls").x
            choices = np.clip((weights + step)[: len(choices)], 0, 1)
            choices = choices / max(1.0, choices.sum()) if self.shared else choices
        return choices

    def at(self, choices: np.ndarray) -> np.ndarray:
        """Return the gradient for given λ."""
        return self.vertex + (balls.exact(choices)[:, None] * self.edges).sum(axis=0)


def _fit(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Fit λ by two methods: either ends early where edges have very different sizes."""
    from scipy.optimize import lsq_linear

    size = np.max(np.abs(a), axis=1, initial=0.0, keepdims=True)
    size[size == 0] = 1.0
    fitted = (
        lsq_linear(a / size, b / size[:, 0], bounds=(0, 1), tol=1e-14, method=method).x
        for method in ("trf", "bvls")
    )
    return [np.clip(choices, 0, 1) for choices in fitted]


def _fit_of_mean(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    from scipy.optimize import nnls

    size = max(float(np.max(np.abs(a), initial=0.0)), np.finfo(float).tiny)
    # One weight more is the vertex's; a heavy row enforces that all sum to 1.
    heavy = 1e6
    rows = np.vstack([np.hstack([a / size, np.zeros((len(a), 1))]), np.full(a.shape[1] + 1, heavy)])
    weights, _ = nnls(rows, np.append(b / size, heavy))
    return [np.clip(weights[:-1] / max(weights.sum(), 1.0), 0, 1)]


def _snapped(choices: np.ndarray, step: float) -> np.ndarray:
    """Snap λ that are nearly 0, ½ or 1, the usual conventions at a kink."""
    halves = np.rint(choices * 2) / 2
    return np.where(np.abs(choices - halves) < step, halves, choices)
