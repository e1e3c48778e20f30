"""Domains: a gradient is projected on the tangent space, and every point that is drawn is inside.

Each domain has a map of all arrays to it that leaves its own where they are; the derivative of that
map is the projection.
"""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from handgrad import check_gradient, exact_gradient
from tests.tiers import slowly

A = np.random.default_rng(5).standard_normal((4, 4))
FREE = A > 0


def symmetric(a: Any) -> Any:
    return (a + a.swapaxes(-1, -2)) / 2


def orthogonal(q: Any) -> Any:
    left = q @ (3 * np.eye(q.shape[1]) - q.T @ q) / 2
    return left if q.shape[0] >= q.shape[1] else orthogonal(q.T).T


#: A domain, its map, and an array in it.
CASES: list[tuple[Any, Any, np.ndarray]] = [
    ("symmetric", symmetric, A + A.T),
    ("positive definite", symmetric, A @ A.T + np.eye(4)),
    ("lower triangular", np.tril, np.tril(A)),
    (
        *("unit sphere", lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True)),
        A / np.linalg.norm(A, axis=-1, keepdims=True),
    ),
    (
        *("simplex", lambda x: x - x.mean(axis=-1, keepdims=True) + 1 / x.shape[-1]),
        np.exp(A) / np.exp(A).sum(axis=-1, keepdims=True),
    ),
    *(("orthogonal", orthogonal, np.linalg.qr(a)[0]) for a in (A, A[:, :3])),
    ("orthogonal", orthogonal, np.linalg.qr(A[:, :3])[0].T),
    (FREE, lambda x: np.where(FREE, x, A), A),
    ("positive", np.abs, np.abs(A)),
    (("interval", -1, 2), lambda x: np.clip(x, -1, 2), np.tanh(A)),
]


@pytest.mark.parametrize(("domain", "nearest", "at"), CASES)
def test_a_gradient_is_projected(domain: Any, nearest: Any, at: np.ndarray) -> None:
    step = 2.0**-20
    for v in np.random.default_rng(0).standard_normal((2, *at.shape)):
        found = exact_gradient(lambda p, v=v: (v * p).sum(), at, domain=domain)
        slopes = (nearest(at + step * v) - nearest(at - step * v)) / (2 * step)
        assert np.abs(found.astype(float) - slopes).max() < 1e-8


@pytest.mark.parametrize(
    "dtype", ["float64", *map(slowly, ("float32", "float16", ml_dtypes.bfloat16))]
)
def test_what_is_drawn_is_inside_and_moves(dtype: Any) -> None:
    eps = float(ml_dtypes.finfo(dtype).eps)
    for domain, nearest, at in CASES:
        x, v, seen = at.astype(dtype), np.ones_like(at, dtype), []
        answer = lambda p, v=v, seen=seen: seen.append(p.astype(float)) or v.copy()  # noqa: E731
        check_gradient(answer, lambda p, v=v: (v * p).sum(), x, domain=domain, points=3)
        assert len({p.tobytes() for p in seen}) >= 4
        for p in seen:
            assert np.abs(nearest(p) - p).max() <= 8 * eps * np.abs(p).max()
            assert str(domain) != "simplex" or (p >= 0).all()
            assert str(domain) != "positive definite" or np.linalg.eigvalsh(p).min() > 0
