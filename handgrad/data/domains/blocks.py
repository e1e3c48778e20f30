"""What counts of a Jacobian, or of a Hessian, where its arguments stay in domains.

A Jacobian J takes a tangent of the domain to a change of the values, so that J·P counts, for the
projection P on the tangent space: each row is a covector, as a gradient is. A Hessian takes two
tangents to a number, and P·H·P counts.
"""

from typing import Any, NamedTuple

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.domains.domain import Domain


class Side(NamedTuple):
    """An array that a matrix is a derivative by, and the domain that it is in."""

    domain: Domain
    leaf: np.ndarray

    def projected(self, along: np.ndarray) -> np.ndarray:
        """Project the last axis, of all elements of the array, of numbers or of balls."""
        leaf = balls.exact(self.leaf) if along.dtype == object else self.leaf
        return self._of_arrays(along, lambda each: self.domain.projected(leaf, each))

    def widened(self, errors: np.ndarray) -> np.ndarray:
        """Return how far the projection of what is off by `errors` may be off."""
        leaf = self.leaf.astype(np.float64)
        return self._of_arrays(errors, lambda each: self.domain.widened(leaf, each))

    def _of_arrays(self, flat: np.ndarray, f: Any) -> np.ndarray:
        return f(flat.reshape(*flat.shape[:-1], *self.leaf.shape)).reshape(flat.shape)


class Block(Domain):
    """Matrices, (m, n), of the derivatives by the elements of one array, or by those of two."""

    name = "block"
    projects = True

    def __init__(self, rows: Side | None, columns: Side | None) -> None:
        self._rows, self._columns = rows, columns

    @property
    def key(self) -> Any:
        """Those of the domains of both sides; the arrays belong to the point."""
        sides = (self._rows, self._columns)
        return self.name, *(side and (side.domain.key, side.leaf.shape) for side in sides)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return P·changes·P, each P the one of its side."""
        return self._of_sides(changes, Side.projected)

    def widened(self, leaf: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return |P|·errors·|P|, or a little more."""
        return self._of_sides(errors, Side.widened)

    def _of_sides(self, matrices: np.ndarray, of: Any) -> np.ndarray:
        if self._columns is not None:
            matrices = of(self._columns, matrices)
        if self._rows is not None:
            matrices = of(self._rows, matrices.swapaxes(-1, -2)).swapaxes(-1, -2)
        return matrices
