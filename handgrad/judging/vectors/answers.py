"""Matrices as the caller gives them: dense, sparse, as linear operators, or in blocks."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.data.pytrees import is_sparse
from handgrad.judging.vectors.functions import Form


def is_matrix(value: Any) -> bool:
    """Tell whether something is one matrix, and no pytree to JAX."""
    return is_sparse(value) or is_operator(value)


def is_operator(value: Any) -> bool:
    """Tell whether something is a `scipy.sparse.linalg.LinearOperator`."""
    return hasattr(value, "matvec") and hasattr(value, "shape")


def dense(value: Any) -> Any:
    """Return a matrix as an array; what is an array already, or no matrix, unchanged."""
    if is_sparse(value):
        return np.asarray(value.toarray() if hasattr(value, "toarray") else value.todense())
    if is_operator(value):
        return _by_columns(value.matvec, value.shape)
    if isinstance(value, np.matrix):
        return np.asarray(value)
    if not isinstance(value, list | tuple):
        return value
    try:
        return np.asarray(value)
    except ValueError:  # rows of several lengths: its shape is judged
        return np.asarray(value, dtype=object)


def _by_columns(product: Any, shape: tuple[int, int]) -> np.ndarray:
    """Return the matrix of a product with vectors of shape (n,), as SciPy's solvers ask for it.

    `matmat` of a `LinearOperator` asks for columns of shape (n, 1), which `d * (a @ v)` is not for.
    """
    columns = [np.ravel(product(unit)) for unit in np.eye(shape[1])]
    return np.array(columns).reshape(shape[::-1]).T


def shaped(value: Any, rows: tuple[int, ...], columns: tuple[int, ...], dtype: Any) -> Any:
    """Return a block of a Jacobian as a matrix of shape (m, n); what has another shape unchanged.

    Args:
        value: an array of shape rows + columns, or what NumPy makes of a matrix: (1, n) and (n,)
            for a function of one result, (m,) for one of a single number.
        rows, columns: the shapes of the result and of the argument.
        dtype: of integers, which are exact, if that is what it holds.
    """
    if not isinstance(value, np.ndarray | np.generic | complex | float | int | jax.Array):
        return value
    value = np.asarray(value) if isinstance(value, complex | float | int) else value
    m, n = int(np.prod(rows, dtype=int)), int(np.prod(columns, dtype=int))
    forms = {rows + columns, (m, n)}
    forms |= {(n,)} if m == 1 else set()  # as SciPy takes a single row
    forms |= {(m,)} if not columns else set()
    if value.shape in forms:
        value = value.reshape(m, n)
    whole = isinstance(value, np.ndarray) and value.dtype.kind in "iub"
    return value.astype(dtype) if whole else value


@dataclass(frozen=True, eq=False)
class Blocks:
    """How a matrix (m, n) of all results and arguments falls into blocks (m_i, n_j)."""

    rows: Form
    columns: Form

    @property
    def single(self) -> bool:
        """Whether there is one block to the caller, of one array by another."""
        return len(self.rows.shapes) == len(self.columns.shapes) == 1

    def paths(self, name: str) -> tuple[str, ...]:
        """Return what the blocks are called."""
        return tuple(name + a + b for a in self.rows.paths for b in self.columns.paths)

    def split(self, matrix: Any) -> list[Any]:
        """Return the blocks of a matrix, one for each result and argument."""
        return [matrix[a, b] for a in self.rows.parts for b in self.columns.parts]

    def dtypes(self) -> list[np.dtype]:
        """Return the formats of the blocks."""
        return [
            np.result_type(a, b) if a.kind == "f" else b
            for a in self.rows.dtypes
            for b in self.columns.dtypes
        ]

    def of_answer(self, answer: Any) -> list[Any] | None:
        """Return the caller's blocks, each of shape (m_i, n_j) if it fits; None if some lack."""
        if self.single:
            parts = [dense(answer)]
        else:
            tree = jax.tree_util.tree_structure(answer, is_leaf=is_matrix)
            inner = [self.columns.tree] * len(self.rows.shapes)
            if tree != jax.tree_util.tree_structure(
                jax.tree_util.tree_unflatten(
                    self.rows.tree,
                    [jax.tree_util.tree_unflatten(t, [0.0] * t.num_leaves) for t in inner],
                )
            ):
                return None
            leaves = jax.tree_util.tree_leaves(answer, is_leaf=is_matrix)
            parts = [dense(leaf) for leaf in leaves]
        shapes = [(a, b) for a in self.rows.shapes for b in self.columns.shapes]
        triples = zip(parts, shapes, self.dtypes(), strict=True)
        return [shaped(part, *shape, dtype) for part, shape, dtype in triples]
