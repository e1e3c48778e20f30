# pyright: reportMissingImports=false
"""Backward passes of the package entmax: sparse relatives of softmax, in torch.

`entmax15` sorts, and its forward pass can be traced. `entmax_bisect` finds a threshold by bisection
for any α, whose program says nothing of how the threshold moves; the reference finds it by Newton's
method, which does. Both are right, also in α. `normmax_bisect` takes a tensor of α, too, but has no
gradient for it: a learned α stays where it is, and nothing says so (seen in entmax 1.3).
"""

from typing import Any

import jax
import jax.numpy as jnp
import torch
from entmax.activations import Entmax15Function
from entmax.root_finding import EntmaxBisectFunction, NormmaxBisectFunction

from handgrad.report import GradientReport
from handgrad.torch import check_function

X = torch.tensor([[0.3, -0.2, 1.1, 0.9], [-1.0, 0.4, 0.2, 0.1]], dtype=torch.float64)


def alpha(value: float) -> torch.Tensor:
    """Return an α for all rows."""
    return torch.tensor(value, dtype=torch.float64)


def _solved(f: Any, tau: jax.Array) -> jax.Array:
    """Find the root of a convex function that falls, by Newton's method from its left."""

    def step(_: Any, tau: jax.Array) -> jax.Array:
        value, slope = jax.jvp(f, (tau,), (jnp.ones_like(tau),))
        return tau - value / slope

    return jax.lax.fori_loop(0, 12, step, tau)


def _power(base: jax.Array, exponent: jax.Array) -> jax.Array:
    """Return [base]₊^exponent, whose derivatives are 0 where the base is not positive."""
    positive = base > 0
    return jnp.where(positive, jnp.where(positive, base, 1.0) ** exponent, 0.0)


def entmax(x: jax.Array, alpha: jax.Array) -> jax.Array:
    """Return p = [(α - 1)x - τ]₊^(1/(α-1)), where τ is such that each row sums to 1."""
    scores, exponent = (alpha - 1) * x, 1 / (alpha - 1)

    def excess(tau: jax.Array) -> jax.Array:
        return jnp.sum(_power(scores - tau, exponent), axis=-1, keepdims=True) - 1

    first = jnp.max(scores, axis=-1, keepdims=True) - 1
    return _power(scores - _solved(excess, first), exponent)


def normmax(x: jax.Array, alpha: jax.Array) -> jax.Array:
    """Return p = q / Σq, where q = [x - τ]₊^(1/(α-1)), and τ is such that Σ q^α = 1."""
    exponent = 1 / (alpha - 1)

    def excess(tau: jax.Array) -> jax.Array:
        return jnp.sum(_power(x - tau, alpha * exponent), axis=-1, keepdims=True) - 1

    first = jnp.max(x, axis=-1, keepdims=True) - 1
    q = _power(x - _solved(excess, first), exponent)
    return q / jnp.sum(q, axis=-1, keepdims=True)


def report() -> GradientReport:
    """Check entmax15, of what its own forward pass computes."""
    return check_function(Entmax15Function, X, -1, points=2)


def report_on_alpha() -> GradientReport:
    """Check entmax_bisect, for scores and α."""
    return check_function(EntmaxBisectFunction, X, alpha(1.4), reference=entmax, points=2)


def report_on_normmax() -> GradientReport:
    """Check normmax_bisect, for scores and α."""
    return check_function(NormmaxBisectFunction, X, alpha(1.7), reference=normmax, points=0)


if __name__ == "__main__":
    print("entmax15:", report(), sep="\n\n")
    print("\nentmax_bisect:", report_on_alpha(), sep="\n\n")
    print("\nnormmax_bisect:", report_on_normmax(), sep="\n\n")
