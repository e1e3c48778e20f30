"""Rules for operations on complex arrays that are one operation on real and imaginary parts."""

from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from handgrad.arithmetic import balls, dual, jets
from handgrad.arithmetic.dual import Dual
from handgrad.program import cost
from handgrad.program.interpreter import Run, UncertifiedPrimitiveError
from handgrad.program.rule import Rounds, Rule
from handgrad.program.rules.spectral import decomposed, each

#: Real and imaginary part.
Parts = tuple[Dual, Dual]


def _params(eqn: Any) -> dict[str, Any]:
    """Return the parameters of the operation on complex arrays."""
    return dict(eqn.params["params"])


def _zeros(x: Dual) -> Dual:
    return Dual(balls.zeros(x.shape))


def _product(z: Parts, w: Parts) -> Parts:
    return z[0] * w[0] - z[1] * w[1], z[0] * w[1] + z[1] * w[0]


def _conj(z: Parts) -> Parts:
    return z[0], -z[1]


def _each(f: Any, *duals: Dual) -> Parts:
    real, imag = (f(d) for d in duals)
    return real, imag


def fft(run: Run, eqn: Any, *given: Dual) -> list[Dual]:
    """Return discrete Fourier transforms over the last axes, with exact roots of unity.

    A transform of real numbers leaves out the half that is the conjugate of the other, which the
    inverse of it puts back.
    """
    p = _params(eqn)
    kind, lengths = p["fft_type"].name, tuple(p["fft_lengths"])
    first = -len(lengths)
    z = (given[0], given[1]) if len(given) == 2 else (given[0], _zeros(given[0]))
    if kind == "IRFFT":
        for axis in range(first, -1):
            z = _transformed(z, axis, inverse=True)
        return [_transformed(_completed(z, lengths[-1]), -1, inverse=True)[0]]
    for axis in range(-1, first - 1, -1):
        z = _transformed(z, axis, inverse=kind == "IFFT")
        if kind == "RFFT" and axis == -1:
            half = lengths[-1] // 2 + 1
            z = z[0][..., :half], z[1][..., :half]
    return list(z)


def _completed(z: Parts, n: int) -> Parts:
    """Return all n coefficients of real numbers from the first half of them."""
    half = n // 2 + 1

    def whole(x: Dual, sign: int) -> Dual:
        other = x[..., 1 : n - half + 1][..., ::-1]
        return dual.concatenate([x[..., :half], -other if sign < 0 else other], -1)

    return whole(z[0], 1), whole(z[1], -1)


def _transformed(z: Parts, axis: int, inverse: bool) -> Parts:
    """Multiply by the matrix of the transform along an axis."""
    n = z[0].shape[axis]
    cosines, sines = _roots(n, ctx.prec)
    by_cosines = _each(lambda x: _along(x, cosines, axis), *z)
    by_sines = _each(lambda x: _along(x, sines, axis), *z)
    real, imag = (-by_sines[1], by_sines[0]) if inverse else (by_sines[1], -by_sines[0])
    found = by_cosines[0] + real, by_cosines[1] + imag
    return _each(lambda x: x.linear(lambda a: balls.array(a / n)), *found) if inverse else found


def _along(x: Dual, matrix: np.ndarray, axis: int) -> Dual:
    """Multiply the vectors along an axis by a symmetric matrix."""

    def product(array: np.ndarray) -> np.ndarray:
        rows = np.moveaxis(array, axis, -1)
        flat = jets.matmul(rows.reshape(1, -1, len(matrix)), matrix[None])
        return np.moveaxis(flat.reshape(rows.shape), -1, axis)

    return x.linear(product)


@lru_cache(maxsize=16)
def _roots(n: int, _: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cos(2πjk/n) and sin(2πjk/n), objects (n, n), at a precision in bits."""
    turns = [fmpq(2 * k, n) for k in range(n)]
    where = np.multiply.outer(np.arange(n), np.arange(n)) % n
    cosines = balls.boxed([arb.cos_pi_fmpq(turn) for turn in turns], (n,))
    sines = balls.boxed([arb.sin_pi_fmpq(turn) for turn in turns], (n,))
    return cosines[where], sines[where]


def lu(run: Run, eqn: Any, real: Dual, imag: Dual) -> list[Any]:
    """Return the factors in one matrix, the row exchanges, and their permutation."""
    batch = real.shape[:-2]
    found = [_lu(run, eqn, (real[i], imag[i])) for i in np.ndindex(*batch)]
    real, imag = (dual.stacked([f[0][k] for f in found]).reshape(*real.shape) for k in (0, 1))
    exchanges = np.stack([f[1] for f in found]).astype(np.int32)
    orders = np.stack([f[2] for f in found]).astype(np.int32)
    return [real, imag, exchanges.reshape(*batch, -1), orders.reshape(*batch, -1)]


def _lu(run: Run, eqn: Any, a: Parts) -> tuple[Parts, np.ndarray, np.ndarray]:
    """Factor one matrix; the largest element of a column is its pivot, though any would do."""
    m, n = a[0].shape
    rows: list[Parts] = [(a[0][i], a[1][i]) for i in range(m)]
    order, exchanges = np.arange(m), np.arange(min(m, n))
    for j in range(min(m, n)):
        sizes = [
            abs(balls.midpoints(x[j].value)) + abs(balls.midpoints(y[j].value)) for x, y in rows[j:]
        ]
        pivot = exchanges[j] = j + int(np.argmax(sizes))
        rows[j], rows[pivot] = rows[pivot], rows[j]
        order[[j, pivot]] = order[[pivot, j]]
        head = _each(lambda x, j=j: x[j, None], *rows[j])
        tail = _each(lambda x, j=j: x[j + 1 :], *rows[j])
        for i in range(j + 1, m):
            factor = _quotient(run, eqn, _each(lambda x, j=j: x[j, None], *rows[i]), head)
            taken = _product(factor, tail)
            rest = [x[j + 1 :] - t for x, t in zip(rows[i], taken, strict=True)]
            pieces = zip(rows[i], factor, rest, strict=True)
            real, imag = (dual.concatenate([x[:j], f, r], 0) for x, f, r in pieces)
            rows[i] = real, imag
    real, imag = (dual.stacked([row[k] for row in rows]) for k in (0, 1))
    return (real, imag), exchanges, order


def _quotient(run: Run, eqn: Any, z: Parts, w: Parts) -> Parts:
    above, below = _product(z, _conj(w)), w[0] * w[0] + w[1] * w[1]
    return _each(lambda x: run.rules["div"](run, eqn, x, below), *above)


def eigh(run: Run, eqn: Any, real: Dual, imag: Dual) -> list[Dual]:
    """Return vectors and values of Hermitian matrices, the smallest first, from one triangle.

    The phase of a vector is arbitrary, so that of LAPACK is taken; a change of the vector has no
    part along it.
    """
    p = _params(eqn)
    if p.get("subset_by_index") is not None:
        raise UncertifiedPrimitiveError(eqn.primitive.name)
    half = np.tril if p["lower"] else np.triu
    which = half(np.ones(real.shape[-2:], dtype=bool))
    inside = which & ~np.eye(len(which), dtype=bool)
    real = real.linear(lambda m: np.where(which, m, m.swapaxes(-1, -2)))
    # The diagonal counts as real.
    imag = imag.linear(lambda m: np.where(inside, m, balls.zeros(())))
    imag = imag.linear(lambda m: np.where(which, m, -m.swapaxes(-1, -2)))
    return each(_eigh, real, imag)


def _eigh(real: Dual, imag: Dual) -> list[Dual]:
    z = balls.midpoints(real.value) + 1j * balls.midpoints(imag.value)
    return decomposed(real, imag, np.linalg.eigh(z)[1])


def _lengths(eqn: Any) -> tuple[int, ...]:
    return tuple(_params(eqn)["fft_lengths"])


RULES: dict[str, Rule] = {
    "complex fft": Rule(
        fft,
        Rounds.TRANSFORM,
        cost=lambda eqn: cost.largest(eqn) * sum(_lengths(eqn)),
    ),
    "complex lu": Rule(lu, Rounds.ARGUMENTS, cost=cost.factorisation),
    "complex eigh": Rule(eigh, Rounds.ARGUMENTS, cost=cost.factorisation),
}
