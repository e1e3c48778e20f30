"""What scikit-learn differentiates: losses, kernels, embeddings, activations.

Most of its losses are compiled, and can only be called: then the verdict is not certified. Those
with `(formula)` are judged by their formula, too.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn._loss import loss as losses
from sklearn.decomposition import _fastica
from sklearn.gaussian_process import GaussianProcessRegressor, kernels
from sklearn.linear_model._huber import _huber_loss_and_gradient
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.manifold._t_sne import _kl_divergence
from sklearn.neighbors import NeighborhoodComponentsAnalysis
from sklearn.neural_network._base import ACTIVATIONS, DERIVATIVES

from handgrad import check_gradient, check_hessian, check_hvp, check_jacobian

#: Raw predictions and what is true; rows of two features, labels, coefficients and an intercept.
RAW = np.array([-3.1, -0.7, 0.2, 0.9, 2.3])
TRUE = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
X = np.array([[0.3, -0.5], [1.2, 0.4], [-0.7, 0.9], [0.1, -1.1]])
Y = np.array([1.0, 0.0, 1.0, 1.0])
COEF = np.array([0.3, -0.2, 0.1])
PENALTY = 0.3

#: What is wrong in scikit-learn 1.9.1, in a few words.
WRONG = {"sklearn:t-SNE, 3 components": "a power of the kernel that is right for 2 alone"}


def checks() -> dict[str, Callable[..., Any]]:
    """Return the checks by their names."""
    found = {**_losses(), **_linear_models(), **_kernels(), **_embeddings(), **_activations()}
    return {f"sklearn:{name}": check for name, check in found.items()}


def _losses() -> dict[str, Callable[..., Any]]:
    formulas: dict[str, Callable[..., Any]] = {
        "HalfBinomialLoss": lambda raw: jnp.sum(jax.nn.softplus(raw) - TRUE * raw),
        "HalfPoissonLoss": lambda raw: jnp.sum(jnp.exp(raw) - TRUE * raw),
        "ExponentialLoss": lambda raw: jnp.sum(TRUE * jnp.exp(-raw) + (1 - TRUE) * jnp.exp(raw)),
    }
    found: dict[str, Callable[..., Any]] = {}
    for name, formula in formulas.items():
        own = getattr(losses, name)()

        def hessian(raw: np.ndarray, own: Any = own) -> np.ndarray:
            return np.diag(own.gradient_hessian(TRUE, raw)[1])

        def loss(raw: np.ndarray, own: Any = own) -> np.ndarray:
            return np.sum(own.loss(TRUE, raw))

        gradient = partial(own.gradient, TRUE)
        short = name.removesuffix("Loss")
        found[f"{short} gradient"] = partial(check_gradient, gradient, loss, RAW)
        found[f"{short} gradient (formula)"] = partial(check_gradient, gradient, formula, RAW)
        slopes = jax.grad(formula)
        found[f"{short} hessian (formula)"] = partial(check_jacobian, hessian, slopes, RAW)
    return found


def _linear_models() -> dict[str, Callable[..., Any]]:
    """The loss of logistic regression with an intercept, and that of `HuberRegressor`."""
    model = LinearModelLoss(losses.HalfBinomialLoss(), fit_intercept=True)
    given = {"X": X, "y": Y, "l2_reg_strength": PENALTY}

    def formula(coef: Any) -> Any:
        raw = X @ coef[:2] + coef[2]
        mean = jnp.mean(jax.nn.softplus(raw) - Y * raw)
        return mean + PENALTY / 2 * jnp.sum(coef[:2] ** 2)

    def product(coef: np.ndarray, v: np.ndarray) -> np.ndarray:
        return model.gradient_hessian_product(coef, **given)[1](v)

    def huber(w: Any) -> Any:
        """The loss of robust regression; w has two coefficients, the intercept and the scale."""
        r, scale = jnp.abs(Y - X @ w[:2] - w[2]), w[3]
        far = 2 * 1.35 * r - scale * 1.35**2
        each = jnp.where(r > 1.35 * scale, far, r**2 / scale)
        return jnp.sum(scale + each) + 0.1 * jnp.sum(w[:2] ** 2)

    gradient, loss = partial(model.gradient, **given), partial(model.loss, **given)
    return {
        "LinearModel gradient": partial(check_gradient, gradient, loss, COEF),
        "LinearModel hessian (formula)": partial(
            check_hessian, lambda coef: model.gradient_hessian(coef, **given)[1], formula, COEF
        ),
        "LinearModel hessp (formula)": partial(check_hvp, product, formula, COEF),
        "HuberRegressor (formula)": partial(
            check_gradient,
            lambda w: _huber_loss_and_gradient(w, X, Y, 1.35, 0.1, np.ones(4)),
            huber,
            np.append(COEF, 0.7),
            has_value=True,
        ),
    }


def _kernels() -> dict[str, Callable[..., Any]]:
    """Jacobians of covariances by the logarithms of a kernel's parameters, and a likelihood."""
    found: dict[str, Callable[..., Any]] = {}
    for kernel in (
        kernels.RationalQuadratic(0.8, 1.3),
        kernels.ExpSineSquared(0.9, 1.7),
        kernels.DotProduct(0.7),
        kernels.Exponentiation(kernels.RationalQuadratic(0.8, 1.3), 2.5),
    ):

        def covariance(theta: Any, kernel: Any = kernel) -> Any:
            return kernel.clone_with_theta(theta)(X)

        def slopes(theta: np.ndarray, kernel: Any = kernel) -> np.ndarray:
            return kernel.clone_with_theta(theta)(X, eval_gradient=True)[1]

        name = f"{type(kernel).__name__} kernel"
        found[name] = partial(check_jacobian, slopes, covariance, kernel.theta)
    process = GaussianProcessRegressor(kernels.RBF(0.7), alpha=0.1).set_params(optimizer=None)
    likelihood = process.fit(X, Y).log_marginal_likelihood
    found["likelihood with RBF kernel"] = partial(
        check_gradient,
        partial(likelihood, eval_gradient=True),
        likelihood,
        np.log([0.7]),
        has_value=True,
    )
    return found


def _embeddings() -> dict[str, Callable[..., Any]]:
    """t-SNE in as many dimensions, which have other degrees of freedom, and a learned metric."""
    close = np.array([0.05, 0.13, 0.08, 0.11, 0.03, 0.1])  # of six pairs, each counted twice
    places = np.linspace(-1, 1, 12) ** 3 + np.tile([0.3, -0.2, 0.1, 0.4], 3)
    components = NeighborhoodComponentsAnalysis(n_components=2)
    components.n_iter_ = 0  # as `fit` sets it
    alike = Y[:, None] == Y
    made: dict[str, tuple[Any, np.ndarray]] = {
        f"t-SNE, {n} components": (
            lambda at, n=n: _kl_divergence(at, close, n - 1, 4, n),
            places[: 4 * n],
        )
        for n in (2, 3)
    }
    made["NCA"] = (
        lambda a: components._loss_grad_lbfgs(a, X, alike),
        np.array([1.0, 0.2, -0.3, 0.8]),
    )
    return {
        name: partial(
            check_gradient, both, lambda at, both=both: both(at)[0], start, has_value=True
        )
        for name, (both, start) in made.items()
    }


def _activations() -> dict[str, Callable[..., Any]]:
    """Of neural networks, which are computed in place, and of independent components."""
    found: dict[str, Callable[..., Any]] = {}
    for name in ("logistic", "tanh"):

        def activation(z: Any, name: str = name) -> Any:
            a = z.copy()
            ACTIVATIONS[name](a)
            return a

        def slope(z: np.ndarray, name: str = name, activation: Any = activation) -> np.ndarray:
            found = np.ones_like(z)
            DERIVATIVES[name](activation(z), found)
            return found

        found[f"{name} activation"] = partial(
            check_gradient, slope, lambda z, activation=activation: np.sum(activation(z)), RAW
        )
    for name in ("_logcosh", "_exp", "_cube"):

        def both(z: Any, name: str = name) -> Any:
            g, slopes = getattr(_fastica, name)(z.copy()[:, None], {})  # which writes into z
            return g, np.ravel(slopes)

        found[f"FastICA {name[1:]}"] = partial(
            check_gradient,
            lambda z, both=both: both(z)[1],
            lambda z, both=both: np.sum(both(z)[0]),
            RAW,
        )
    return found
