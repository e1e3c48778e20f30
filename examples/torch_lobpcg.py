# pyright: reportMissingImports=false
"""The backward pass of `torch.lobpcg`: an eigenvalue found by iteration.

The largest eigenvalues of a symmetric matrix are found by a block method of conjugate gradients,
which no autograd goes through; the backward pass, in Python, is the formula for eigenvectors. The
reference is the largest root of a 3 × 3 matrix's characteristic polynomial, in closed form.
"""

from typing import Any

import jax
import jax.numpy as jnp
import torch

from handgrad.report import GradientReport
from handgrad.torch import check_function

A = torch.tensor([[2.0, -0.5, 0.3], [-0.5, 1.0, 0.7], [0.3, 0.7, -0.4]], dtype=torch.float64)


def largest(a: torch.Tensor) -> torch.Tensor:
    """Compute the largest eigenvalue of the symmetric part with torch."""
    start = torch.ones(3, 1, dtype=a.dtype)
    values, _ = torch.lobpcg((a + a.mT) / 2, k=1, X=start, niter=500, tol=1e-15)
    return values[0]


def reference(a: jax.Array) -> Any:
    """Return q + 2p cos(φ/3): q is a third of the trace, p the size of what is left."""
    symmetric = (a + a.T) / 2
    q = jnp.trace(symmetric) / 3
    rest = symmetric - q * jnp.eye(3)
    p = jnp.sqrt(jnp.sum(rest**2) / 6)
    determinant = jnp.dot(rest[0], jnp.cross(rest[1], rest[2]))
    return q + 2 * p * jnp.cos(jnp.arccos(determinant / (2 * p**3)) / 3)


def report() -> GradientReport:
    """Check the derivative of the eigenvalue by each element of the matrix."""
    return check_function(largest, A, reference=reference, points=2)


if __name__ == "__main__":
    print("torch.lobpcg, the largest eigenvalue:", report(), sep="\n\n")
