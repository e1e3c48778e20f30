"""Sparse matrices of SciPy's whose elements are numbers of series."""

from typing import Any

import jax
import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.oracle.numpy_losses.series import (
    REAL,
    NoAttributeError,
    NotOnSeriesError,
    Number,
    Series,
    Session,
)


class _Matrix:
    """A sparse matrix of numbers, as the array of all its elements."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape = array, array.shape

    @property
    def T(self) -> "_Matrix":  # noqa: N802 (as NumPy)
        return _Matrix(self.array.T)

    def __getattr__(self, name: str) -> Any:
        if name not in ("tocsr", "tocsc", "tocoo", "todia", "tolil", "asformat"):
            raise NoAttributeError(name)
        return lambda *_, **__: self

    def toarray(self) -> Any:
        return self.array

    def __add__(self, other: Any) -> "_Matrix":
        return _Matrix(self.array + other.toarray())

    def __sub__(self, other: Any) -> "_Matrix":
        return _Matrix(self.array - other.toarray())

    def __matmul__(self, other: Any) -> Any:
        of_array = isinstance(other, np.ndarray)
        return self.array @ other if of_array else _Matrix(self.array @ other.toarray())

    def __mul__(self, other: Any) -> "_Matrix":
        # Two matrices are multiplied as such, or element by element if they are sparse arrays.
        return _Matrix(self.array * other) if isinstance(other, (Number, *REAL)) else NotImplemented

    __rmul__ = __mul__


def sparse(session: Session, function: Any, *args: Any, **options: Any) -> Any:
    """Call what makes a sparse matrix: each number is found by where its position comes to lie.

    Raises:
        NotOnSeriesError: an element of the matrix is neither a number nor a constant.
    """
    leaves, tree = jax.tree_util.tree_flatten((args, options))
    if not any(isinstance(leaf, Number | Series | _Matrix) for leaf in leaves):
        return function(*args, **options)
    leaves = [leaf.array if isinstance(leaf, _Matrix) else leaf for leaf in leaves]
    arrays = {i: np.asarray(leaf, object) for i, leaf in enumerate(leaves) if _is_number(leaf)}
    numbers = [number for array in arrays.values() for number in array.ravel()]

    def placed(scale: int, offset: int) -> np.ndarray:
        at, moved = 1, list(leaves)
        for i, array in arrays.items():
            positions = np.arange(at, at + array.size, dtype=float)
            moved[i], at = (scale * positions + offset).reshape(array.shape), at + array.size
        args, options = jax.tree_util.tree_unflatten(tree, moved)
        with best_effort(Exception):
            return function(*args, **options).toarray()
        raise NotOnSeriesError("numbers that make no sparse matrix")

    once, twice = placed(1, 0), placed(2, len(numbers))
    of_number = (once >= 1) & (twice == 2 * once + len(numbers))
    if not (of_number | (once == twice)).all():
        raise NotOnSeriesError("a sparse matrix of sums of numbers")
    found = once.astype(object)
    found[of_number] = [numbers[int(i) - 1] for i in once[of_number]]
    return _Matrix(session.series(found))


def makes_sparse(value: Any) -> bool:
    """Tell whether this is a class of sparse matrices, or a function that constructs some."""
    home = str(getattr(value, "__module__", None))
    of_class = isinstance(value, type) and hasattr(value, "toarray")
    return home == "scipy.sparse._construct" or (of_class and home.startswith("scipy.sparse._"))


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, Number | float) or (
        isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fO"
    )
