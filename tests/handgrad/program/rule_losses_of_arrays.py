"""The same for operations on whole arrays: moving, summing, factorising."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.handgrad.program.rule_losses import TALL, Loss, M, of, of_two

IMAGE = np.cos(np.arange(1.0, 85.0)).reshape(2, 2, 7, 3)
KERNEL = np.sin(np.arange(1.0, 37.0)).reshape(6, 1, 3, 2)
A, B = np.sin(np.arange(30.0)).reshape(2, 5, 3), np.cos(np.arange(42.0)).reshape(7, 3, 2)


def convolved(x: Any, kernel: Any) -> Any:
    """Strides, padding, dilation of both, two groups: everything different."""
    return lax.conv_general_dilated(
        *(x, kernel, (2, 1), [(1, 0), (2, 1)]),
        lhs_dilation=(1, 2),
        rhs_dilation=(2, 1),
        feature_group_count=2,
    )


def pair(a: Any, b: Any) -> Any:
    """A batch of two."""
    return jnp.concatenate([a[None], b[None]])


def positive_definite(m: Any) -> Any:
    return m @ m.T + 2.0 * jnp.eye(3, dtype=m.dtype)


def triangular(**options: bool) -> tuple[Loss, Any]:
    """b on the side that is asked for, and a batch of two."""

    def solved(m: Any, b: Any) -> Any:
        a = pair(m, m.T) + 2.0 * jnp.eye(3, dtype=m.dtype)[None]
        b = b if options["left_side"] else b.swapaxes(-1, -2)
        return lax.linalg.triangular_solve(a, b, **options)

    return of_two(solved, M, np.sin(np.arange(12.0)).reshape(2, 3, 2))


def factored(m: Any) -> Any:
    """The second matrix has its pivots elsewhere."""
    factors, pivots, order = lax.linalg.lu(pair(m, m[::-1]))
    return factors * (1 + order).astype(m.dtype)[:, :, None] + pivots.astype(m.dtype)[:, None]


def eigenvectors(m: Any) -> Any:
    """Even in the vectors, whose signs nothing decides."""
    values, vectors = jnp.linalg.eigh(m)
    return vectors**2 * values[:, None, :] + values[:, :, None]


def singular(m: Any) -> Any:
    u, s, vt = jnp.linalg.svd(m, full_matrices=False)
    return (u**2 * s[:, None, :]) @ vt**2 + s[:, 1:, None]


def factored_qr(m: Any) -> Any:
    q, r = jnp.linalg.qr(m)
    return q**2 + r**2


def tridiagonal(m: Any, b: Any) -> Any:
    """A batch of two, the outermost elements not used."""
    low, high = pair(m[0], m[1]), pair(m[2], m[0])
    low, high = low.at[:, 0].set(0.0), high.at[:, -1].set(0.0)
    return lax.linalg.tridiagonal_solve(low, 4.0 + pair(m[1], m[2]), high, b)


def contracted(a: Any, b: Any) -> Any:
    """One axis summed over, one side by side, both in different places."""
    return lax.dot_general(a, b, (((2,), (1,)), ((0,), (2,))))


def start(i: int) -> Any:
    return jnp.asarray(i, dtype=jnp.int32)


TWO = TALL[:2] * 0.5

MOVING: dict[str, tuple[Loss, Any]] = {
    "reshape": of(lambda p: p.reshape(3, 5), TALL),
    "transpose": of(lambda p: p.T, TALL),
    "broadcast_in_dim": of(lambda p: jnp.broadcast_to(p[:, None], (5, 3))),
    "squeeze": of(lambda p: lax.squeeze(p[:, :1], (1,)), TALL),
    "rev": of(lambda p: lax.rev(p, (1,)), TALL),
    "slice": of(lambda p: lax.slice(p, (1, 0), (5, 2), (2, 1)), TALL),
    "concatenate": of_two(lambda a, b: jnp.concatenate([a, b * b, a[:2]])),
    "pad": of_two(lambda a, b: lax.pad(a, b[0], [(2, -1, 1)])),
    "gather": of(lambda p: p[np.array([2, 0, 2, -1])], TALL),
    "dynamic_slice": of(lambda p: lax.dynamic_slice(p, (start(1), start(2)), (3, 1)), TALL),
    "dynamic_update_slice": of_two(
        lambda a, b: lax.dynamic_update_slice(a, b, (start(2), start(1))), TALL, TWO[:, :2]
    ),
    "split": of(lambda p: lax.split(p, (2, 3))[1] * p[:3]),
    "stack": of_two(lambda a, b: lax.stack([a, b, a * b], axis=1)),
    "unstack": of(lambda p: jnp.unstack(p, axis=1)[1] * p[:, 0], TALL),
    "scatter": of_two(lambda a, b: a.at[np.array([3, 1])].set(b[:2])),
    "tile": of(lambda p: lax.tile(p, (2, 3)), TALL),
    "scatter-add": of_two(lambda a, b: a.at[np.array([3, 1, 3])].add(b[:3])),
    "scatter-sub": of_two(lambda a, b: a.at[np.array([3, 1, 3])].subtract(b[:3])),
    "scatter-mul": of_two(lambda a, b: a.at[np.array([3, 1])].multiply(b[:2], unique_indices=True)),
    "scatter-max": of_two(lambda a, b: a.at[np.array([3, 1, 3, 0, 3])].max(b)),
    "scatter-min": of_two(lambda a, b: a.at[np.array([3, 1, 3, 0, 3])].min(b)),
    "top_k": of(lambda p: lax.top_k(p * p, 2)[0] * p[:, :2], TALL),
    "sort": of(lambda p: jnp.sort(p, axis=0) + jnp.sort(p, axis=1) * p, TALL),
}

SUMMING: dict[str, tuple[Loss, Any]] = {
    "reduce_sum": of(lambda p: p.sum(axis=0)[None, :] * p.sum(axis=1)[:, None], TALL),
    "reduce_prod": of(lambda p: p.prod(axis=0) * p.prod(), TALL),
    "cumsum": of(lambda p: lax.cumsum(p, 0) + lax.cumsum(p, 1, reverse=True) * p, TALL),
    "cumprod": of(lambda p: lax.cumprod(p, 0) + lax.cumprod(p, 1, reverse=True) * p, TALL),
    "cumlogsumexp": of(
        lambda p: lax.cumlogsumexp(p, 0) + lax.cumlogsumexp(p, 1, reverse=True) * p, TALL
    ),
    "dot_general": of_two(contracted, A, B),
    "conv_general_dilated": of_two(convolved, IMAGE, KERNEL),
}

LINEAR_ALGEBRA: dict[str, tuple[Loss, Any]] = {
    "cholesky": of(lambda m: jnp.linalg.cholesky(pair(positive_definite(m), m @ m.T)), M),
    "triangular_solve": triangular(
        left_side=True, lower=True, transpose_a=False, unit_diagonal=False
    ),
    "lu": of(factored, M),
    "eigh": of(lambda m: eigenvectors(pair(m + m.T, m @ m.T)), M),
    "svd": of(lambda m: singular(pair(m, m + m.T)[:, :, :2]), M),
    "qr": of(lambda m: factored_qr(pair(m, m @ m)), M),
    "tridiagonal_solve": of_two(tridiagonal, M, np.sin(np.arange(12.0)).reshape(2, 3, 2)),
    "custom_linear_solve": of_two(
        lambda m, b: jnp.linalg.solve(pair(m, m.T), pair(b, b * b)), M, TALL[:3]
    ),
}
