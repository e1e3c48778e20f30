"""Losses of real parameters with complex numbers between, one for each function of these."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import cho_solve, solve_triangular

from tests.handgrad.program.rule_losses import Loss, mixed

#: Ten parameters: the parts of five numbers in all four quadrants, off the cuts of all functions.
PARTS = np.array([0.3, -0.7, 1.1, -0.45, 0.85, 0.6, 1.3, -0.2, -0.9, 0.7])
M = np.array([[0.3, -0.7, 1.1], [2.3, 0.4, -0.9], [-0.2, 1.6, 0.5]])
MATRIX = M + 1j * M[::-1].T
HERMITIAN = MATRIX @ MATRIX.conj().T + np.eye(3)


def of(f: Callable[[Any], Any], at: Any = PARTS) -> tuple[Loss, Any]:
    def loss(p: Any) -> Any:
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            w = f(lax.complex(p[: len(at) // 2], p[len(at) // 2 :]))
        return mixed(jnp.real(w)) + 0.7 * mixed(jnp.imag(w))

    return loss, at


def of_matrix(f: Callable[[Any, Any], Any], matrix: Any = MATRIX) -> tuple[Loss, Any]:
    """Of a matrix that moves, and a vector."""
    moved = jnp.array([[0, 1, 0], [1, 0, 0], [0, 0, 0.5]])
    return of(lambda z: f(matrix + z[0].real * moved + 1j * z[1] * np.triu(M, 1), z[2:5]))


def hermitian(f: Callable[[Any], Any]) -> tuple[Loss, Any]:
    turn = np.array([[0, 1j, 2], [-1j, 0, 1], [2, 1, 1]])
    return of(lambda z: f(HERMITIAN + z[0].real * turn + z[1].imag * np.eye(3)))


def squared_thrice(*given: Any) -> Any:
    return lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] ** 2), given)


#: By the name of the operation on real arrays.
WHOLE: dict[str, tuple[Loss, Any]] = {
    "complex fft": of(lambda z: jnp.fft.irfft(jnp.fft.fft(z) * jnp.fft.fft(z.real))),
    "complex lu": of_matrix(lambda a, b: jnp.linalg.solve(a, b)),
    "complex eigh": hermitian(lambda h: jnp.linalg.eigh(h)[0] + 0j),
}

#: By what they are.
SPLIT: dict[str, tuple[Loss, Any]] = {
    "abs": of(lambda z: jnp.abs(z) + 0j),
    "angle": of(lambda z: jnp.angle(z) + 0j),
    "products": of(lambda z: z[:, None] * z.conj() / (z[0] - 3) - z**3 + z**-2),
    "exp": of(lambda z: jnp.exp(z) + jnp.expm1(z)),
    "log": of(lambda z: jnp.log(z) + jnp.log1p(z)),
    "roots": of(lambda z: jnp.sqrt(z) + lax.rsqrt(z) + z ** (0.3 + 0.2j)),
    "sin": of(lambda z: jnp.sin(z) * jnp.cos(z) + jnp.tan(z)),
    "sinh": of(lambda z: jnp.sinh(z) * jnp.cosh(z) + jnp.tanh(z) + lax.logistic(z)),
    "inverse": of(lambda z: jnp.arcsin(z) + jnp.arccos(z) + jnp.arctan(z)),
    "hyperbolic": of(lambda z: jnp.arcsinh(z) + jnp.arctanh(z)),
    "sums": of(lambda z: jnp.cumsum(z) * jnp.prod(z) + jnp.cumprod(z) + jnp.mean(z) + jnp.var(z)),
    "moved": of(lambda z: jnp.pad(jnp.roll(z, 1)[::-1], 1).at[2].add(1j * z[0]).at[1].set(z[1])),
    "chosen": of(lambda z: jnp.where(z.real > 0, z, z.conj() * 2) * (z != z[1])),
    "matmul": of_matrix(lambda a, b: jnp.einsum("ij,j,k->ik", a, b, b.conj())),
    "convolved": of(lambda z: jnp.convolve(z, z[:3] * 1j)),
    "fft": of(lambda z: jnp.fft.ifft2(jnp.fft.fft2(jnp.outer(z, z)) ** 2)),
    "rfft": of(lambda z: jnp.fft.irfft2(jnp.fft.rfft2(jnp.outer(z, z).real) ** 2, (3, 4)) + 0j),
    "cholesky": hermitian(jnp.linalg.cholesky),
    "solved": hermitian(lambda h: cho_solve((jnp.linalg.cholesky(h), True), h[0])),
    "triangular": of_matrix(
        lambda a, b: solve_triangular(a, b) * solve_triangular(a, b, trans=2, lower=True)
    ),
    "slogdet": of_matrix(lambda a, _: jnp.stack(jnp.linalg.slogdet(a))),
    "eigenvectors": hermitian(lambda h: jnp.abs(jnp.linalg.eigh(h)[1]) ** 2 + 0j),
    "loops": of(lambda z: lax.scan(lambda c, x: (c * x + 1, c), z[0], z)[1]),
    "while": of(
        lambda z: lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] ** 2), (0, z))[1]
    ),
    "branches": of(lambda z: lax.cond(z[0].real > 0, jnp.sin, jnp.conj, z)),
    "calls": of(jax.checkpoint(jax.jit(lambda z: jnp.sinc(z) * 2j))),
}
