"""A wrong gradient in scikit-learn: t-SNE in three dimensions.

t-SNE compares distances by a Student's t distribution, whose degrees of freedom ν scikit-learn
sets to the number of components less one. The gradient of the divergence has the factor
1 / (1 + d²/ν). The code (seen in scikit-learn 1.9.1) has (1 + d²/ν)^(-(ν+1)/2) in its place, which
is the same for ν = 1, in two dimensions, and not for ν = 2. Both `method="exact"`, which is judged
here, and `method="barnes_hut"`, the default, have it. The divergence itself is right.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import pdist
from sklearn.datasets import load_iris
from sklearn.manifold import TSNE
from sklearn.manifold._t_sne import _joint_probabilities, _kl_divergence

from handgrad import check_gradient
from handgrad.report import GradientReport

PERPLEXITY = 8

#: How close five points are: of each pair, counted twice.
CLOSE = np.array([5.0, 13, 8, 11, 3, 10, 6, 9, 2, 4])
CLOSE /= 2 * CLOSE.sum()


def divergence(y: jax.Array, close: np.ndarray) -> jax.Array:
    """Σ p log(p / q) of n points in y, shape (n, components)."""
    i, j = np.triu_indices(len(y), 1)
    dof = max(y.shape[1] - 1, 1)
    kernel = (1 + jnp.sum((y[i] - y[j]) ** 2, axis=1) / dof) ** (-(dof + 1) / 2)
    q = kernel / (2 * jnp.sum(kernel))
    p = jnp.maximum(close, np.finfo(float).eps)  # which makes 0 log 0 a 0
    return 2 * jnp.sum(close * jnp.log(p / q))


def gradient(y: np.ndarray, close: np.ndarray) -> Any:
    """Compute divergence and gradient with scikit-learn."""
    n, components = y.shape
    value, found = _kl_divergence(y.ravel(), close, max(components - 1, 1), n, components)
    return value, found.reshape(y.shape)


def report(components: int = 3) -> GradientReport:
    """Check the gradient in as many dimensions."""
    y = np.random.default_rng(0).normal(size=(5, components))
    return check_gradient(gradient, divergence, y, CLOSE, points=2, has_value=True)


def missed(components: int = 3) -> tuple[float, float]:
    """Return the divergence where TSNE ends, and where L-BFGS ends from there, for 30 irises."""
    x = np.asarray(load_iris(return_X_y=True)[0])[::5]
    fit = TSNE(
        components,
        method="exact",
        perplexity=PERPLEXITY,
        init="random",
        random_state=0,
        max_iter=5000,
        n_iter_without_progress=5000,
        min_grad_norm=1e-9,
    ).fit(x)
    squares = np.zeros((len(x), len(x)))
    squares[np.triu_indices(len(x), 1)] = pdist(x, "sqeuclidean")
    close = _joint_probabilities(squares + squares.T, PERPLEXITY, 0)
    with jax.enable_x64(True):
        both = jax.jit(jax.value_and_grad(divergence))
        y = fit.embedding_.astype(float)

        def flat(at: np.ndarray) -> tuple[float, np.ndarray]:
            value, slopes = both(at.reshape(y.shape), close)
            return float(value), np.ravel(slopes)

        better = minimize(flat, y.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 2000})
        return flat(y.ravel())[0], float(better.fun)


if __name__ == "__main__":
    for components in (2, 3):
        print(
            f"sklearn, t-SNE with {components} components:",
            report(components),
            sep="\n\n",
            end="\n\n",
        )
        says = "divergence where TSNE ends: {:.3f}; with the right gradient: {:.3f}"
        print(says.format(*missed(components)), end="\n\n")
