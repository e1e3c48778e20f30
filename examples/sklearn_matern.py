"""A gradient in scikit-learn that contains a finite difference: the Matérn kernel for some ν.

The derivative of a Gaussian process's log marginal likelihood by its kernel's length is exact for
ν = ½, 1½, 2½ and ∞. For any other ν the kernel's own derivative is a forward difference with the
step 1e-10, as its code says, and rounding alone costs ten of its sixteen digits. The likelihood is
right to the last digits. Here ν = 3½, where the kernel has a closed form to check both against.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from handgrad import check_gradient
from handgrad.report import GradientReport

X = np.linspace(0.0, 5.0, 5)[:, None]
Y = np.sin(X[:, 0])

#: On the diagonal of the covariance.
NOISE = 0.01


def log_marginal_likelihood(theta: jax.Array, x: jax.Array, y: jax.Array, nu: float) -> jax.Array:
    """log N(y; 0, K + noise), where theta[0] is the logarithm of the kernel's length."""
    s = jnp.sqrt(2 * nu) * jnp.abs(x - x.T) / jnp.exp(theta[0])
    polynomial = {1.5: 1 + s, 2.5: 1 + s + s**2 / 3, 3.5: 1 + s + 2 * s**2 / 5 + s**3 / 15}[nu]
    chol = jnp.linalg.cholesky(polynomial * jnp.exp(-s) + NOISE * jnp.eye(len(y)))
    white = jax.scipy.linalg.solve_triangular(chol, y, lower=True)
    return -(white @ white + len(y) * jnp.log(2 * jnp.pi)) / 2 - jnp.sum(jnp.log(jnp.diag(chol)))


def value_and_gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray, nu: float) -> Any:
    """Compute both with scikit-learn."""
    process = GaussianProcessRegressor(Matern(nu=nu), alpha=NOISE).set_params(optimizer=None)
    return process.fit(x, y).log_marginal_likelihood(theta, eval_gradient=True)


def report(nu: float = 3.5) -> GradientReport:
    """Check the gradient with this ν."""

    def loss(theta: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
        return log_marginal_likelihood(theta, x, y, nu)

    def gradient(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> Any:
        return value_and_gradient(theta, x, y, nu)

    return check_gradient(gradient, loss, np.array([0.4]), X, Y, points=0, has_value=True)


if __name__ == "__main__":
    for nu in (2.5, 3.5):
        print(
            f"sklearn, log_marginal_likelihood with Matern(nu={nu}):",
            report(nu),
            sep="\n\n",
            end="\n\n",
        )
