"""The score of statsmodels' logit model, and its loss of digits on separated data.

`Logit.score` is Xᵀ(y - σ(Xβ)), and right. Where all probabilities are close to 0 or 1, as on the
way to the infinite coefficients of perfectly separated data, y - σ cancels: at the second point of
this example ten digits are gone. The reference at every point is the exact derivative.
"""

import jax
import jax.numpy as jnp
import numpy as np
from statsmodels.discrete.discrete_model import Logit

from handgrad import check_gradient
from handgrad.report import GradientReport

X = np.array([[1, -2.1], [1, -1.3], [1, -1.0], [1, 0.9], [1, 1.4], [1, 2.2]])
Y = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])


def log_likelihood(beta: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
    """Σ log σ((2y - 1) xβ)."""
    return jnp.sum(jax.nn.log_sigmoid((2 * y - 1) * (x @ beta)))


def score(beta: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute its gradient with statsmodels."""
    return Logit(y, x).score(beta)


def report() -> GradientReport:
    """Check the score at ordinary coefficients."""
    return check_gradient(score, log_likelihood, np.array([0.3, 0.7]), X, Y, points=0)


def report_where_separated() -> GradientReport:
    """Check it where all six are predicted with a probability of 1 - 1e-9 or more."""
    return check_gradient(score, log_likelihood, np.array([0.5, 25.0]), X, Y, points=0)


if __name__ == "__main__":
    print("statsmodels, Logit.score:", report(), sep="\n\n")
    print("\nThe same where the data are separated:", report_where_separated(), sep="\n\n")
