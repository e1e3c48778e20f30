"""Decompositions of matrices, determinants and solutions of linear systems."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.registry import operation


def _info(x: Any) -> Any:
    """Return zeros, torch's numbers for matrices of which nothing is wrong."""
    return jnp.zeros(x.shape[:-2], jnp.int32)


@operation("linalg_cholesky_ex")
def cholesky_ex(x: Any, *, upper: bool = False, check_errors: bool = False) -> tuple[Any, Any]:
    """Return the factor L of L Lᵀ; its derivative takes the matrix as symmetric, as torch does."""
    return cholesky(x, upper), _info(x)


@operation("cholesky")
def cholesky(x: Any, upper: bool = False) -> Any:
    """Return the factor L of L Lᵀ, or Lᵀ."""
    return jnp.linalg.cholesky(_symmetric(x, "U" if upper else "L"), upper=upper)


def _symmetric(x: Any, triangle: str) -> Any:
    """Return the matrix of which one triangle is given."""
    one = jnp.tril(x) if triangle == "L" else jnp.triu(x)
    rest = jnp.tril(x, -1) if triangle == "L" else jnp.triu(x, 1)
    return one + jnp.conj(jnp.swapaxes(rest, -1, -2))


@operation("cholesky_solve")
def cholesky_solve(b: Any, factor: Any, upper: bool = False) -> Any:
    """Solve A x = b, given the Cholesky factor of A."""
    return jax.scipy.linalg.cho_solve((factor, not upper), b)


@operation("cholesky_inverse")
def cholesky_inverse(factor: Any, upper: bool = False) -> Any:
    """Return the inverse of A, given its Cholesky factor."""
    return cholesky_solve(jnp.eye(factor.shape[-1], dtype=factor.dtype), factor, upper)


@operation("linalg_solve_triangular")
def solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """Solve a x = b, or x a = b, of which a is triangular."""
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    options = {"left_side": left, "lower": not upper, "unit_diagonal": unitriangular}
    return lax.linalg.triangular_solve(a, b, **options)


@operation("triangular_solve")
def old_solve_triangular(
    b: Any, a: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple[Any, Any]:
    """Solve a x = b, or aᵀ x = b, and return a too."""
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = jnp.broadcast_to(b, (*batch, *b.shape[-2:]))
    options = {"left_side": True, "lower": not upper, "unit_diagonal": unitriangular}
    return lax.linalg.triangular_solve(a, b, transpose_a=transpose, **options), a


@operation("linalg_inv_ex")
def inverse(x: Any, *, check_errors: bool = False) -> tuple[Any, Any]:
    """Return the inverse."""
    return jnp.linalg.inv(x), _info(x)


@operation("_linalg_det")
def determinant(x: Any) -> tuple[Any, Any, Any]:
    """Return the determinant, and the LU decomposition."""
    lu, pivots, _ = lax.linalg.lu(x)
    return jnp.linalg.det(x), lu, pivots + 1


@operation("_linalg_slogdet")
def log_determinant(x: Any) -> tuple[Any, Any, Any, Any]:
    """Return sign and log |det|, and the LU decomposition."""
    lu, pivots, _ = lax.linalg.lu(x)
    sign, log = jnp.linalg.slogdet(x)
    return sign, log, lu, pivots + 1


@operation("_linalg_solve_ex")
def solve(
    a: Any, b: Any, *, left: bool = True, check_errors: bool = False
) -> tuple[Any, Any, Any, Any]:
    """Solve a x = b, or x a = b; return the LU decomposition too."""
    of_vectors = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    b = b[..., None] if of_vectors else b
    lu, pivots, _ = lax.linalg.lu(a)
    if not left:
        a, b = jnp.swapaxes(a, -1, -2), jnp.swapaxes(b, -1, -2)
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = jnp.broadcast_to(a, (*batch, *a.shape[-2:]))
    found = jnp.linalg.solve(a, jnp.broadcast_to(b, (*batch, *b.shape[-2:])))
    found = found if left else jnp.swapaxes(found, -1, -2)
    return found[..., 0] if of_vectors else found, lu, pivots + 1, _info(lu)


@operation("linalg_lu_factor_ex")
def lu_factor(
    x: Any, *, pivot: bool = True, check_errors: bool = False
) -> tuple[Any, Any, Any]:
    """Return the LU decomposition with pivots."""
    if not pivot:
        raise NotImplementedError("LU decomposition without pivots")
    lu, pivots, _ = lax.linalg.lu(x)
    return lu, pivots + 1, _info(x)


@operation("linalg_qr")
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Return Q and R of x = Q R."""
    if mode == "r":
        return jnp.zeros((0,), x.dtype), jnp.linalg.qr(x, mode="r")
    return tuple(jnp.linalg.qr(x, mode=mode))


@operation("_linalg_eigh")
def eigh(x: Any, UPLO: str = "L", compute_v: bool = True) -> tuple[Any, Any]:  # noqa: N803
    """Return eigenvalues in ascending order, and eigenvectors, of a symmetric matrix."""
    x = _symmetric(x, UPLO)
    if not compute_v:
        return jnp.linalg.eigvalsh(x), jnp.zeros((0,), x.dtype)
    return tuple(jnp.linalg.eigh(x))


@operation("_linalg_svd")
def svd(
    x: Any, full_matrices: bool = False, compute_uv: bool = True, *, driver: str | None = None
) -> tuple[Any, Any, Any]:
    """Return U, the singular values, and Vᴴ."""
    if not compute_uv:
        nothing = jnp.zeros((0,), x.dtype)
        return nothing, jnp.linalg.svd(x, compute_uv=False), nothing
    return tuple(jnp.linalg.svd(x, full_matrices=full_matrices))
