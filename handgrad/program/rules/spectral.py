"""Rules for eigenvalues, singular values and the QR factorisation.

FLINT encloses separated eigenvalues, with their vectors. Slopes are those of first-order
perturbation theory (Horn and Johnson, Matrix Analysis, section 6.3): λᵢ′ = vᵢᴴ A′ vᵢ. The sign of a
vector, or its phase, is arbitrary, so that of LAPACK is taken.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from flint import acb, acb_mat

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
    return each(lambda m: _eigh(m, np.linalg.eigh(balls.midpoints(m.value))[1]), a)


def each(f: Callable[..., list[Dual]], *arrays: Dual) -> list[Dual]:
    """Apply a function of one matrix, or of its real and imaginary part, to each of a batch."""
    batch = arrays[0].shape[:-2]
    found = [f(*(a[index] for a in arrays)) for index in np.ndindex(*batch)]
    outputs = [dual.stacked(list(parts)) for parts in zip(*found, strict=True)]
    return [out.reshape(*batch, *out.shape[1:]) for out in outputs]


def _eigh(a: Dual, like: np.ndarray) -> list[Dual]:
    """Decompose one symmetric matrix; the signs of the vectors are those of `like`."""
    vectors, _, values = decomposed(a, Dual(balls.zeros(a.shape)), like)
    return [vectors, values]


def decomposed(real: Dual, imag: Dual, like: np.ndarray) -> list[Dual]:
    """Decompose one Hermitian matrix: vᵢ′ = Σ vⱼ·vⱼᴴ A′ vᵢ / (λᵢ - λⱼ) over j ≠ i.

    Args:
        real: its real part.
        imag: its imaginary part.
        like: the vectors have the phases of these; their changes have no part along them.

    Returns:
        The real and the imaginary part of the vectors, and the values, the smallest first.

    Raises:
        MorePrecisionNeededError: two values overlap.
    """
    values, vectors = _enclosed(real.value, imag.value, like)
    n, k = len(values), dual.directions(real, imag)
    outputs = [*_parts(vectors), values]
    if k is None:
        return [*map(Dual, outputs)]
    itself = np.eye(n, dtype=bool)
    gaps = np.where(itself, balls.full((), balls.ONE), values[None, :] - values[:, None])
    columns, slopes = _matrix(vectors), []
    for re, im in zip(dual.tangents(real, k), dual.tangents(imag, k), strict=True):
        moved = _matrix(vectors.T).conjugate() * _matrix(_joined(re, im)) * columns
        inner = balls.boxed(moved.entries(), (n, n))  # vᵢᴴ A′ vⱼ
        mixing = np.where(itself, balls.boxed([acb(0)], ()), inner / gaps)
        change = balls.boxed((columns * _matrix(mixing)).entries(), (n, n))
        slopes.append([*_parts(change), _parts(np.diagonal(inner))[0]])
    return [Dual(v, np.stack(t)) for v, t in zip(outputs, zip(*slopes, strict=True), strict=True)]


def _enclosed(
    real: np.ndarray, imag: np.ndarray, like: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Enclose the eigenvalues and orthonormal eigenvectors."""
    n = len(real)
    try:
        found = _matrix(_joined(real, imag)).eig(right=True)
    except ValueError:
        raise MorePrecisionNeededError from None
    values = _parts(balls.boxed(found[0], (n,)))[0]
    order = np.argsort(balls.midpoints(values), kind="stable")
    values, vectors = values[order], balls.boxed(found[1].entries(), (n, n))[:, order]
    if not np.asarray(values[:-1] < values[1:]).all():
        raise MorePrecisionNeededError
    conjugates = balls.boxed([x.conjugate() for x in vectors.ravel()], vectors.shape)
    overlaps = conjugates * _joined(balls.exact(np.real(like)), balls.exact(np.imag(like)))
    phases, squares = overlaps.sum(axis=0), (conjugates * vectors).sum(axis=0)
    sizes = [abs(p) * s.real.sqrt() for p, s in zip(phases, squares, strict=True)]
    return values, vectors * (phases / balls.boxed(sizes, (n,)))


def _joined(real: np.ndarray, imag: np.ndarray) -> np.ndarray:
    pairs = zip(real.ravel(), imag.ravel(), strict=True)
    return balls.boxed([acb(x, y) for x, y in pairs], real.shape)


def _parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = z.ravel().tolist()
    return (
        balls.boxed([x.real for x in flat], z.shape),
        balls.boxed([x.imag for x in flat], z.shape),
    )


def _matrix(z: np.ndarray) -> Any:
    return acb_mat(z.shape[0], z.shape[1], z.ravel().tolist())


def svd(run: Run, eqn: Any, a: Dual) -> list[Dual]:
    """Return the singular values, the largest first, and their vectors: a = u·diag(s)·vᵀ."""
    p = eqn.params
    square = a.shape[-2] == a.shape[-1]
    if p.get("subset_by_index") is not None or (
        p["compute_uv"] and p["full_matrices"] and not square
    ):
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    return each(lambda m: _svd(run, eqn, m, p["compute_uv"]), a)


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
    return each(lambda m: _qr(run, eqn, m), a)


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
