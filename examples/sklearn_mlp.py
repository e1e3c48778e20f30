"""A gradient in scikit-learn that does not belong to its loss: MLPRegressor with many outputs.

`squared_loss` is the mean over the examples and over the outputs; `_backprop` divides by the number
of examples alone. With one output the two belong together. With three, the gradient that L-BFGS is
given is three times that of the loss that it is given (seen in scikit-learn 1.9.1; known there as
issue 8349, open since 2017). The regularisation would come out right and is left out, alpha = 0.
"""

import warnings
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.neural_network._multilayer_perceptron import _pack

from handgrad import check_gradient
from handgrad.report import GradientReport

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 2)), RNG.normal(size=(7, 3))


def model(x: np.ndarray, y: np.ndarray) -> Any:
    """A network 2-4-n, trained for one iteration; tanh inside."""
    network = MLPRegressor(
        hidden_layer_sizes=(4,),
        activation="tanh",
        alpha=0.0,
        solver="lbfgs",
        max_iter=1,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one iteration is intended
        return network.fit(x, y if y.shape[1] > 1 else y[:, 0])


def loss(params: Any, x: jax.Array, y: jax.Array) -> jax.Array:
    """Half the mean of the squared errors, as in scikit-learn's `squared_loss`."""
    (w1, w2), (b1, b2) = params["coefs"], params["intercepts"]
    return jnp.mean((jnp.tanh(x @ w1 + b1[None, :]) @ w2 + b2[None, :] - y) ** 2) / 2


def loss_and_gradient(network: Any, params: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Compute what scikit-learn passes to L-BFGS."""
    grads = {name: [np.empty_like(leaf) for leaf in params[name]] for name in params}
    buffers = [x, None, None], [None, None], grads["coefs"], grads["intercepts"]
    packed = _pack(params["coefs"], params["intercepts"])
    value, _ = network._loss_grad_lbfgs(packed, x, y, None, *buffers)
    return value, grads


def report(outputs: int = 3) -> GradientReport:
    """Check the loss and the gradient of a network with so many outputs."""
    y = Y[:, :outputs]
    network = model(X, y)
    params = {"coefs": network.coefs_, "intercepts": network.intercepts_}
    gradient = partial(loss_and_gradient, network)
    return check_gradient(gradient, loss, params, X, y, points=0, has_value=True)


if __name__ == "__main__":
    for outputs in (1, 3):
        print(
            f"sklearn, MLPRegressor with {outputs} output(s):",
            report(outputs),
            sep="\n\n",
            end="\n\n",
        )
