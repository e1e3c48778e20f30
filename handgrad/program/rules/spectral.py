"""Rules for eigenvalues, singular values and the QR factorisation.

FLINT encloses separated eigenvalues, with their vectors. Slopes are those of first-order
perturbation theory (Horn and Johnson, Matrix Analysis, section 6.3): λᵢ′ = vᵢᵀ A′ vᵢ. The sign of a
vector is arbitrary, so that of LAPACK is taken.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from flint import acb_mat, arb_mat

from handgrad.arithmetic import balls, dual
from handgrad.arithmetic.comparisons import MorePrecisionNeededError
from handgrad.arithmetic.dual import Dual
from handgrad.program import cost
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rounds, Rule


def eigh(run: Run, eqn: Any, a: Dual) -> list[Dual]:
    """Return vectors and values of symmetric matrices, the smallest first, from one triangle."""
    if eqn.params.get("subset_by_index") is not None:
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    half = np.tril if eqn.params["lower"] else np.triu
    which = half(np.ones(a.shape[-2:], dtype=bool))
    a = a.linear(lambda m: np.where(which, m, m.swapaxes(-1, -2)))
    return _each(a, lambda m: _eigh(m, np.linalg.eigh(balls.midpoints(m.value))[1]))


def _each(a: Dual, f: Callable[[Dual], list[Dual]]) -> list[Dual]:
    """Apply a function of one matrix to each of a batch."""
    batch = a.shape[:-2]
    found = [f(a[index]) for index in np.ndindex(*batch)]
    outputs = [dual.stacked(list(parts)) for parts in zip(*found, strict=True)]
    return [out.reshape(*batch, *out.shape[1:]) for out in outputs]


def _eigh(a: Dual, like: np.ndarray) -> list[Dual]:
    """Decompose one symmetric matrix; the signs of the vectors are those of `like`."""
    values, vectors = _enclosed(a.value, like)
    if a.tangent is None:
        return [Dual(vectors), Dual(values)]
    k, n = a.tangent.shape[0], values.size
    columns, rows = _many(vectors, k), _many(vectors.T, k)
    inner = balls.matmul(balls.matmul(rows, a.tangent), columns)  # vᵢᵀ A′ vⱼ
    # vᵢ′ = Σ vⱼ·vⱼᵀ A′ vᵢ / (λᵢ - λⱼ) over j ≠ i.
    itself = np.eye(n, dtype=bool)
    gaps = np.where(itself, balls.full((), balls.ONE), values[None, :] - values[:, None])
    mixing = np.where(itself, balls.zeros(()), inner / gaps)
    slopes = inner[:, np.arange(n), np.arange(n)]
    return [Dual(vectors, balls.matmul(columns, mixing)), Dual(values, slopes)]


def _many(matrix: np.ndarray, k: int) -> np.ndarray:
    return np.broadcast_to(matrix, (k, *matrix.shape))


def _enclosed(a: np.ndarray, like: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Enclose the eigenvalues and orthonormal eigenvectors.

    Both are real. FLINT's vectors are complex multiples of real ones, so their real parts are
    eigenvectors too.

    Raises:
        MorePrecisionNeededError: two eigenvalues overlap.
    """
    n = len(a)
    try:
        found = acb_mat(arb_mat(n, n, a.ravel().tolist())).eig(right=True)
    except ValueError:
        raise MorePrecisionNeededError from None
    values = balls.boxed([value.real for value in found[0]], (n,))
    vectors = balls.boxed([entry.real for entry in found[1].entries()], (n, n))
    order = np.argsort(balls.midpoints(values), kind="stable")
    values, vectors = values[order], vectors[:, order]
    if not np.asarray(values[:-1] < values[1:]).all():
        raise MorePrecisionNeededError
    signs = np.where(np.sum(balls.midpoints(vectors) * like, axis=0) < 0, -1, 1).tolist()
    sizes = [size.sqrt() * sign for size, sign in zip((vectors**2).sum(axis=0), signs, strict=True)]
    return values, vectors / balls.boxed(sizes, (n,))


def svd(run: Run, eqn: Any, a: Dual) -> list[Dual]:
    """Return the singular values, the largest first, and their vectors: a = u·diag(s)·vᵀ."""
    p = eqn.params
    square = a.shape[-2] == a.shape[-1]
    if p.get("subset_by_index") is not None or (
        p["compute_uv"] and p["full_matrices"] and not square
    ):
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    return _each(a, lambda m: _svd(run, eqn, m, p["compute_uv"]))


def _svd(run: Run, eqn: Any, a: Dual, vectors: bool) -> list[Dual]:
    """Decompose one matrix by the eigenvalues of aᵀa, or of aaᵀ if that is smaller."""
    wide = a.shape[0] < a.shape[1]
    tall = dual.transposed(a) if wide else a
    u, _, vt = np.linalg.svd(balls.midpoints(a.value), full_matrices=False)
    like = u if wide else vt.T
    right, squares = _eigh(_product(run, dual.transposed(tall), tall), like[:, ::-1])
    values = run.rules["sqrt"](run, eqn, squares[::-1])
    if not vectors:
        return [values]
    right = right[:, ::-1]
    left = run.rules["div"](run, eqn, _product(run, tall, right), values)
    return (
        [values, right, dual.transposed(left)] if wide else [values, left, dual.transposed(right)]
    )


def qr(run: Run, eqn: Any, a: Dual) -> list[Dual]:
    """Return orthonormal columns q and an upper triangular r with q @ r = a."""
    m, n = a.shape[-2:]
    if eqn.params.get("pivoting") or (eqn.params["full_matrices"] and m > n):
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    return _each(a, lambda m: _qr(run, eqn, m))


def _qr(run: Run, eqn: Any, a: Dual) -> list[Dual]:
    """Factor one matrix column by column (Golub and Van Loan, section 5.2.8)."""
    m, n = a.shape
    floats = balls.midpoints(a.value)
    signs = np.sign(np.diag(np.linalg.qr(floats)[1]))
    q: list[Dual] = []
    for j in range(min(m, n)):
        column = a[:, j]
        for known in q:
            column = column - known * _inner(known, column)
        size = run.rules["sqrt"](run, eqn, _inner(column, column))
        size = -size if signs[j] < 0 else size
        q.append(run.rules["div"](run, eqn, column, size))
    columns = dual.stacked(q, 1)
    upper = np.triu(np.ones((len(q), n), dtype=bool))
    r = _product(run, dual.transposed(columns), a)
    return [columns, r.linear(lambda part: np.where(upper, part, balls.zeros(())))]


def _inner(a: Dual, b: Dual) -> Dual:
    return (a * b).linear(lambda terms: balls.array(terms.sum()))


def _product(run: Run, a: Dual, b: Dual) -> Dual:
    eqn = SimpleNamespace(params={"dimension_numbers": (((1,), (0,)), ((), ()))})
    return run.rules["dot_general"](run, eqn, a, b)


RULES: dict[str, Rule] = {
    "eigh": Rule(eigh, Rounds.ARGUMENTS, cost=cost.factorisation),
    "qr": Rule(qr, Rounds.ARGUMENTS, cost=cost.factorisation),
    "svd": Rule(svd, Rounds.ARGUMENTS, cost=cost.factorisation),
}
