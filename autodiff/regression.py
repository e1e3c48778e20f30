"""Linear least squares as a pure JAX loss, its gradient, and gradient descent on it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from autodiff import sgd
from autodiff.precision import in_float64


class Coefficients(NamedTuple):
    """ypred = x @ slopes + intercept, or two values that belong to them (their derivatives)."""

    slopes: Any  #: shape (n_features,), target units per feature unit
    intercept: Any  #: a scalar, target units


def predict(coefficients: Coefficients, x: jax.Array) -> jax.Array:
    """Predictions of shape (n,) for x of shape (n, n_features)."""
    return x @ coefficients.slopes + coefficients.intercept


def loss(coefficients: Coefficients, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean squared error of the predictions; x of shape (n, n_features), y of shape (n,)."""
    return jnp.mean(jnp.square(y - predict(coefficients, x)))


#: (coefficients, x, y) -> the derivative of `loss` by the coefficients, float64.
gradient = in_float64(jax.jit(jax.grad(loss)))

#: (coefficients, xs, ys, learning_rate, order) -> the coefficients after every update, as in
#: `autodiff.sgd.train`: one compiled loop. A "sample" may be a whole table, xs of shape
#: (tables, n, n_features); one table and an order of zeros is plain gradient descent.
descend = in_float64(jax.jit(sgd.train(loss)))
