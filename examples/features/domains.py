"""Parameters that stay in a set: points are drawn in it, and its own directions are judged."""

from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jax.scipy.special import gammaln
from scipy.special import digamma

from examples.features.table import Feature, right, wrong
from handgrad import check_gradient


def judged(gradient: Any, loss: Any, at: tuple[Any, ...], domain: Any) -> Any:
    return partial(check_gradient, gradient, loss, *at, domain=domain, points=3)


# Waiting times by a gamma distribution, and the share of those who gave up.

WAITED, GAVE_UP = np.array([0.4, 1.7, 0.9, 3.2]), np.array([1.0, 0.0, 0.0, 1.0])
GAMMA = {"rate": np.array(1.3), "shape": np.array(2.1), "share": np.array(0.35)}
OF_GAMMA = {"rate": "positive", "shape": "positive", "share": ("interval", 0, 1)}


def likelihood(p: Any, t: Any, y: Any) -> Any:
    a, r, q = p["shape"], p["rate"], p["share"]
    of_times = a * jnp.log(r) - gammaln(a) + (a - 1) * jnp.log(t) - r * t
    return jnp.sum(of_times) + jnp.sum(y * jnp.log(q) + (1 - y) * jnp.log1p(-q))


def by_gamma(p: Any, t: Any, y: Any) -> Any:
    a, r, q = p["shape"], p["rate"], p["share"]
    return {
        "rate": np.sum(a / r - t),
        "shape": np.sum(np.log(r) - digamma(a) + np.log(t)),
        "share": np.sum(y / q - (1 - y) / (1 - q)),
    }


def by_log_rate(p: Any, t: Any, y: Any) -> Any:
    return {**by_gamma(p, t, y), "rate": np.sum(p["shape"] - p["rate"] * t)}


def those_who_stayed_forgotten(p: Any, t: Any, y: Any) -> Any:
    return {**by_gamma(p, t, y), "share": np.sum(y / p["share"])}


# A mixture's weights.

SHARES = np.array([0.5, 0.2, 0.3])
DENSITY = np.array([[0.3, 1.2, 0.7], [0.9, 0.1, 0.4], [0.2, 0.6, 1.5], [0.8, 0.3, 0.2]])


def mixture(p: Any, d: Any) -> Any:
    return jnp.sum(jnp.log(d @ p))


def responsibilities(p: Any, d: Any) -> Any:
    """As a Lagrange multiplier leaves it: what is the same for all shares does not count."""
    return d.T @ (1 / (d @ p)) - len(d)


def by_logits(p: Any, d: Any) -> Any:
    g = responsibilities(p, d)
    return p * (g - p @ g)


def unnormalised(p: Any, d: Any) -> Any:
    return d.sum(axis=0) / np.sum(d @ p)


# The first principal axis.

SPREAD = np.array([[2.0, 0.4, -0.3], [0.4, 1.1, 0.6], [-0.3, 0.6, 0.8]])
AXIS = np.array([2.0, -1.0, 2.0]) / 3


def explained(v: Any, s: Any) -> Any:
    return v @ s @ v + jnp.log(v @ v)


def along_sphere(v: Any, s: Any) -> Any:
    return 2 * (s @ v - (v @ s @ v) * v)


def power_step(v: Any, s: Any) -> Any:
    """The next iterate, and not the way there."""
    w = s @ v
    return w / np.sqrt(w @ w)


def deflated(v: Any, s: Any) -> Any:
    """Without its component along v: of s, and not of s v."""
    return 2 * (s - v @ s @ v) @ v


# The entropy of a covariance matrix, and a likelihood by it.

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


# A table of embeddings whose first row is padding, and stays.

TABLE = np.array([[0.0, 0.0], [0.4, -0.7], [1.1, 0.3], [-0.5, 0.8]])
WORDS, WANTED = np.array([[1, 2, 0], [3, 0, 0]]), np.array([[0.2, -0.1], [0.3, 0.5]])
VARIES = np.array([[False, False], [True, True], [True, True], [True, True]])


def bags(table: Any, words: Any, y: Any) -> Any:
    return jnp.sum((table[words].mean(axis=1) - y) ** 2)


def scattered(table: Any, words: Any, y: Any) -> Any:
    g = np.zeros_like(table)
    each = 2 * (table[words].mean(axis=1) - y) / words.shape[1]
    np.add.at(g, words, each[:, None, :])
    return g  # of padding, too: what stays has no derivative


def without_padding(table: Any, words: Any, y: Any) -> Any:
    """Averaged over the words that are none, which the loss counts."""
    count = (words > 0).sum(axis=1, keepdims=True)
    g = np.zeros_like(table)
    each = 2 * (table[words].mean(axis=1) - y) / count
    np.add.at(g, words, each[:, None, :])
    return g


def padding_alone(table: Any, words: Any, y: Any) -> Any:
    return np.where(VARIES, 0.0, scattered(table, words, y))


OF_TIMES, OF_MIXTURE = (GAMMA, WAITED, GAVE_UP), (SHARES, DENSITY)
OF_ROTATION, OF_BAGS = (TURN, POINTS, ONTO), (TABLE, WORDS, WANTED)

FEATURES = {
    "positive-interval": Feature(
        'domain="positive" and ("interval", 0, 1), a name for each leaf',
        right(judged(by_gamma, likelihood, OF_TIMES, OF_GAMMA)),
        wrong(
            "by the rate's logarithm",
            judged(by_log_rate, likelihood, OF_TIMES, OF_GAMMA),
            "p['rate']: yours is",
        ),
        wrong(
            "those who stayed are forgotten",
            judged(those_who_stayed_forgotten, likelihood, OF_TIMES, OF_GAMMA),
            "p['share']",
            "a term is missing",
        ),
    ),
    "simplex": Feature(
        'domain="simplex", where what all elements share does not count',
        right(judged(responsibilities, mixture, OF_MIXTURE, "simplex"), "in the tangent space"),
        wrong(
            "by the logits of a softmax",
            judged(by_logits, mixture, OF_MIXTURE, "simplex"),
            "in the tangent space: p: 3 of 3 elements",
        ),
        wrong(
            "a quotient of sums for a sum of quotients",
            judged(unnormalised, mixture, OF_MIXTURE, "simplex"),
            "in the tangent space: p: 3 of 3 elements",
        ),
    ),
    "unit-sphere": Feature(
        'domain="unit sphere", where what is along x does not count',
        right(
            judged(along_sphere, explained, (AXIS, SPREAD), "unit sphere"), "in the tangent space"
        ),
        wrong(
            "the next iterate for the gradient",
            judged(power_step, explained, (AXIS, SPREAD), "unit sphere"),
            "in the tangent space: v: 3 of 3 elements",
        ),
        wrong(
            "a number is taken off every element",
            judged(deflated, explained, (AXIS, SPREAD), "unit sphere"),
            "in the tangent space: v: 3 of 3 elements",
        ),
    ),
    "symmetric": Feature(
        'domain="symmetric", and what is said without it',
        right(judged(by_symmetric, cubic, (COV, SPREAD), "symmetric"), "in the tangent space"),
        wrong(
            "twice off the diagonal",
            judged(twice_off_diagonal, cubic, (COV, SPREAD), "symmetric"),
            "each pair of off-diagonal elements counts as one parameter",
        ),
        wrong(
            "right, but no domain is stated",
            judged(by_symmetric, cubic, (COV, SPREAD), None),
            "wrong only where a is no longer symmetric",
            "domain='symmetric'",
        ),
        wrong(
            "the same, of a loss that reads one triangle",
            judged(by_symmetric, lower_half, (COV, SPREAD), None),
            "right for symmetric a",
            "domain='symmetric'",
        ),
    ),
    "positive-definite": Feature(
        'domain="positive definite", of a covariance matrix',
        right(judged(by_covariance, gaussian, (COV, ERROR), "positive definite")),
        wrong(
            "by the inverse matrix",
            judged(by_precision, gaussian, (COV, ERROR), "positive definite"),
            "a: 9 of 9 elements",
        ),
        wrong(
            "the determinant is forgotten",
            judged(without_the_determinant, gaussian, (COV, ERROR), "positive definite"),
            "slogdet",
        ),
    ),
    "lower-triangular": Feature(
        'domain="lower triangular", of a Cholesky factor',
        right(judged(of_triangle, by_factor, (FACTOR, ERROR), "lower triangular")),
        wrong(
            "twice below the diagonal",
            judged(twice_below, by_factor, (FACTOR, ERROR), "lower triangular"),
            "low: 3 of 9 elements",
            "each of 3 elements is 2 times exact",
        ),
        wrong(
            "an upper factor's",
            judged(upper, by_factor, (FACTOR, ERROR), "lower triangular"),
            "yours is 0 in each of 3 elements",
        ),
    ),
    "orthogonal": Feature(
        'domain="orthogonal", of a rotation',
        right(judged(of_rotation, off, OF_ROTATION, "orthogonal"), "in the tangent space"),
        wrong(
            "the rotation the other way",
            judged(the_other_way, off, OF_ROTATION, "orthogonal"),
            "in the tangent space: q: 9 of 9",
        ),
        wrong(
            "in the Lie algebra",
            judged(in_the_algebra, off, OF_ROTATION, "orthogonal"),
            "in the tangent space: q: 9 of 9",
        ),
    ),
    "mask": Feature(
        "domain= a mask of the elements that vary",
        right(judged(scattered, bags, OF_BAGS, VARIES)),
        wrong(
            "a mean over words that are none",
            judged(without_padding, bags, OF_BAGS, VARIES),
            "table: 6 of 8 elements",
        ),
        wrong(
            "the mask the other way round",
            judged(padding_alone, bags, OF_BAGS, VARIES),
            "yours is 0 in every element",
        ),
    ),
}
