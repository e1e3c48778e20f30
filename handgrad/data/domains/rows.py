"""Domains of rows, along the last axis: probabilities, and unit vectors."""

from typing import Any

import numpy as np

from handgrad.data import formats
from handgrad.data.domains.domain import Domain, Size, rounding
from handgrad.data.numerals import short


class Simplex(Domain):
    """Rows of numbers from 0 on that sum to 1, along the last axis."""

    name = "simplex"
    projects = True
    axes = 1
    expected = "rows of numbers from 0 on that sum to 1"
    left = "no longer sums to 1"
    of_one = "{} on the simplex"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are not negative and in a row that sums to 1."""
        off = np.abs(leaf.astype(np.float64).sum(axis=-1, keepdims=True) - 1)
        own = 1.0 if formats.is_half(leaf.dtype) else 0.0
        return (leaf >= 0) & (off <= rounding(leaf.dtype, leaf.shape[-1], own))

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what the element is, and the sum of its row."""
        return _in_a_row(leaf, index, "sum", lambda row: row.sum())

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the sizes of the elements divided by their sum; equal ones if that is 0."""
        sizes = np.abs(leaf.astype(np.float64))
        sizes = np.where(sizes.sum(axis=-1, keepdims=True) > 0, sizes, 1.0)
        return (sizes / sizes.sum(axis=-1, keepdims=True)).astype(leaf.dtype)

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Multiply every element by a random factor, and divide by the sum; 0 stays 0."""
        factors = np.exp(scale * rng.standard_normal(leaf.shape))
        return self.nearest((leaf.astype(np.float64) * factors).astype(leaf.dtype), leaf)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Take the mean of each row off it."""
        return changes - changes.sum(axis=-1, keepdims=True) / leaf.shape[-1]

    def widened(self, leaf: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return 1 - 1/n of each error and 1/n of the others in its row."""
        n = leaf.shape[-1]
        others = errors.sum(axis=-1, keepdims=True) - errors
        return (1 - 1 / n) * errors + others / n


class UnitSphere(Domain):
    """Rows of length 1, along the last axis."""

    name = "unit sphere"
    projects = True
    axes = 1
    expected = "rows of length 1"
    left = "no longer has length 1"
    of_one = "{} on the unit sphere"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which rows have length 1."""
        with np.errstate(over="ignore"):
            squares = (leaf.astype(np.float64) ** 2).sum(axis=-1, keepdims=True)
        return np.abs(squares - 1) <= rounding(leaf.dtype, leaf.shape[-1])

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what the element is, and the length of its row."""
        return _in_a_row(leaf, index, "length", np.linalg.norm)

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the rows divided by their lengths; the first unit vector for 0."""
        wide = leaf.astype(np.float64)
        wide = wide / np.maximum(np.max(np.abs(wide), axis=-1, keepdims=True), 1e-300)
        first = np.arange(leaf.shape[-1]) == 0
        wide = np.where((wide == 0).all(axis=-1, keepdims=True), first, wide)
        return (wide / np.linalg.norm(wide, axis=-1, keepdims=True)).astype(leaf.dtype)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Take off each row its part along x: c - x·(x·c)/(x·x)."""
        squares = (leaf * leaf).sum(axis=-1, keepdims=True)
        return changes - leaf * ((leaf * changes).sum(axis=-1, keepdims=True) / squares)

    def widened(self, leaf: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return |1 - xᵢ²| of each error and |xᵢ·xⱼ| of each other one."""
        x = np.abs(leaf) / np.linalg.norm(leaf, axis=-1, keepdims=True)
        others = (x * errors).sum(axis=-1, keepdims=True) - x * errors
        return np.abs(1 - x * x) * errors + x * others


def _in_a_row(leaf: np.ndarray, index: tuple[int, ...], what: str, measure: Any) -> str:
    measured = float(measure(leaf[index[:-1]].astype(np.float64)))
    return f"{leaf[index]} in a row of {what} {short(measured, 12)}"
