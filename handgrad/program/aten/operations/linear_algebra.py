"""Decompositions of matrices, determinants and solutions of linear systems."""

from typing import Any

import jax.numpy as jnp
from jax import lax

from handgrad.program.aten.registry import operation


def _info(x: Any) -> Any:
    """Return zeros, torch's numbers for matrices of which nothing is wrong."""
    return jnp.zeros(x.shape[:-2], jnp.int32)


def _alike(a: Any, b: Any) -> list[Any]:
    """Return as many matrices of each."""
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return [jnp.broadcast_to(each, (*batch, *each.shape[-2:])) for each in (a, b)]


@operation("linalg_cholesky_ex")
def cholesky_ex(x: Any, *, upper: bool = False, check_errors: bool = False) -> tuple[Any, Any]:
    """Return the factor L of L Lᵀ; its derivative takes the matrix as symmetric, as torch does."""
    return cholesky(x, upper), _info(x)


@operation("cholesky")
def cholesky(x: Any, upper: bool = False) -> Any:
    """Return the factor L of L Lᵀ, or Lᵀ."""
    return jnp.linalg.cholesky(_symmetric(x, "U" if upper else "L"), upper=upper)


def _symmetric(x: Any, triangle: str) -> Any:
    """Return the symmetric matrix that has one triangle of x, and the slope of (x + xᴴ) / 2.

    torch reads one triangle alone; its derivatives take the whole matrix for symmetric.
    """
    one = jnp.tril(x) if triangle == "L" else jnp.triu(x)
    rest = jnp.tril(x, -1) if triangle == "L" else jnp.triu(x, 1)
    given = one + jnp.conj(jnp.swapaxes(rest, -1, -2))
    mean = (x + jnp.conj(jnp.swapaxes(x, -1, -2))) / 2
    return mean + lax.stop_gradient(given - mean)


@operation("linalg_solve_triangular")
def solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """Solve a x = b, or x a = b, of which a is triangular."""
    a, b = _alike(a, b)
    options = {"left_side": left, "lower": not upper, "unit_diagonal": unitriangular}
    return lax.linalg.triangular_solve(a, b, **options)


@operation("linalg_inv_ex")
def inverse(x: Any, *, check_errors: bool = False) -> tuple[Any, Any]:
    """Return the inverse."""
    return jnp.linalg.inv(x), _info(x)


@operation("_linalg_det")
def determinant(x: Any) -> tuple[Any, Any, Any]:
    """Return the determinant, and the LU decomposition."""
    return jnp.linalg.det(x), *lu_factor(x)[:2]


@operation("_linalg_slogdet")
def log_determinant(x: Any) -> tuple[Any, Any, Any, Any]:
    """Return sign and log |det|, and the LU decomposition."""
    return *jnp.linalg.slogdet(x), *lu_factor(x)[:2]


@operation("_linalg_solve_ex")
def solve(
    a: Any, b: Any, *, left: bool = True, check_errors: bool = False
) -> tuple[Any, Any, Any, Any]:
    """Solve a x = b, or x a = b; return the LU decomposition too."""
    of_vectors = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    b = b[..., None] if of_vectors else b
    factors = lu_factor(a)
    if not left:
        a, b = jnp.swapaxes(a, -1, -2), jnp.swapaxes(b, -1, -2)
    found = jnp.linalg.solve(*_alike(a, b))
    found = found if left else jnp.swapaxes(found, -1, -2)
    return found[..., 0] if of_vectors else found, *factors


@operation("linalg_lu_factor_ex")
def lu_factor(x: Any, *, pivot: bool = True, check_errors: bool = False) -> tuple[Any, Any, Any]:
    """Return the LU decomposition with pivots."""
    if not pivot:
        raise NotImplementedError("LU decomposition without pivots")
    lu, pivots, _ = lax.linalg.lu(x)
    return lu, pivots + 1, _info(x)


@operation("linalg_lu")
def lu(x: Any, *, pivot: bool = True) -> tuple[Any, Any, Any]:
    """Return P, L and U of x = P L U."""
    return _unpacked(*lu_factor(x, pivot=pivot)[:2])


def _unpacked(packed: Any, pivots: Any) -> tuple[Any, Any, Any]:
    """Return P, L and U of an LU decomposition with pivots."""
    rows, columns = packed.shape[-2:]
    k, dtype = min(rows, columns), packed.dtype
    left = jnp.tril(packed[..., :k], -1) + jnp.eye(rows, k, dtype=dtype)
    right = jnp.triu(packed[..., :k, :])
    places = lax.linalg.lu_pivots_to_permutation((pivots - 1).astype(jnp.int32), rows)
    order = (jnp.arange(rows)[:, None] == places[..., None, :]).astype(dtype)
    return order, left, right


@operation("linalg_lu_solve")
def solve_by_lu(
    packed: Any, pivots: Any, b: Any, *, left: bool = True, adjoint: bool = False
) -> Any:
    """Solve a x = b, or x a = b, given the LU decomposition of a (or of its adjoint)."""
    order, low, up = _unpacked(packed, pivots)
    a = order @ low @ up
    a = jnp.conj(jnp.swapaxes(a, -1, -2)) if adjoint else a
    return solve(a, b, left=left)[0]


@operation("linalg_pinv.atol_rtol_tensor")
def pseudoinverse(x: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Return the pseudoinverse by the singular values that are above a tolerance."""
    u, s, v = jnp.linalg.svd(x, full_matrices=False)
    if rtol is None:
        rtol = jnp.finfo(x.dtype).eps * max(x.shape[-2:]) if atol is None else 0.0
    least = jnp.asarray(rtol)[..., None] * jnp.max(s, axis=-1, keepdims=True, initial=0.0)
    least = least if atol is None else jnp.maximum(jnp.asarray(atol)[..., None], least)
    kept = s > least
    inverses = jnp.where(kept, 1 / jnp.where(kept, s, 1.0), 0.0)
    adjoints = [jnp.conj(jnp.swapaxes(each, -1, -2)) for each in (v, u)]
    return (adjoints[0] * inverses[..., None, :]) @ adjoints[1]


@operation("linalg_qr")
def qr(x: Any, mode: str = "reduced") -> tuple[Any, Any]:
    """Return Q and R of x = Q R."""
    if mode == "r":
        return jnp.zeros((0,), x.dtype), jnp.linalg.qr(x, mode="r")
    return tuple(jnp.linalg.qr(x, mode=mode))


@operation("_linalg_eigh")
def eigh(x: Any, UPLO: str = "L", compute_v: bool = True) -> tuple[Any, Any]:
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
