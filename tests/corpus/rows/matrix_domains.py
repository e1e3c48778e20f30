"""Matrices that stay symmetric, positive definite, lower triangular or orthogonal."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from handgrad import check_gradient
from tests.corpus.case import Row, cases
from tests.corpus.rows.domains import SPREAD

# A polynomial of a symmetric matrix, and a likelihood by its covariance matrix.

COV = np.array([[2.0, 0.3, -0.4], [0.3, 1.0, 0.2], [-0.4, 0.2, 1.5]])
ERROR = np.array([0.7, -1.1, 0.4])


def cubic(a: Any, b: Any) -> Any:
    return jnp.trace(a @ a @ b @ a)


def by_symmetric(a: Any, b: Any) -> Any:
    return a @ a @ b + a @ b @ a + b @ a @ a


def lower_half(a: Any, b: Any) -> Any:
    """The same of a symmetric matrix, of which only the lower triangle is read."""
    return cubic(jnp.tril(a) + jnp.tril(a, -1).T, b)


def twice_off_diagonal(a: Any, b: Any) -> Any:
    g = by_symmetric(a, b)
    return g + g.T - np.diag(np.diag(g))


def gaussian(a: Any, x: Any) -> Any:
    return 0.5 * (jnp.linalg.slogdet(a)[1] + x @ jnp.linalg.solve(a, x))


def by_covariance(a: Any, x: Any) -> Any:
    w = np.linalg.solve(a, x)
    return 0.5 * (np.linalg.inv(a) - np.outer(w, w))


def by_precision(a: Any, x: Any) -> Any:
    return 0.5 * (np.outer(x, x) - a)


def without_the_determinant(a: Any, x: Any) -> Any:
    w = np.linalg.solve(a, x)
    return -0.5 * np.outer(w, w)


# The same likelihood by its Cholesky factor.

FACTOR = np.linalg.cholesky(COV)


def by_factor(low: Any, x: Any) -> Any:
    w = solve_triangular(low, x, lower=True)
    return 0.5 * w @ w + jnp.sum(jnp.log(jnp.diagonal(low)))


def of_triangle(low: Any, x: Any) -> Any:
    w = np.linalg.solve(low, x)
    return -np.outer(np.linalg.solve(low.T, w), w) + np.diag(1 / np.diag(low))


def twice_below(low: Any, x: Any) -> Any:
    """As if the factor were symmetric."""
    g = np.tril(of_triangle(low, x))
    return g + np.tril(g, -1)


def upper(low: Any, x: Any) -> Any:
    return np.triu(of_triangle(low, x).T)


# The rotation of one set of points onto another.

POINTS = np.array([[1.0, 0.2, -0.5], [0.3, 1.4, 0.6], [-0.8, 0.1, 0.9], [0.5, -0.7, 1.2]])
ONTO = np.array([[0.2, 0.9, -0.6], [1.5, 0.1, 0.4], [-0.1, -0.9, 1.0], [-0.6, 0.3, 1.1]])
TURN = np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3


def off(q: Any, a: Any, b: Any) -> Any:
    return jnp.sum((a @ q - b) ** 2)


def of_rotation(q: Any, a: Any, b: Any) -> Any:
    """|aq|² is the same for all rotations q."""
    return -2 * a.T @ b


def the_other_way(q: Any, a: Any, b: Any) -> Any:
    return -2 * b.T @ a


def in_the_algebra(q: Any, a: Any, b: Any) -> Any:
    """The skew matrix w of the direction q w, without the q."""
    g = -2 * q.T @ a.T @ b
    return (g - g.T) / 2


OF_ROTATION = TURN, POINTS, ONTO


CASES = [
    # domain="symmetric", and what is said without it.
    *cases("symmetric", check_gradient, cubic, COV, SPREAD, domain="symmetric", points=3)(
        Row("right", by_symmetric, "in the tangent space"),
        Row(
            "twice off the diagonal",
            twice_off_diagonal,
            "each pair of off-diagonal elements counts as one parameter",
        ),
    ),
    *cases("symmetric", check_gradient, cubic, COV, SPREAD, points=3)(
        Row(
            "right, but no domain is stated",
            by_symmetric,
            "wrong only where a is no longer symmetric",
            "domain='symmetric'",
        ),
    ),
    *cases("symmetric", check_gradient, lower_half, COV, SPREAD, points=3)(
        Row(
            "the same, of a loss that reads one triangle",
            by_symmetric,
            "right for symmetric a",
            "domain='symmetric'",
        ),
    ),
    # domain="positive definite", of a covariance matrix.
    *cases(
        "positive-definite",
        check_gradient,
        gaussian,
        COV,
        ERROR,
        domain="positive definite",
        points=3,
    )(
        Row("right", by_covariance),
        Row("by the inverse matrix", by_precision, "a: 9 of 9 elements"),
        Row("the determinant is forgotten", without_the_determinant, "slogdet"),
    ),
    # domain="lower triangular", of a Cholesky factor.
    *cases(
        "lower-triangular",
        check_gradient,
        by_factor,
        FACTOR,
        ERROR,
        domain="lower triangular",
        points=3,
    )(
        Row("right", of_triangle),
        Row(
            "twice below the diagonal",
            twice_below,
            "low: 3 of 9 elements",
            "each of 3 elements is 2 times exact",
        ),
        Row("an upper factor's", upper, "yours is 0 in each of 3 elements"),
    ),
    # domain="orthogonal", of a rotation.
    *cases("orthogonal", check_gradient, off, *OF_ROTATION, domain="orthogonal", points=3)(
        Row("right", of_rotation, "in the tangent space"),
        Row(
            "the rotation the other way",
            the_other_way,
            "in the tangent space: q: 9 of 9",
        ),
        Row(
            "in the Lie algebra",
            in_the_algebra,
            "in the tangent space: q: 9 of 9",
        ),
    ),
]
