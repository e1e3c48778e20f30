"""Losses of which floats lose the digits, or data: what is right to the digits that it has."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from handgrad import check_gradient
from tests.corpus.case import Row, cases
from tests.corpus.rows.kinks import of_table

LARGE = 2.0**160


def tiny_beside_large(p: Any) -> Any:
    c = lax.optimization_barrier(jnp.float64(-1e-290))
    return (p[0] + c) * 1e10 - p[0] * 1e10 + p[1] * 1e10 + (jnp.exp(p[0] * c) - 1.0)


def branch_on_a_logarithm(p: Any) -> Any:
    """At few bits exp(tiny) - 1 may be 0 or negative."""
    small = jnp.exp(p[0] * 1e-100) - 1.0
    return jnp.where(jnp.log(small) > -1000.0, 5.0 * p[1], 7.0 * p[1])


#: A loss, a point, the gradient there, and what floats may have instead.
DIGITS: dict[str, tuple[Any, list[float], list[Any], list[Any]]] = {
    "a number beside 2^160": (
        *(lambda p: jnp.sum(((p + LARGE) - LARGE) ** 2), [0.3], [(0.6,)], [(0,)]),
    ),
    "a tiny slope beside large ones": (
        *(tiny_beside_large, [0.7, 1.0], [(-1e-290, 1e10)], [(0, 1e10), (-2e-290, 1e10)]),
    ),
    "a branch on what is tiny": (branch_on_a_logarithm, [0.7, 0.3], [(0, 5)], [(0, 7)]),
    "the larger by 1e-100": (
        lambda p: jnp.maximum(jnp.exp(p[0]), jnp.exp(p[1]) + 1e-100),
        *([0.7, 0.7], [(0, np.exp(0.7))], [(np.exp(0.7), 0)]),
    ),
    "a sum that is one": (
        lambda p: jnp.sin(p[0]) ** 2 + jnp.cos(p[0]) ** 2 + p[1],
        *([0.7, 2.0], [(0, 1)], [(1e-12, 1)]),
    ),
    "of data alone": (lambda p: jnp.sum(jnp.ones(3)), [1.0, 1.0], [(0, 0)], [(1e-9, 0)]),
    "digits of its own constants": (
        lambda p: jnp.exp(jnp.sum(p * jnp.array([0.3, 0.7])) * 100.0),
        *([0.0, 0.0], [(30 * (1 + 6e-15), 70)], [(30 * (1 + 1e-10), 70)]),
    ),
}  # fmt: skip


@jax.custom_vjp
def clipped(x: Any) -> Any:
    return x


clipped.defvjp(lambda x: (x, None), lambda _, ct: (jnp.clip(ct, -1.0, 1.0),))


def of_clipped(w: Any) -> Any:
    return jnp.sum(clipped(w) ** 3)


def of_eigenvalues(x: Any) -> Any:
    near = jnp.exp(-((x[:, None] - x[None]) ** 2)) + jnp.eye(len(x))
    return jnp.sum(jnp.linalg.eigvalsh(near) ** 1.5)


CLOSE = np.random.default_rng(7).normal(size=17)
LEAVES = {"w": np.array([3.0]), "none": np.zeros((0, 2))}
WIDE, ONE = np.linspace(0.2, 0.8, 30), {"points": 0}
BY_PROGRAM: dict[str, Any] = {"referee": "program", "points": 0}
TRUSTED = {"trust_rules": ["clipped"], **BY_PROGRAM}

CASES = [
    *of_table(DIGITS, DIGITS),
    *cases("a leaf without elements", check_gradient, lambda p: (p["w"] ** 2).sum(), LEAVES)(
        Row("right", lambda p: {"w": 2 * p["w"], "none": p["none"]}, certified=True),
    ),
    *cases("a rule that clips", check_gradient, of_clipped, WIDE, **TRUSTED)(
        Row("right", lambda w: np.clip(3 * w**2, -1, 1), verdict="agree"),
        Row("of what is not clipped", lambda w: 3 * w**2, verdict="disagree"),
    ),
    *cases("a rule that clips, by program", check_gradient, of_clipped, WIDE, **BY_PROGRAM)(
        Row("right", lambda w: 3 * w**2, "JAX's gradient program in ball", blame="autodiff"),
    ),
    *cases("eigenvalues near each other", check_gradient, of_eigenvalues, CLOSE, **ONE)(
        Row("a factor", lambda x: 1.5 * jax.grad(of_eigenvalues)(x)),
    ),
]
