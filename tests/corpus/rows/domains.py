"""Parameters that stay in a set: points are drawn in it, and its own directions are judged.

Sets of matrices are in `matrix_domains`.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from scipy.special import digamma

from handgrad import check_gradient
from tests.corpus.case import Row, cases

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


# The chances of the next state in a Markov chain, a row for each state.

CHANCES = np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]])
COUNTED = np.array([[5.0, 1.0, 4.0], [2.0, 9.0, 3.0]])


def transitions(p: Any, n: Any) -> Any:
    return -jnp.sum(n * jnp.log(p))


def by_multipliers(p: Any, n: Any) -> Any:
    return n.sum(axis=1, keepdims=True) - n / p


def one_multiplier(p: Any, n: Any) -> Any:
    """Take one number off both rows: right, as no constant of a row counts."""
    return -n / p + np.mean(n / p)


def one_row_by_logits(p: Any, n: Any) -> Any:
    g = by_multipliers(p, n)
    return np.concatenate([g[:1], p[1:] * g[1:]])


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


def as_padding_stays(table: Any, words: Any, y: Any) -> Any:
    """Padding is 0 and stays so: its row is not looked up."""
    return scattered(np.where(VARIES, table, 0.0), words, y)


OF_TIMES, OF_MIXTURE = (GAMMA, WAITED, GAVE_UP), (SHARES, DENSITY)
OF_BAGS = TABLE, WORDS, WANTED


def that_refuses(w: Any) -> Any:
    if min(w) < 0:
        raise ValueError("a number below 0")
    return np.sum(np.exp(w))


FACTOR, IN = np.array([[1.2, 0.0], [0.3, 0.9]]), {"domain": "lower triangular", "points": 1}


def of_a_factor(a: Any) -> Any:
    if a[0, 1] != 0:
        raise ValueError("this has an element above its diagonal")
    return np.log(a[0, 0]) ** 2 + a[1, 0] ** 2 * a[1, 1] + a[1, 1]


def slope_of_a_factor(a: Any) -> Any:
    slope = 2 * np.log(a[0, 0]) / a[0, 0]
    return np.array([[slope, 0.0], [2 * a[1, 0] * a[1, 1], a[1, 0] ** 2 + 1]])


BELOW_0 = [(np.array([-1.0, 2.0]),)]

CASES = [
    # domain="positive" and ("interval", 0, 1), a name for each leaf.
    *cases("positive-interval", check_gradient, likelihood, *OF_TIMES, domain=OF_GAMMA, points=3)(
        Row("right", by_gamma),
        Row("by the rate's logarithm", by_log_rate, "p['rate']: yours is"),
        Row(
            "those who stayed are forgotten",
            those_who_stayed_forgotten,
            "p['share']",
            "a term is missing",
        ),
    ),
    # domain="simplex", where what all elements share does not count.
    *cases("simplex", check_gradient, mixture, *OF_MIXTURE, domain="simplex", points=3)(
        Row("right", responsibilities, "in the tangent space"),
        Row(
            "by the logits of a softmax",
            by_logits,
            "in the tangent space: p: 3 of 3 elements",
        ),
        Row(
            "a quotient of sums for a sum of quotients",
            unnormalised,
            "in the tangent space: p: 3 of 3 elements",
        ),
    ),
    *cases(
        "a simplex for each row", check_gradient, transitions, CHANCES, COUNTED, domain="simplex"
    )(
        Row("right", by_multipliers, "in the tangent space"),
        Row("right, one multiplier for both", one_multiplier, "in the tangent space"),
        Row("one row by the logits", one_row_by_logits, "in the tangent space: p: 3 of 6 elements"),
    ),
    # domain="unit sphere", where what is along x does not count.
    *cases("unit-sphere", check_gradient, explained, AXIS, SPREAD, domain="unit sphere", points=3)(
        Row("right", along_sphere, "in the tangent space"),
        Row(
            "the next iterate for the gradient",
            power_step,
            "in the tangent space: v: 3 of 3 elements",
        ),
        Row(
            "a number is taken off every element",
            deflated,
            "in the tangent space: v: 3 of 3 elements",
        ),
    ),
    # domain= a mask of the elements that vary.
    *cases("mask", check_gradient, bags, *OF_BAGS, domain=VARIES, points=3)(
        Row("right", scattered),
        Row(
            "a mean over words that are none",
            without_padding,
            "table: 6 of 8 elements",
        ),
        Row(
            "the mask the other way round",
            padding_alone,
            "yours is 0 in every element",
        ),
        Row("right, as padding stays 0", as_padding_stays),
    ),
    *cases("logarithms", check_gradient, lambda w: jnp.sum(jnp.log(w)), np.ones(2), points=BELOW_0)(
        Row("right", lambda w: 1 / w, "1 of 1 other points left out: ", never=("undecidable",)),
    ),
    *cases("a loss that refuses numbers below 0", check_gradient, that_refuses, np.full(2, 0.1))(
        Row("right", np.exp, "other points left out: the loss is not finite there, or raises"),
    ),
    *cases("a loss that refuses what leaves its domain", check_gradient, of_a_factor, FACTOR, **IN)(
        Row("right", slope_of_a_factor, "not certified", certified=False),
        Row("off on the diagonal", lambda a: slope_of_a_factor(a) + np.eye(2)),
    ),
]
