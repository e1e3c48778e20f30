"""Factorisations of complex matrices, and linear systems, by real ones of twice the size.

The number a + ib stands for the matrix [[a, -b], [b, a]], and a complex matrix for that of these
blocks. So sums and products of complex matrices are those of the real ones. Its Cholesky factor is
that of the real matrix, since the diagonal of the factor is real; and a triangular matrix with ones
on the diagonal stands for one of these.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import numpy as np
from jax import lax

from handgrad.data.complex_pairs import Pair
from handgrad.program.complex_numbers import parts


def _blocks(z: Pair) -> Any:
    """Return the real matrices of twice the size, (..., 2m, 2n)."""
    real, imag = z.real, parts.imag(z)
    *batch, m, n = real.shape
    columns = [_stacked([real, imag], -2), _stacked([lax.neg(imag), real], -2)]
    # (..., m, 2, n) each: rows 2i and 2i + 1; then beside each other.
    whole = _stacked(columns, -1)
    return lax.reshape(whole, (*batch, 2 * m, 2 * n))


def _stacked(arrays: list[Any], axis: int) -> Any:
    """Stack on a new axis after the one that is counted from the end."""
    ndim = arrays[0].ndim
    at = ndim + axis + 1
    return lax.concatenate([lax.expand_dims(a, (at,)) for a in arrays], at)


def _of_blocks(real: Any) -> Pair:
    """Return the complex matrices of real ones."""
    *batch, m, n = real.shape
    apart = lax.reshape(real, (*batch, m // 2, 2, n // 2, 2))
    at = len(batch)

    def part(row: int) -> Any:
        rows = lax.index_in_dim(apart, row, at + 1, keepdims=False)
        return lax.index_in_dim(rows, 0, rows.ndim - 1, keepdims=False)

    return Pair(part(0), part(1))


def cholesky(_: Any, eqn: Any, a: Pair) -> Pair:
    """Factor Hermitian matrices."""
    return _of_blocks(eqn.primitive.bind(_blocks(_with_real_diagonal(a)), **eqn.params))


def _with_real_diagonal(z: Pair) -> Pair:
    imag = parts.imag(z)
    return Pair(z.real, lax.select(_eye(imag), lax.full_like(imag, 0), imag))


def _eye(x: Any) -> Any:
    return np.broadcast_to(np.eye(x.shape[-1], dtype=bool), x.shape)


def triangular_solve(_: Any, eqn: Any, a: Any, b: Any) -> Pair:
    """Solve systems with a triangular matrix: its rows are divided by the diagonal first."""
    p, a, b = eqn.params, parts.of(a), parts.of(b)
    a = parts.conj(a) if p["conjugate_a"] else a
    lower, turned = bool(p["lower"]), bool(p["transpose_a"])
    if not p["left_side"]:  # x a = b is aᵀ xᵀ = bᵀ
        b, turned = _transposed(b), not turned
    if turned:
        a, lower = _transposed(a), not lower
    if not p["unit_diagonal"]:
        diagonal = _diagonal(a)
        a, b = (parts.div(z, _beside(diagonal, z)) for z in (a, b))
    a = _with_real_diagonal(a)  # of ones, whatever is stored there
    options = {**p, "left_side": True, "lower": lower, "transpose_a": False}
    options |= {"conjugate_a": False, "unit_diagonal": True}
    rows = _stacked([b.real, parts.imag(b)], -2)
    *batch, m, two, n = rows.shape
    x = eqn.primitive.bind(_blocks(a), lax.reshape(rows, (*batch, m * two, n)), **options)
    x = lax.reshape(x, (*batch, m, two, n))
    found = Pair(*(lax.index_in_dim(x, k, len(batch) + 1, keepdims=False) for k in (0, 1)))
    return found if p["left_side"] else _transposed(found)


def _transposed(z: Pair) -> Pair:
    order = list(range(z.real.ndim))
    order[-2:] = order[-1], order[-2]
    return Pair(*(p if p is None else lax.transpose(p, order) for p in z))


def _diagonal(z: Pair) -> Pair:
    """Return the diagonals, (..., n, 1)."""

    def of(x: Any) -> Any:
        only = lax.select(_eye(x), x, lax.full_like(x, 0))
        return lax.expand_dims(lax.reduce_sum(only, [x.ndim - 1]), (x.ndim - 1,))

    return Pair(*(p if p is None else of(p) for p in z))


def _beside(diagonal: Pair, z: Pair) -> Pair:
    shape = z.real.shape
    axes = tuple(range(len(shape)))
    return Pair(*(p if p is None else lax.broadcast_in_dim(p, shape, axes) for p in diagonal))


def linear_solve(run: Any, eqn: Any, *operands: Any) -> list[Any]:
    """Solve A(x) = b. The adjoint of a pair of reals is that of A, so the transpose's conjugate."""
    ends = np.cumsum([0, *eqn.params["const_lengths"]])
    consts = [operands[a:b] for a, b in pairwise(ends)]
    programs, knowns = eqn.params["jaxprs"], [parts.full(o) for o in operands[ends[-1] :]]

    def by(program: Any, given: Any) -> Callable[..., Any]:
        def solved(*args: Any) -> Any:
            *_, b = args  # a solver gets the matrix first
            return [parts.full(x) for x in run.closed(program, [*given, *b])]

        return solved

    def conjugated(f: Callable[..., Any]) -> Callable[..., Any]:
        def g(*args: Any) -> Any:
            *others, b = args
            return _conjugates(f(*others, _conjugates(b)))

        return g

    matvec, _, solve, transposed = (by(p, c) for p, c in zip(programs, consts, strict=True))
    back = None if programs.transpose_solve is None else conjugated(transposed)
    return list(jax.lax.custom_linear_solve(matvec, knowns, solve, back))


def _conjugates(zs: Any) -> list[Any]:
    return [parts.conj(z) if isinstance(z, Pair) else z for z in zs]


RULES: dict[str, Callable[..., Any]] = {
    "cholesky": cholesky,
    "triangular_solve": triangular_solve,
    "custom_linear_solve": linear_solve,
}
