"""Jacobians, Hessians and their products, dense, sparse, as operators and as pytrees."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import scipy.sparse
from scipy.sparse import linalg
from scipy.special import expit

from handgrad import check_hessian, check_hvp, check_jacobian
from tests.corpus.case import Row, cases

#: What type checkers guess of these from their code is too narrow.
sp: Any = scipy.sparse
LinearOperator: Any = linalg.LinearOperator

# A damped oscillation, and a prior on its amplitude in the last row.

TIMES = np.array([0.1, 0.4, 0.9, 1.3, 1.8, 2.2])
SEEN = np.array([0.9, 0.5, -0.2, -0.5, -0.3, 0.1])
OSCILLATION = np.array([1.1, 0.6, 2.3])


def residuals(p: Any, t: Any, y: Any) -> Any:
    a, k, w = p
    fit = a * np.exp(-k * t) * np.cos(w * t) - y
    return np.concatenate([fit, [0.5 * (a - 1.0)]])


def jacobian(p: Any, t: Any, y: Any) -> np.ndarray:
    a, k, w = p
    e, c, s = np.exp(-k * t), np.cos(w * t), np.sin(w * t)
    of_fit = np.stack([e * c, -t * a * e * c, -t * a * e * s], axis=1)
    return np.concatenate([of_fit, [[0.5, 0.0, 0.0]]])


def without_the_inner_t(p: Any, t: Any, y: Any) -> np.ndarray:
    j = jacobian(p, t, y)
    j[:-1, 2] /= t
    return j


def without_the_prior(p: Any, t: Any, y: Any) -> np.ndarray:
    j = jacobian(p, t, y)
    j[-1] = 0.0
    return j


# Heat that is conducted along a ring, and radiated: F = ∂(k ∂u) - u⁴, with k on the edges.

EDGES = np.array([1.0, 2.0, 0.5, 1.5, 0.7, 1.2])
HEAT = np.array([0.8, 1.1, 0.9, 1.3, 0.7, 1.0])


def balance(u: Any, k: Any) -> Any:
    flow = k * (np.roll(u, -1) - u)  # over edge i, from node i + 1 to i
    return flow - np.roll(flow, 1) - u**4


def ring(u: Any, k: Any) -> Any:
    n = len(u)
    j = sp.diags([-k - np.roll(k, 1) - 4 * u**3, k[:-1], k[:-1]], [0, 1, -1]).tolil()
    j[0, n - 1] = j[n - 1, 0] = k[-1]
    return j.tocsr()


def open_at_the_ends(u: Any, k: Any) -> Any:
    return sp.diags([-k - np.roll(k, 1) - 4 * u**3, k[:-1], k[:-1]], [0, 1, -1]).tocsr()


def bands_by_columns(u: Any, k: Any) -> Any:
    """`spdiags` takes element j of a band for column j, so the upper one has to be moved."""
    n = len(u)
    j = sp.spdiags([-k - np.roll(k, 1) - 4 * u**3, k, k], [0, 1, -1], n, n).tolil()
    j[0, n - 1] = j[n - 1, 0] = k[-1]
    return j.tocsr()


# A blurred image behind a saturating sensor.

BLUR = np.array([[0.6, 0.3, 0.1, 0.0], [0.2, 0.5, 0.2, 0.1], [0.0, 0.3, 0.4, 0.3]])
IMAGE = np.array([0.2, 0.9, -0.4, 0.7])


def sensor(x: Any, a: Any) -> Any:
    return np.tanh(a @ x)


def operator(x: Any, a: Any) -> Any:
    d = 1 - np.tanh(a @ x) ** 2
    return LinearOperator(a.shape, lambda v: d * (a @ v), dtype=float)


def unweighted(_: Any, a: Any) -> Any:
    return LinearOperator(a.shape, lambda v: a @ v, dtype=float)


class Remembered:
    """Keeps the first operator, which was cheap at the time."""

    def __init__(self) -> None:
        self.first: Any = None

    def __call__(self, x: Any, a: Any) -> Any:
        self.first = self.first or operator(x, a)
        return self.first


# Mean and log-variance of a prediction, by weights and a scale.

ROWS = np.array([[0.5, -1.2], [1.5, 0.3], [-0.7, 0.8]])
MODEL = {"scale": np.array(0.4), "w": np.array([0.9, -0.3])}


def prediction(p: Any, x: Any) -> Any:
    return {"mean": x @ p["w"], "log var": 2 * p["scale"] + jnp.log1p((x @ p["w"]) ** 2)}


def by_leaves(p: Any, x: Any) -> Any:
    m = x @ p["w"]
    return {
        "mean": {"scale": np.zeros(3), "w": x},
        "log var": {"scale": np.full(3, 2.0), "w": (2 * m / (1 + m**2))[:, None] * x},
    }


def turned_block(p: Any, x: Any) -> Any:
    j = by_leaves(p, x)
    return {**j, "mean": {"scale": np.zeros(3), "w": x.T}}


def of_the_variance_itself(p: Any, x: Any) -> Any:
    """By the variance, where the function returns its logarithm."""
    j, m = by_leaves(p, x), x @ p["w"]
    var = np.exp(2 * p["scale"]) * (1 + m**2)
    of_log = j["log var"]
    return {**j, "log var": {"scale": var * of_log["scale"], "w": var[:, None] * of_log["w"]}}


# Logistic regression with a penalty.

X = np.array([[1.0, -0.5, 0.3], [1.0, 0.8, -1.1], [1.0, 0.1, 0.6], [1.0, 1.4, 0.2]])
Y = np.array([0.0, 1.0, 1.0, 0.0])
BETA = np.array([0.2, -0.4, 0.7])


def logistic(b: Any, x: Any, y: Any) -> Any:
    z = x @ b
    return jnp.sum(jnp.logaddexp(0, z) - y * z) + 0.75 * jnp.sum(b * b)


def curvature(b: Any, x: Any, y: Any) -> np.ndarray:
    p = expit(x @ b)
    return x.T @ ((p * (1 - p))[:, None] * x) + 1.5 * np.eye(len(b))


def penalty_on_all(b: Any, x: Any, y: Any) -> np.ndarray:
    return curvature(b, x, y) - 1.5 * np.eye(len(b)) + 1.5


def upper_half(b: Any, x: Any, y: Any) -> np.ndarray:
    """BLAS's dsyrk fills one triangle."""
    return np.triu(curvature(b, x, y))


# The log of a sum of exponentials.

SCORES = np.array([0.3, -1.2, 0.8, 0.1])


def log_sum_exp(z: Any, c: Any) -> Any:
    return jnp.log(jnp.sum(jnp.exp(c * z))) / c


def weights(z: Any, c: Any) -> Any:
    e = np.exp(c * z - np.max(c * z))
    return e / e.sum()


def product(z: Any, v: Any, c: Any) -> Any:
    p = weights(z, c)
    return c * (p * v - p * (p @ v))


def diagonal_alone(z: Any, v: Any, c: Any) -> Any:
    p = weights(z, c)
    return c * (p * v - p**2 * v)


def along_a_unit_vector(z: Any, v: Any, c: Any) -> Any:
    return product(z, v / np.linalg.norm(v), c)


CASES = [
    # check_jacobian of an array, of residuals in NumPy.
    *cases("jacobian", check_jacobian, residuals, OSCILLATION, TIMES, SEEN, points=2)(
        Row("right", jacobian),
        Row(
            "the inner t is missing in one column",
            without_the_inner_t,
            "column 2 of jac is wrong, all else is right",
        ),
        Row(
            "the row of the prior is left at 0",
            without_the_prior,
            "row 6, column 0: yours is 0.0, exactly it is 0.5",
        ),
    ),
    # check_jacobian of a matrix of scipy.sparse.
    *cases("sparse-jacobian", check_jacobian, balance, HEAT, EDGES, points=2)(
        Row("right", ring),
        Row("the ring is left open", open_at_the_ends, "jac: 2 of 36 elements"),
        Row(
            "a band is filled by columns, not by rows",
            bands_by_columns,
            "row 2, column 3",
        ),
    ),
    # check_jacobian of a LinearOperator.
    *cases("linear-operator", check_jacobian, sensor, IMAGE, BLUR, points=2)(
        Row("right", operator),
        Row(
            "the product lacks the sensor's slope",
            unweighted,
            "jac: 10 of 12 elements",
        ),
        Row(
            "the operator of the first x is used again",
            Remembered(),
            "disagree at point 1",
        ),
    ),
    # check_jacobian of a function from a dict to a dict.
    *cases("pytree-jacobian", check_jacobian, prediction, MODEL, ROWS, points=2)(
        Row("right", by_leaves),
        Row(
            "a block is transposed",
            turned_block,
            "got shape (2, 3), expected (3, 2)",
        ),
        Row(
            "that of the variance for that of its logarithm",
            of_the_variance_itself,
            "jac['log var']['scale']: 3 of 3 elements",
        ),
    ),
    # check_hessian, and its symmetry.
    *cases("hessian", check_hessian, logistic, BETA, X, Y, points=2)(
        Row("right", curvature),
        Row(
            "the penalty is added to every element",
            penalty_on_all,
            "6 of 9 elements",
        ),
        Row(
            "only the upper triangle is filled",
            upper_half,
            "it is not symmetric",
        ),
    ),
    # check_hvp, a Hessian times a vector.
    *cases("hessian-product", check_hvp, log_sum_exp, SCORES, 1.5, points=2)(
        Row("right", product),
        Row(
            "the product with the diagonal alone",
            diagonal_alone,
            "yours is the product with the diagonal of the Hessian alone",
        ),
        Row(
            "the vector is normalised first",
            along_a_unit_vector,
            "v divided by its length",
        ),
    ),
]
