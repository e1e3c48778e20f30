"""How a Jacobian falls into blocks, and the caller's answer into these."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from handgrad.judging.vectors import answers
from handgrad.judging.vectors.functions import Form


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
            parts = [answers.dense(answer)]
        else:
            tree = jax.tree_util.tree_structure(answer, is_leaf=answers.is_matrix)
            inner = [self.columns.tree] * len(self.rows.shapes)
            if tree != jax.tree_util.tree_structure(
                jax.tree_util.tree_unflatten(
                    self.rows.tree,
                    [jax.tree_util.tree_unflatten(t, [0.0] * t.num_leaves) for t in inner],
                )
            ):
                return None
            leaves = jax.tree_util.tree_leaves(answer, is_leaf=answers.is_matrix)
            parts = [answers.dense(leaf) for leaf in leaves]
        shapes = [(a, b) for a in self.rows.shapes for b in self.columns.shapes]
        triples = zip(parts, shapes, self.dtypes(), strict=True)
        return [answers.shaped(part, *shape, dtype) for part, shape, dtype in triples]
