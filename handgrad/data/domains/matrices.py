"""Domains of matrices, along the last two axes."""

from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.data import formats
from handgrad.data.domains.domain import Domain, Size, added, kept, rounding
from handgrad.data.numerals import short

#: How often a move is halved that rounding has brought out of the positive definite matrices.
HALVED = 6

#: The least eigenvalue, relative to the largest, of a matrix that is made positive definite.
LEAST = 0.1

#: How often a gradient is projected at a matrix that is orthogonal to within rounding, by E: what
#: is left of its normal part is E³ of it, below the square of the roundoff.
TIMES = 3


class Symmetric(Domain):
    """Symmetric matrices."""

    name = "symmetric"
    projects = True
    axes = 2
    expected = "a symmetric matrix"
    left = "is no longer symmetric"
    of_one = "symmetric {}"

    def fits(self, leaf: np.ndarray) -> bool:
        """Tell whether the matrices are square."""
        return super().fits(leaf) and leaf.shape[-1] == leaf.shape[-2]

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements equal their mirror image, to within the rounding of a product."""
        wide = leaf.astype(np.float64)
        largest = np.max(np.abs(wide), axis=(-2, -1), keepdims=True)
        return np.abs(wide - mirrored(wide)) <= largest * rounding(leaf.dtype, leaf.shape[-1])

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what the element and its mirror image are."""
        return f"{leaf[index]}, and {mirrored(leaf)[index]} across the diagonal"

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the symmetric part."""
        wide = leaf.astype(np.float64)
        return (wide / 2 + mirrored(wide) / 2).astype(leaf.dtype)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return the symmetric part, (c + cᵀ)/2."""
        return (changes + mirrored(changes)) / 2


class PositiveDefinite(Symmetric):
    """Symmetric matrices whose eigenvalues are above 0."""

    name = "positive definite"
    expected = "a symmetric positive definite matrix"
    left = "is no longer positive definite"
    of_one = "positive definite {}"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are symmetric in a matrix with eigenvalues above 0."""
        symmetric = super().holds(leaf)
        return _smallest(leaf)[..., None, None] > 0 if symmetric.all() else symmetric

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say what is not symmetric, or how small an eigenvalue is."""
        if not super().holds(leaf).all():
            return super().seen(leaf, index)
        return f"an eigenvalue of {short(float(_smallest(leaf)[index[:-2]]))}"

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the symmetric part with each eigenvalue a tenth of the largest at least."""
        leaf = super().nearest(leaf, before)
        if (_smallest(leaf) > 0).all():
            return leaf
        values, vectors = np.linalg.eigh(leaf.astype(np.float64))
        largest = np.max(np.abs(values), axis=-1, keepdims=True)
        values = np.maximum(np.abs(values), LEAST * np.where(largest > 0, largest, 1.0))
        made = (vectors * values[..., None, :]) @ mirrored(vectors)
        return super().nearest(made.astype(leaf.dtype), before)

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Return C·A·C of a random positive definite C, near 1 if the scale is small."""
        wide = leaf.astype(np.float64)
        vectors, _ = np.linalg.qr(rng.standard_normal(leaf.shape))
        logs = rng.standard_normal(leaf.shape[:-1])
        for k in range(HALVED):
            stretched = np.exp(scale * 2.0**-k * logs / 2)[..., None, :]
            c = (vectors * stretched) @ mirrored(vectors)
            moved = super().nearest((c @ wide @ c).astype(leaf.dtype), leaf)
            if (_smallest(moved) > 0).all():
                return moved
        return leaf


class LowerTriangular(Domain):
    """Matrices that are 0 above the diagonal, as a Cholesky factor is."""

    name = "lower triangular"
    projects = True
    axes = 2
    expected = "0 above the diagonal"
    left = "is no longer lower triangular"
    of_one = "lower triangular {}"

    def holds(self, leaf: np.ndarray) -> np.ndarray:
        """Tell which elements are not above the diagonal, or are 0."""
        return (leaf == 0) | lower(leaf)

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the matrix with zeros above the diagonal."""
        return kept(lower(leaf), leaf)

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Add to the elements below the diagonal; multiply those on it, which keep their signs.

        A factor with another sign has the same product, and log of its diagonal is not defined.
        """
        steps = rng.standard_normal(leaf.shape)
        on = np.broadcast_to(np.eye(*leaf.shape[-2:], dtype=bool), leaf.shape) & (leaf != 0)
        factors = np.where(on, np.exp(scale * steps), 1.0)
        stretched = added(np.zeros_like(leaf), 1.0, leaf.astype(np.float64) * factors)
        return self.nearest(added(stretched, scale * size, np.where(on, 0.0, steps)), leaf)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return the changes with zeros above the diagonal."""
        return kept(lower(leaf), changes)


class Orthogonal(Domain):
    """Matrices with orthonormal columns; of those that are wider than high, rows."""

    name = "orthogonal"
    projects = True
    axes = 2
    expected = "a matrix with orthonormal columns"
    left = "is no longer orthogonal"
    of_one = "orthogonal {}"

    def holds(self, leaf: np.ndarray) -> Any:
        """Tell whether QᵀQ is 1 to within the rounding of Q and of the product.

        A matrix that a factorisation has computed is farther off, by some roundoffs of its length.
        """
        q = _tall(leaf.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.abs(mirrored(q) @ q - np.eye(q.shape[-1]))
        return (off <= rounding(leaf.dtype, 4 * q.shape[-2])).all(axis=(-2, -1), keepdims=True)

    def seen(self, leaf: np.ndarray, index: tuple[int, ...]) -> str:
        """Say how far QᵀQ is from 1."""
        q = _tall(leaf.astype(np.float64))[index[:-2]]
        off = np.max(np.abs(q.T @ q - np.eye(q.shape[-1])))
        return f"a matrix whose QᵀQ is off by {short(float(off))}"

    def nearest(self, leaf: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return U·Vᵀ of the singular value decomposition."""
        u, _, v = np.linalg.svd(leaf.astype(np.float64), full_matrices=False)
        return (u @ v).astype(leaf.dtype)

    def drawn(self, leaf: np.ndarray, scale: float, size: Size, rng: Any) -> np.ndarray:
        """Return the matrix turned by a random rotation, near 1 if the scale is small.

        It is (1 - K/2)⁻¹·(1 + K/2) of an antisymmetric K (Cayley).
        """
        q, one = _tall(leaf.astype(np.float64)), np.eye(max(leaf.shape[-2:]))
        k = rng.standard_normal((*leaf.shape[:-2], *one.shape))
        k = scale * (k - mirrored(k)) / np.sqrt(8 * len(one))
        turned = np.linalg.solve(one - k, (one + k) @ q)
        return self.nearest(_tall(turned, leaf).astype(leaf.dtype), leaf)

    def projected(self, leaf: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """Return c - Q·(Qᵀc + cᵀQ)/2, several times.

        For QᵀQ = 1 + E and symmetric S this leaves -Q·(ES + SE)/2 of the normal Q·S, and all of
        what is orthogonal to these. A gradient may have any normal part, which may be large.
        """
        q, c = _tall(leaf), _tall(changes, leaf)
        for _ in range(TIMES):
            along = product(mirrored(q), c)
            c = c - product(q, (along + mirrored(along)) / 2)
        return _tall(c, leaf)

    def widened(self, leaf: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Return |1 - QQᵀ/2|·e + |Q|·eᵀ·|Q|/2, since P·c = (1 - QQᵀ/2)·c - Q·cᵀ·Q/2."""
        q, e = _tall(leaf), _tall(errors, leaf)
        own = np.abs(np.eye(q.shape[-2]) - q @ mirrored(q) / 2)
        return _tall(own @ e + np.abs(q) @ mirrored(e) @ np.abs(q) / 2, leaf)


def mirrored(matrices: np.ndarray) -> np.ndarray:
    """Return the transposed matrices."""
    return matrices.swapaxes(-1, -2)


def lower(leaf: np.ndarray) -> np.ndarray:
    """Tell which elements are on the diagonal or below, shape (rows, columns)."""
    return np.tri(*leaf.shape[-2:], dtype=bool)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply stacks of matrices, which broadcast, of numbers or of balls."""
    if a.dtype != object:
        return a @ b
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    both = (np.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (a, b))
    a, b = (x.reshape(-1, *x.shape[-2:]) for x in both)
    return balls.matmul(a, b).reshape(*stack, a.shape[-2], b.shape[-1])


def _smallest(leaf: np.ndarray) -> np.ndarray:
    """Return the smallest eigenvalue of each matrix, less what rounding may add to it."""
    values = np.linalg.eigvalsh(leaf.astype(np.float64))
    least = np.max(np.abs(values), axis=-1) * leaf.shape[-1] * formats.of(np.float64).eps
    return values[..., 0] - least


def _tall(matrices: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """Transpose matrices if those they are like are wider than high."""
    rows, columns = (matrices if like is None else like).shape[-2:]
    return mirrored(matrices) if rows < columns else matrices
