"""SciPy's derivatives of the Rosenbrock function, known to every user of its optimisers.

`rosen_der` is checked against the function, and `rosen_hess_prod`, the product of the Hessian with
a vector p, against the function whose gradient it is: x ↦ p·∇f(x). Both are right.
"""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import rosen_der, rosen_hess_prod

from handgrad import check_gradient
from handgrad.report import GradientReport

X = np.array([-1.2, 1.0, 0.7, 2.3, -0.4])
P = np.array([0.3, -1.0, 2.0, 0.1, 0.7])


def rosenbrock(x: jax.Array) -> jax.Array:
    """Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)², as in `scipy.optimize.rosen`."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def slope(x: jax.Array, p: jax.Array) -> jax.Array:
    """p·∇f(x)."""
    return p @ jax.grad(rosenbrock)(x)


def report() -> GradientReport:
    """Check `rosen_der`."""
    return check_gradient(rosen_der, rosenbrock, X)


def report_on_the_hessian() -> GradientReport:
    """Check `rosen_hess_prod`."""
    return check_gradient(rosen_hess_prod, slope, X, P)


if __name__ == "__main__":
    print("scipy.optimize.rosen_der:", report(), sep="\n\n")
    print("\nscipy.optimize.rosen_hess_prod:", report_on_the_hessian(), sep="\n\n")
