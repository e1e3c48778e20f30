# pyright: reportMissingImports=false
"""A backward pass that is damped: the rotation closest to a matrix, in the package RoMa.

`roma.special_procrustes` finds it by a singular value decomposition, and differentiates by a
formula of its own, which divides by sums t of two singular values. So that it stays finite where
the rotation is not unique, 1/t is t/(t² + ε²); ε is `gradient_eps`, 1e-5 if none is given. At a
well-conditioned matrix eleven of sixteen digits are left; with a smaller ε all are (seen in roma
1.8.0). In the plane the closest rotation has a closed form, which is the reference.
"""

from typing import Any

import jax
import jax.numpy as jnp
import roma
import torch

from handgrad.report import GradientReport
from handgrad.torch import check_function

M = torch.tensor([[[1.3, -0.4], [0.9, 0.7]]], dtype=torch.float64)


def rotation(m: torch.Tensor, gradient_eps: float) -> Any:
    """Return the closest rotation of each matrix, as RoMa does."""
    return roma.special_procrustes(m, gradient_eps=gradient_eps)


def reference(m: jax.Array, gradient_eps: float) -> jax.Array:
    """Return (c, -s; s, c), which points to (m₀₀ + m₁₁, m₁₀ - m₀₁)."""
    del gradient_eps
    along, across = m[:, 0, 0] + m[:, 1, 1], m[:, 1, 0] - m[:, 0, 1]
    length = jnp.sqrt(along**2 + across**2)
    c, s = along / length, across / length
    return jnp.stack([jnp.stack([c, -s], -1), jnp.stack([s, c], -1)], -2)


def report(gradient_eps: float = 1e-5) -> GradientReport:
    """Check the derivative with this damping."""
    return check_function(rotation, M, gradient_eps, reference=reference, points=0)


if __name__ == "__main__":
    for eps in (1e-5, 1e-12):
        title = f"roma.special_procrustes with gradient_eps={eps}:"
        print(title, report(eps), sep="\n\n", end="\n\n")
