"""The tangent space of all parameters at a point, and projections on it.

**What rounding costs there.** A right gradient g is off by e, |e| ≤ t for the tolerances t of its
elements, and its projection by P·e, |P·e| ≤ |P|·t. Changes of the exact gradient by other data, and
deviations by rounding, are vectors, so their projections are measured as such. What is left of t is
half an ulp of each element, since g is stored in its format: |P| of that belongs to the tolerance,
see `handgrad.tolerance.runs.stored`. It matters where little is left of large numbers: of 10⁸·x + t
on the sphere. P itself is computed in balls, and rounded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.domains.domain import Domain
from handgrad.data.point import slices

#: The precision in bits that floats are projected with: twice that of float64, and more.
BITS = 192


@dataclass(frozen=True, eq=False)
class Tangent:
    """The tangent space at a point; `domains` are those of `arrays`.

    Of a gradient these are its leaves. Of a Jacobian J the leaves are its blocks, each of which is
    by one array: J takes a tangent to a change of the values, so that of each row, as of a
    gradient, its projection counts.
    """

    domains: Sequence[Domain]
    leaves: Sequence[np.ndarray]
    arrays: Sequence[np.ndarray]

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells it from others at the same point."""
        return tuple(domain.key for domain in self.domains)

    def projected(self, vectors: np.ndarray) -> np.ndarray:
        """Project balls, objects of shape (..., size), in the precision that is set."""
        return self._of_leaves(vectors, self._in_balls, lambda d, x, v: d.projected(x, v))

    def of_floats(self, vector: np.ndarray) -> np.ndarray:
        """Project a gradient in float64, (size,); what is not finite stays so."""
        finite = np.isfinite(vector)
        with balls.precision(BITS):
            exact = self.projected(balls.exact(np.where(finite, vector, 0.0)))
        return np.where(finite, balls.midpoints(exact), vector)

    def widened(self, errors: np.ndarray) -> np.ndarray:
        """Return how far the projection may be off of what is off by so much, (size,)."""
        wide = [array.astype(np.float64) for array in self.arrays]
        with np.errstate(invalid="ignore"):
            found = self._of_leaves(errors, wide, lambda d, x, v: d.widened(x, v))
        return np.where(np.isnan(found), np.inf, found)

    @cached_property
    def fixed(self) -> np.ndarray:
        """Tell of which elements no change is tangent, bool, (size,)."""
        return self.widened(np.ones(sum(leaf.size for leaf in self.leaves))) == 0

    @cached_property
    def _in_balls(self) -> list[np.ndarray]:
        return [balls.exact(array) for array in self.arrays]

    def _of_leaves(self, vectors: np.ndarray, arrays: Sequence[np.ndarray], of: Any) -> np.ndarray:
        found = vectors.copy()
        for domain, array, part in zip(self.domains, arrays, slices(self.leaves), strict=True):
            if domain.projects and array.size:
                whole = vectors[..., part]
                rows = (*whole.shape[:-1], whole.shape[-1] // array.size)
                found[..., part] = of(domain, array, whole.reshape(*rows, *array.shape)).reshape(
                    whole.shape
                )
        return found


def tangent_of(domains: Sequence[Domain], leaves: Sequence[np.ndarray]) -> Tangent | None:
    """Return the tangent space of leaves in these domains; None if it has all directions."""
    return Tangent(domains, leaves, leaves) if any(d.projects for d in domains) else None
